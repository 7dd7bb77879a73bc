import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ahead } from '../../client-cli/live/ahead.ts'
import { cut, type Piece } from '../../client-cli/live/cut.ts'
import { paced } from '../../client-cli/live/pace.ts'
import { lookAt } from '../../lib/core/live/container/look.ts'
import { sample } from './run-cli.ts'

const DURATION_MS = 55_381
const PCM = 'audio/pcm;rate=16000'
/** Files of a minute, and how ffmpeg makes them; what they are is found out by looking. */
const FILES = {
  'a.webm': ['-c:a', 'libopus', '-b:a', '32k'],
  'live.webm': ['-c:a', 'libopus', '-b:a', '32k', '-live', '1', '-cluster_time_limit', '1000'],
  'a.ogg': ['-c:a', 'libopus', '-b:a', '32k'],
  'a.flac': [],
  'a.mp3': ['-b:a', '64k'],
  'a.wav': [],
  'a.mp4': [
    '-c:a',
    'aac',
    '-movflags',
    'frag_keyframe+empty_moov+default_base_moof',
    '-frag_duration',
    '500000',
  ],
  'a.pcm': ['-f', 's16le'],
} as const

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-cut-'))
  for (const [name, how] of Object.entries(FILES)) {
    execFileSync('ffmpeg', ['-v', 'error', '-i', sample('meeting60.wav'), ...how, join(folder, name)])
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The bytes in reads of many sizes. */
async function* reads(bytes: Uint8Array) {
  const sizes = [1, 7, 300, 5000, 70_000]
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = []
  for await (const item of items) got.push(item)
  return got
}

describe('cut', () => {
  it.each(Object.keys(FILES))('%s comes out byte for byte, three seconds at a time', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(folder, name)))
    const kind = lookAt(bytes.subarray(0, 4096), PCM) ?? ''
    const pieces = await all(cut(reads(bytes), { kind, chunkMs: 3000 }))
    expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(bytes)).toBe(true)
    // Units may be a fragment of half a second long.
    const lengths = pieces.slice(0, -1).map(({ startMs, endMs }) => endMs - startMs)
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(3000)
    expect(Math.max(...lengths)).toBeLessThan(3600)
    expect(pieces[0]?.startMs).toBe(0)
    expect(Math.abs(pieces.at(-1)!.endMs - DURATION_MS)).toBeLessThan(600)
  })

  it('garbage in between neither stops it nor gets lost', async () => {
    const bytes = new Uint8Array(readFileSync(join(folder, 'a.webm')))
    bytes.fill(0x55, 20_000, 30_000)
    const pieces = await all(cut(reads(bytes), { kind: 'webm', chunkMs: 3000 }))
    expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(bytes)).toBe(true)
    expect(Math.abs(pieces.at(-1)!.endMs - DURATION_MS)).toBeLessThan(100)
  })

  it('a piece stays far below what the service takes, however little time it holds', async () => {
    const bytes = new Uint8Array(6_000_000)
    const kind = lookAt(bytes, 'audio/pcm;rate=192000;channels=8;format=f64le') ?? ''
    const pieces = await all(cut(reads(bytes), { kind, chunkMs: 30_000 }))
    expect(Math.max(...pieces.map((piece) => piece.bytes.length))).toBeLessThan(2_300_000)
    expect(pieces.reduce((sum, piece) => sum + piece.bytes.length, 0)).toBe(bytes.length)
  })

  it('refuses a stream that tells no times', async () => {
    const plain = join(folder, 'plain.mp4')
    execFileSync('ffmpeg', ['-v', 'error', '-i', sample('short.wav'), '-c:a', 'aac', plain])
    const pieces = all(cut(reads(readFileSync(plain)), { kind: 'mp4', chunkMs: 3000 }))
    await expect(pieces).rejects.toMatchObject({ code: 'unsupported-audio' })
  })
})

const piece = (n: number): Piece => ({ bytes: new Uint8Array(10), startMs: n * 100, endMs: (n + 1) * 100 })

async function* pieces(count: number, onRead = (_n: number) => {}) {
  for (let n = 0; n < count; n++) {
    onRead(n)
    yield piece(n)
  }
}

describe('ahead', () => {
  it('reads on while the reader is busy, but not beyond its limit', async () => {
    let read = 0
    const source = ahead(
      pieces(100, () => read++),
      50,
    )
    await source.next()
    for (let i = 0; i < 50; i++) await Promise.resolve()
    expect(read).toBeGreaterThan(3)
    expect(read).toBeLessThan(10)
    const rest = await all(source)
    expect(rest.map(({ startMs }) => startMs)).toEqual(Array.from({ length: 99 }, (_, i) => (i + 1) * 100))
  })

  it('gives what came before a failure, then fails', async () => {
    async function* broken() {
      yield* pieces(2)
      throw new Error('gone')
    }
    const source = ahead(broken(), 1000)
    expect((await source.next()).value).toEqual(piece(0))
    expect((await source.next()).value).toEqual(piece(1))
    await expect(source.next()).rejects.toThrow('gone')
  })
})

describe('paced', () => {
  it('gives no piece before it would have been heard', async () => {
    const beginMs = Date.now()
    const stop = new AbortController().signal
    const times: number[] = []
    for await (const { endMs } of paced(pieces(3), { beginMs, speed: 4, stop })) {
      times.push((Date.now() - beginMs) * 4 - endMs)
    }
    // A timer may fire a millisecond early.
    expect(Math.min(...times)).toBeGreaterThanOrEqual(-8)
  })

  it('ends when it is stopped, with what has been heard', async () => {
    const stop = new AbortController()
    const got: Piece[] = []
    for await (const one of paced(pieces(1000), { beginMs: Date.now(), speed: 1, stop: stop.signal })) {
      got.push(one)
      stop.abort()
    }
    expect(got).toEqual([piece(0)])
  })
})
