import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readSound } from '../../../lib/core/live/sound/pieces.ts'
import { tone } from '../../support/media.ts'
import { readWav, wavBytes, writeWav } from '../../support/wav.ts'
import {
  compareSound,
  cutAnywhere,
  cutEvenly,
  noise,
  openSoundStage,
  randomOf,
  STREAMS,
  type StreamName,
  typeOf,
} from './streams.ts'

const LENGTH_MS = 15_000
const MEETING = readWav('models/mini/samples/meeting60.wav').pcm16.subarray(0, LENGTH_MS * 16)
const part = (fromMs: number, toMs: number) => MEETING.subarray(fromMs * 16, toMs * 16)

let stage: Awaited<ReturnType<typeof openSoundStage>>
const folder = mkdtempSync(join(tmpdir(), 'verbatim-meeting-'))
const wav = join(folder, 'meeting.wav')
const encoded = new Map<StreamName, Uint8Array>()
const wholes = new Map<StreamName, Int16Array>()
beforeAll(async () => {
  stage = await openSoundStage()
  writeWav(wav, MEETING)
})
afterAll(async () => {
  await stage.dispose()
  rmSync(folder, { recursive: true })
})

async function streamOf(name: StreamName) {
  const bytes = encoded.get(name) ?? (await stage.encode(wav, STREAMS[name]))
  encoded.set(name, bytes)
  return bytes
}
const sent = (parts: readonly Uint8Array[], type = 'application/octet-stream') =>
  parts.map((bytes) => ({ bytes, type }))
/** What comes of a stream that is posted in one chunk. */
async function inOne(name: StreamName) {
  const known = wholes.get(name)
  if (known) return known
  const { pcm16 } = await stage.receive(sent([await streamOf(name)], typeOf(name)))
  wholes.set(name, pcm16)
  return pcm16
}

