import { createServer } from 'node:http'

// Answers as whisper-server does, and at once: two and a half words a second, whatever is said. For looking at what the
// service itself does with hours of sound, without waiting for them to be heard.

const flag = (name: string): string => process.argv[process.argv.indexOf(name) + 1] ?? ''

const BYTES_PER_S = 32_000
const WORDS_PER_S = 2.5
const WORDS_PER_SEGMENT = 8
const PROBABILITIES = { avg_logprob: -0.2, no_speech_prob: 0.01 }

const texts = ['we', 'talk', 'about', 'the', 'budget', 'of', 'next', 'summer', 'and', 'then', 'a', 'plan']

function segmentsOf(seconds: number) {
  const count = Math.floor(seconds * WORDS_PER_S)
  const words = Array.from({ length: count }, (_, i) => ({
    ...{ word: ` ${texts[(i * 7 + Math.floor(i / 5)) % texts.length]}`, probability: 0.9 },
    ...{ start: i / WORDS_PER_S, end: (i + 1) / WORDS_PER_S },
  }))
  const starts = words.flatMap((_, i) => (i % WORDS_PER_SEGMENT === 0 ? [i] : []))
  return starts.map((i) => {
    const own = words.slice(i, i + WORDS_PER_SEGMENT)
    const text = own.map(({ word }) => word).join('')
    return { start: own[0]!.start, end: own.at(-1)!.end, text, words: own, ...PROBABILITIES }
  })
}

createServer(async (request, response) => {
  let bytes = 0
  for await (const piece of request) bytes += piece.length
  response.setHeader('content-type', 'application/json')
  const reply = { segments: segmentsOf(bytes / BYTES_PER_S), language_probabilities: { en: 0.99, de: 0.01 } }
  response.end(JSON.stringify(request.url?.endsWith('/health') ? { status: 'ok' } : reply))
}).listen(Number(flag('--port')), flag('--host'))
