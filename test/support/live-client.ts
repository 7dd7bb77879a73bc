import { setTimeout as sleep } from 'node:timers/promises'
import { cutStream, webmOf } from './live-lane.ts'
import { randomFrom } from './random.ts'
import { type Reference, readReference, samplePath } from './reference.ts'
import { call, type Reply, type RunningService, until } from './service.ts'
import { readWav } from './wav.ts'

// A meeting client as the first ones are: nothing but fetch, chunks of 3 s, a name each second.

export type Reach = Pick<RunningService, 'url' | 'token'>

export const CHUNK_MS = 3_000

/** The beginning of a recording, up to the end of a sentence, as a recorder posts it, and what is said in it. */
export function meetingStream(mostMs: number, seed = 1) {
  const { pcm16 } = readWav(samplePath('meeting60'))
  const sentences = readReference('meeting60').sentences.filter(({ endMs }) => endMs < mostMs)
  const durationMs = sentences.at(-1)!.endMs + 300
  const stream = webmOf(pcm16.subarray(0, durationMs * 16))
  return {
    durationMs,
    chunks: cutStream(stream, durationMs, CHUNK_MS, randomFrom(seed)).map(({ bytes }) => bytes),
    sentences,
    text: sentences.map(({ text }) => text).join(' '),
  }
}

export async function postChunk(
  { url, token }: Reach,
  sessionId: string,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(`${url}/api/audio/stream`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...{ 'content-type': 'application/octet-stream', 'x-session-id': sessionId, ...headers },
    },
    body: bytes as Uint8Array<ArrayBuffer>,
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export const nameSpeaker = (service: Reach, sessionId: string, name: string): Promise<Reply> =>
  call(service, 'POST', '/api/speaker', { session_id: sessionId, speaker_name: name })

/** Who speaks at a time; nobody in the pauses. */
export const voiceAt = (sentences: Reference['sentences'], ms: number): string =>
  sentences.find(({ startMs, endMs }) => startMs <= ms && ms < endMs)?.voice ?? ''

/** Posts a name a second, as late as meeting platforms do, until `signal` fires. */
export async function nameEachSecond(
  service: Reach,
  sessionId: string,
  sentences: Reference['sentences'],
  signal: AbortSignal,
): Promise<void> {
  const begin = Date.now()
  while (!signal.aborted) {
    await nameSpeaker(service, sessionId, voiceAt(sentences, Date.now() - begin - 500))
    await sleep(1000, undefined, { signal }).catch(() => {})
  }
}

export const transcription = (service: Reach, sessionId: string, query = ''): Promise<Reply> =>
  call(service, 'GET', `/api/transcriptions/${sessionId}${query}`)

export const closed = (service: Reach, sessionId: string): Promise<Reply['body']> =>
  until(async () => {
    const { body } = await call(service, 'GET', `/api/sessions/${sessionId}`)
    return body.state === 'CLOSED' ? body : undefined
  })

export interface StreamEvent {
  readonly id: string
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came, whatever it is.
  readonly data: any
}

/** Follows a session until the stream ends, or `enough` says so. */
export async function followEvents(
  { url, token }: Reach,
  sessionId: string,
  { lastId, enough = () => false }: { lastId?: string; enough?: (event: StreamEvent) => boolean } = {},
): Promise<StreamEvent[]> {
  const leave = new AbortController()
  const response = await fetch(`${url}/api/transcriptions/${sessionId}/events`, {
    headers: { authorization: `Bearer ${token}`, ...(lastId !== undefined && { 'last-event-id': lastId }) },
    signal: leave.signal,
  })
  if (response.status !== 200) throw new Error(`the stream was refused: ${response.status}`)
  const events: StreamEvent[] = []
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n')
    text = blocks.pop()!
    for (const event of blocks.map(eventOf).filter((it) => it !== undefined)) {
      events.push(event)
      if (!enough(event)) continue
      leave.abort()
      return events
    }
  }
  return events
}

function eventOf(block: string): StreamEvent | undefined {
  const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
  const [id, event, data] = [fields.get('id'), fields.get('event'), fields.get('data')]
  return id && event && data ? { id, event, data: JSON.parse(data) } : undefined
}