describe('takeSound', () => {
  it.each(Object.keys(STREAMS) as StreamName[])(
    'makes of a stream of %s, cut anywhere, the sound that one decoding of all makes',
    async (name) => {
      const parts = cutAnywhere(await streamOf(name), 5, randomOf(name.length))
      const { pcm16, ingest } = await stage.receive(sent(parts, typeOf(name)))
      const { from, to, worst, windows } = compareSound(await inOne(name), pcm16)
      expect(windows).toBeGreaterThan(15)
      expect(Math.max(-from, to)).toBeLessThanOrEqual(1)
      expect(worst).toBeLessThan(0.02)
      expect(ingest).toMatchObject({ received: parts.length, missing: 0, broken: 0 })
      expect(Math.abs(ingest.endMs - LENGTH_MS)).toBeLessThan(120)
    },
  )

  it.each(['webm', 'webm, one cluster', 'ogg opus', 'mp4', 'wav', 'pcm 48 kHz', 'flac', 'adts'] as const)(
    'leaves silence for a lost chunk of %s, and what follows is at its time',
    async (name) => {
      const parts: ({ bytes: Uint8Array } | undefined)[] = sent(
        cutEvenly(await streamOf(name), 5),
        typeOf(name),
      )
      parts[2] = undefined
      const { pcm16, ingest } = await stage.receive(parts)
      expect(ingest).toMatchObject({ received: 4, missing: 1, broken: 0 })
      const whole = await inOne(name)
      // Without times of their own a lost chunk counts as long as the one before: frames differ in size.
      const tolerance = name === 'adts' ? 1_000 * 16 : 20 * 16
      expect(Math.abs(pcm16.length - whole.length)).toBeLessThan(tolerance)
      const { from, to, windows } = compareSound(whole, pcm16, 400, 10_000)
      expect(windows).toBeGreaterThan(5)
      if (name !== 'adts') expect(Math.max(Math.abs(from), Math.abs(to))).toBeLessThan(tolerance)
    },
  )

  it.each(['webm', 'ogg opus', 'mp4'] as const)(
    'takes chunks each of which is a whole file of %s',
    async (name) => {
      const files = []
      for (let ms = 0; ms < 9_000; ms += 3_000) {
        writeWav(join(folder, 'part.wav'), part(ms, ms + 3_000))
        files.push(await stage.encode(join(folder, 'part.wav'), STREAMS[name]))
      }
      const { pcm16, ingest } = await stage.receive(sent(files))
      expect(ingest).toMatchObject({ received: 3, broken: 0 })
      const whole = await inOne(name)
      const { from, to } = compareSound(whole.subarray(0, 9_000 * 16), pcm16, 150 * 16)
      // Encoders fill the last frame up: 20 ms of Opus, 21 of AAC, and what they need to begin.
      expect(Math.max(Math.abs(from), Math.abs(to))).toBeLessThan(150 * 16)
      expect(Math.abs(ingest.endMs - 9_000)).toBeLessThan(150)
    },
  )

  it('joins whole WAV files to the very samples that they hold', async () => {
    const files = [0, 3_000, 6_000].map((ms) => wavBytes(part(ms, ms + 3_000)))
    const { pcm16 } = await stage.receive(sent(files))
    expect(pcm16).toEqual(part(0, 9_000))
  })

  it('joins samples of a stream that is cut in the middle of a sample', async () => {
    const bytes = Buffer.from(part(0, 9_000).slice().buffer)
    const type = 'audio/pcm;rate=16000'
    const parts = [bytes.subarray(0, 95_999), bytes.subarray(95_999, 190_001), bytes.subarray(190_001)]
    expect((await stage.receive(sent(parts, type))).pcm16).toEqual(part(0, 9_000))
  })

  it('finds the samples again after a lost chunk that ended in the middle of one', async () => {
    const bytes = Buffer.from(part(0, 9_000).slice().buffer)
    const parts = [bytes.subarray(0, 96_001), undefined, bytes.subarray(191_999)]
    const { pcm16 } = await stage.receive(parts.map((b) => b && { bytes: b, type: 'audio/pcm' }))
    const { from, to, worst } = compareSound(part(0, 9_000), pcm16, 64, 6_500)
    expect(Math.max(-from, to, worst)).toBeLessThan(48)
    expect(worst).toBeLessThan(0.01)
  })

  it('goes on after garbage in the middle of a stream', async () => {
    for (const name of ['webm', 'ogg opus', 'mp4', 'flac'] as const) {
      const parts = cutEvenly(await streamOf(name), 5)
      parts[2] = noise(parts[2]!.length, randomOf(3))
      const { pcm16, ingest } = await stage.receive(sent(parts))
      expect(ingest).toMatchObject({ received: 5, missing: 0, broken: 1 })
      const { from, to } = compareSound(await inOne(name), pcm16, 30 * 16, 10_000)
      expect(Math.max(Math.abs(from), Math.abs(to))).toBeLessThan(20 * 16)
    }
  })

  it('decodes nothing while the header is lost, and goes on with the next header', async () => {
    const parts = cutEvenly(await streamOf('webm'), 5)
    const { ingest, pcm16 } = await stage.receive([undefined, ...sent(parts.slice(1))])
    expect(ingest).toMatchObject({ endMs: 0, received: 4, broken: 4 })
    expect(pcm16).toHaveLength(0)
    const next = [...sent(parts.slice(1, 3)), ...sent(parts)]
    expect((await stage.receive(next)).ingest).toMatchObject({ received: 7, broken: 2 })
  })

  it('takes a stream whose header comes in pieces', async () => {
    const bytes = await streamOf('webm')
    const parts = [0, 3, 40, 200, 20_000].map((at, i, all) => bytes.subarray(at, all[i + 1] ?? bytes.length))
    const { pcm16, ingest } = await stage.receive(sent(parts))
    expect(compareSound(await inOne('webm'), pcm16)).toMatchObject({ from: 0, to: 0 })
    expect(ingest).toMatchObject({ received: 5, broken: 0 })
  })

  it('takes streams of several formats one after the other, and empty chunks', async () => {
    const streams = ['webm', 'mp3 16 kHz', 'wav', 'adts', 'ogg opus'] as const
    const chunks = []
    for (const name of streams) chunks.push((await streamOf(name)).slice(), new Uint8Array(0))
    const { ingest, pcm16 } = await stage.receive(sent(chunks))
    expect(ingest).toMatchObject({ received: 10, broken: 0 })
    expect(Math.abs(ingest.endMs - 5 * LENGTH_MS)).toBeLessThan(400)
    const last = await inOne('ogg opus')
    expect(pcm16.subarray(-last.length)).toEqual(last)
  })

  it('takes a chunk of 2 MB', async () => {
    const samples = tone(300, 65_000)
    const { ingest } = await stage.receive(sent([wavBytes(samples), wavBytes(part(0, 3_000))]))
    expect(ingest).toMatchObject({ endMs: 68_000, received: 2, broken: 0 })
  })

  it('counts what holds no sound as broken', async () => {
    const random = randomOf(9)
    const webm = (await streamOf('webm')).slice(0, 300)
    const chunks = [noise(50_000, random), Buffer.from('<html>'.repeat(100)), noise(40, random), webm]
    const { ingest } = await stage.receive(sent(chunks))
    expect(ingest).toMatchObject({ endMs: 0, pieces: [], received: 4 })
    expect(ingest.broken).toBeGreaterThanOrEqual(3)
  })

  it('reads only the header and the last chunks again, however long the session', async () => {
    const bytes = await streamOf('webm, one cluster')
    const keys: string[] = []
    const objects = {
      ...stage.objects,
      get(key: string) {
        keys.push(key)
        return stage.objects.get(key)
      },
    }
    const parts = cutEvenly(bytes, 10)
    const { ref, ingest } = await stage.receive(sent(parts), { objects })
    const chunksRead = keys.filter((key) => key.includes('/chunks/'))
    // Each itself, the header, and one or two before.
    expect(chunksRead.length).toBeLessThanOrEqual(10 * 4)
    expect(ingest.take!.chunks.length).toBeLessThanOrEqual(4)
    const last = await readSound(stage.objects, ref, ingest, ingest.endMs - 500, ingest.endMs + 500)
    expect(last).toHaveLength(16_000)
    expect(last.subarray(8_000).every((sample) => sample === 0)).toBe(true)
  })

  it('does a step again with the same outcome', async () => {
    const parts = sent(cutEvenly(await streamOf('webm'), 3))
    const first = await stage.receive(parts)
    const again = await stage.receive(parts)
    expect(again.ingest).toEqual(first.ingest)
    expect(again.pcm16).toEqual(first.pcm16)
  })

  it('keeps the time of arrival less the length of the sound: when the session’s clock was 0', async () => {
    const files = [0, 3_000, 6_000].map((ms) => wavBytes(part(ms, ms + 3_000)))
    const { ingest } = await stage.receive(sent(files))
    // The stage's first chunk comes at 1,000,000, and the others every 3 s.
    expect(ingest).toMatchObject({ zeroAt: 997_000, chunkMs: 3_000, endMs: 9_000 })
  })
})
