import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../../../lib/adapters/audio/ffmpeg.ts'
import type { WhisperEngine } from '../../../lib/adapters/whisper/pool.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import { miniEngine } from '../../support/engine.ts'
import { createLane, cutStream, type Lane, webmOf } from '../../support/live-lane.ts'
import { randomFrom } from '../../support/random.ts'
import { readReference, samplePath } from '../../support/reference.ts'
import { cleanUp, tempFolder } from '../../support/service.ts'
import { wordErrors } from '../../support/wer.ts'

// Three minutes, two speakers, a browser's stream cut anywhere, names a second late and a tenth of them lost: through
// the real engine on a clock that stands while it thinks.

const reference = readReference('meeting180')
const LAG_MS = 1000

let engine: WhisperEngine
let lane: Lane
let live: LiveSegment[]
let named: LiveSegment[]
let revised: LiveSegment[]

beforeAll(async () => {
  engine = await miniEngine()
  lane = await createLane({ engine })
  const random = randomFrom(42)
  const chunks = cutStream(webmOf(await samplesOf('meeting180')), reference.durationMs, 3000, random)
  const script = chunks.map(({ bytes, untilMs }, seq) => ({
    ...{ atMs: untilMs + 150, act: (): unknown => lane.post(bytes, seq) },
  }))
  let speaking = ''
  for (let ms = 500; ms < reference.durationMs; ms += 1000) {
    speaking =
      reference.sentences.find(({ startMs, endMs }) => startMs <= ms && ms < endMs)?.voice ?? speaking
    const name = speaking
    if (random() >= 0.1) script.push({ atMs: ms + LAG_MS, act: () => lane.name(name) })
  }
  await lane.play(script)
  // Late names are in; the second hearing has not been.
  named = await lane.finals()
  await lane.finish()
  live = lane.seen().map(({ segment }) => segment)
  revised = await lane.finals()
}, 400_000)

afterAll(async () => {
  await engine?.close()
  await lane?.dispose()
  await cleanUp()
})

async function samplesOf(sample: 'meeting180'): Promise<Int16Array> {
  const decoder = createDecoder({
    ffmpeg: await findFfmpeg({ searchPath: process.env.PATH }),
    scratchDir: await tempFolder(),
  })
  const limits = { maxDurationMs: 600_000, timeoutMs: 60_000 }
  const recording = await decoder.decode(samplePath(sample), { channels: 'mix', limits })
  const pcm16 = await recording.read(0, 0, recording.durationMs)
  await recording.dispose()
  return pcm16
}

const textOf = (segments: readonly LiveSegment[]) => segments.map(({ text }) => text).join(' ')

/** Shares of the words with the name of who said them, and with another's, by the middle of the word. */
function namedRight(segments: readonly LiveSegment[]): { right: number; wrong: number } {
  const words = segments.flatMap(({ words: its, speaker }) => its.map((word) => ({ word, speaker })))
  const said = ({ startMs, endMs }: LiveSegment['words'][number]) => {
    const middle = (startMs + endMs) / 2
    return reference.sentences.find((it) => it.startMs - 150 <= middle && middle <= it.endMs + 150)?.voice
  }
  const right = words.filter(({ word, speaker }) => speaker === said(word)).length
  const wrong = words.filter(({ word, speaker }) => speaker !== undefined && speaker !== said(word)).length
  return { right: right / words.length, wrong: wrong / words.length }
}

describe('a meeting of three minutes, live', () => {
  it('has at most two more wrong words in a hundred than the same recording in the batch lane', () => {
    const [now, later] = [
      wordErrors(reference.text, textOf(live)),
      wordErrors(reference.text, textOf(revised)),
    ]
    expect(later.rate).toBeLessThanOrEqual(0.05)
    expect(now.rate).toBeLessThanOrEqual(later.rate + 0.02)
  })

  it('names at least 95 of 100 words after who said them, and so does the second hearing', () => {
    expect(namedRight(named).right).toBeGreaterThanOrEqual(0.95)
    expect(namedRight(live).wrong).toBeLessThanOrEqual(0.05)
    expect(namedRight(revised).right).toBeGreaterThanOrEqual(0.95)
  })

  it('has 95 of 100 words final within 5 s of their end, thinking not counted', () => {
    const late = lane.seen().flatMap(({ atMs, segment }) => segment.words.map(({ endMs }) => atMs - endMs))
    expect(late.sort((a, b) => a - b)[Math.floor(late.length * 0.95)]).toBeLessThanOrEqual(5000)
  })

  it('keeps its captions when it is heard again: same ids, new words', () => {
    expect(revised.slice(0, live.length).map(({ id }) => id)).toEqual(live.map(({ id }) => id))
    expect(revised.every(({ id, revision }) => id >= live.length || revision > live[id]!.revision)).toBe(true)
  })
})
