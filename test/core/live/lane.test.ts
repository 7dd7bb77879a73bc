import { afterEach, describe, expect, it } from '@jest/globals'
import { VerbatimError } from '../../../lib/core/errors.ts'
import { readSession, readTranscription } from '../../../lib/core/live/10-read.ts'
import { eraseSession } from '../../../lib/core/live/erase.ts'
import type { Sink } from '../../../lib/core/live/ports.ts'
import type { LiveSegment } from '../../../lib/core/live/segment.ts'
import { createLane, cutStream, type Lane, type LaneOptions, webmOf } from '../../support/live-lane.ts'
import { randomFrom } from '../../support/random.ts'
import { beep, createToneEngine, randomScript, type Spoken } from '../../support/tones.ts'

const PCM = 'audio/pcm;rate=16000;channels=1;format=s16le'
const CHUNK_MS = 3000

const lanes: Lane[] = []
afterEach(async () => {
  for (const lane of lanes.splice(0)) await lane.dispose()
})

async function laneWith(options: Partial<LaneOptions> = {}): Promise<Lane> {
  const lane = await createLane({ engine: createToneEngine(), ...options })
  lanes.push(lane)
  return lane
}

interface Post {
  readonly seq: number
  readonly bytes: Buffer
  readonly atMs: number
}

/** What a client posts when nothing goes wrong: chunks of 3 s without a container. */
function posts({ pcm16 }: Spoken): Post[] {
  const bytes = Buffer.from(pcm16.buffer)
  const chunks: Post[] = []
  for (let from = 0; from < bytes.length; from += 32 * CHUNK_MS) {
    const seq = chunks.length
    chunks.push({ seq, bytes: bytes.subarray(from, from + 32 * CHUNK_MS), atMs: (seq + 1) * CHUNK_MS + 100 })
  }
  return chunks
}

/** The same as a browser's stream, cut anywhere. */
const webmPosts = (spoken: Spoken, seed: number): Post[] =>
  cutStream(webmOf(spoken.pcm16), spoken.durationMs, CHUNK_MS, randomFrom(seed)).map(
    ({ bytes, untilMs }, seq) => ({
      ...{ seq, bytes, atMs: untilMs + 100 },
    }),
  )

async function play(lane: Lane, chunks: readonly Post[], contentType = PCM): Promise<void> {
  await lane.play(
    chunks.map(({ seq, bytes, atMs }) => ({ atMs, act: () => lane.post(bytes, seq, contentType) })),
  )
}

const textOf = (segments: readonly LiveSegment[]) =>
  segments.flatMap(({ words }) => words.map(({ text }) => text)).join(' ')
const liveText = (lane: Lane) => textOf(lane.seen().map(({ segment }) => segment))
const saidIn = ({ words }: Spoken) => words.map(({ text }) => text).join(' ')

describe('every word of a session', () => {
  it.each(Array.from({ length: 12 }, (_, i) => [i + 1]))(
    'is final once and in order, in a stream cut anywhere (%i)',
    async (seed) => {
      const random = randomFrom(seed)
      const spoken = beep(randomScript(30 + Math.floor(random() * 40), random))
      const lane = await laneWith()
      await play(lane, webmPosts(spoken, seed), 'audio/webm;codecs=opus')
      await lane.finish()
      expect(liveText(lane)).toBe(saidIn(spoken))
      expect(textOf(await lane.finals())).toBe(saidIn(spoken))
      expect(await lane.session()).toMatchObject({ state: 'CLOSED', revision: 2 })
    },
    120_000,
  )

  it('is final within 5 s of its end, and a draft within 3.5 s, but for one in twenty', async () => {
    const spoken = beep(randomScript(150, randomFrom(7)))
    const lane = await laneWith()
    await play(lane, posts(spoken))
    await lane.finish()
    const late = lane.seen().flatMap(({ atMs, segment }) => segment.words.map(({ endMs }) => atMs - endMs))
    expect(late.sort((a, b) => a - b)[Math.floor(late.length * 0.95)]).toBeLessThanOrEqual(5000)
    const shown = spoken.words.map(({ startMs, endMs }) => {
      const covers = ({ words }: LiveSegment) => words.some((word) => Math.abs(word.startMs - startMs) < 100)
      const draft = lane.drafted.find(({ drafts }) => drafts.some(covers))?.atMs
      const final = lane.seen().find(({ segment }) => covers(segment))?.atMs
      return Math.min(draft ?? Number.POSITIVE_INFINITY, final ?? Number.POSITIVE_INFINITY) - endMs
    })
    expect(shown.sort((a, b) => a - b)[Math.floor(shown.length * 0.95)]).toBeLessThanOrEqual(3500)
  })

  it('after a pause of half a minute is there, the first one too', async () => {
    const spoken = beep(`1 2 3 ${'= '.repeat(30)} 4 5 6`)
    const lane = await laneWith()
    await play(lane, posts(spoken))
    await lane.finish()
    expect(liveText(lane)).toBe('w1 w2 w3 w4 w5 w6')
  })

  it('comes soon after a worker was away for a minute, in larger windows', async () => {
    const spoken = beep(randomScript(150, randomFrom(11)))
    const engine = createToneEngine()
    const lane = await laneWith({ engine })
    const chunks = posts(spoken)
    for (const { seq, bytes } of chunks.slice(0, 20)) await lane.post(bytes, seq, PCM)
    lane.at(61_000)
    expect(await readSession(lane.ports)(lane.ref)).toMatchObject({ behind: true, state: 'OPEN' })
    await lane.run()
    expect(engine.asked).toBeLessThan(12)
    expect(await readSession(lane.ports)(lane.ref)).toMatchObject({ behind: false, lagMs: 0 })
    await play(lane, chunks.slice(20))
    await lane.finish()
    expect(liveText(lane)).toBe(saidIn(spoken))
  })
})

describe('what goes wrong on the way', () => {
  const spoken = beep(randomScript(60, randomFrom(3)))
  const chunks = posts(spoken)

  it.each<[string, Post[]]>([
    ['a chunk that is posted twice', chunks.flatMap((post) => (post.seq === 3 ? [post, post] : [post]))],
    [
      'chunks out of order',
      chunks.map((post) => (post.seq === 3 ? { ...post, atMs: post.atMs + 4000 } : post)),
    ],
    ['an empty chunk', inserted(chunks, 4, Buffer.alloc(0))],
    ['a chunk that comes late, after it was waited for half the time', late(chunks, 2, 5900)],
  ])('%s changes no word', async (_, disturbed) => {
    const lane = await laneWith()
    await play(lane, disturbed)
    await lane.finish()
    expect(liveText(lane)).toBe(saidIn(spoken))
    expect((await lane.state())!.ingest).toMatchObject({ missing: 0, broken: 0 })
  })

  it('a chunk that never comes costs its own words only, and the clock holds', async () => {
    const lane = await laneWith()
    await play(
      lane,
      chunks.filter(({ seq }) => seq !== 4),
    )
    await lane.finish()
    const [from, to] = [4 * CHUNK_MS, 5 * CHUNK_MS]
    const kept = spoken.words.filter(({ startMs, endMs }) => endMs <= from || startMs >= to)
    const heard = lane.seen().flatMap(({ segment }) => segment.words)
    const outside = heard.filter(({ startMs, endMs }) => endMs <= from + 20 || startMs >= to - 20)
    expect(outside.map(({ text }) => text)).toEqual(kept.map(({ text }) => text))
    for (const [i, word] of outside.entries())
      expect(Math.abs(word.startMs - kept[i]!.startMs)).toBeLessThan(100)
    expect(await readSession(lane.ports)(lane.ref)).toMatchObject({ chunks: { missing: 1 } })
  })

  it('a chunk of 2 MB is a minute of sound like any other', async () => {
    const long = beep(randomScript(160, randomFrom(5)))
    const bytes = Buffer.from(long.pcm16.buffer).subarray(0, 2_000_000)
    const lane = await laneWith()
    await play(lane, [{ seq: 0, bytes, atMs: 62_500 }])
    await lane.finish()
    const said = long.words.filter(({ endMs }) => endMs < 62_500).map(({ text }) => text)
    expect(liveText(lane).split(' ').slice(0, said.length)).toEqual(said)
  })

  it('a chunk larger than that is refused', async () => {
    const lane = await laneWith()
    const error = { code: 'too-large' } satisfies Partial<VerbatimError>
    await expect(lane.post(Buffer.alloc(5 * 1024 ** 2), 0, PCM)).rejects.toMatchObject(error)
  })

  it('garbage in the middle of a stream costs no more than the words around it', async () => {
    const disturbed = inserted(webmPosts(spoken, 9), 5, Buffer.from('no sound at all '.repeat(500)))
    const lane = await laneWith()
    await play(lane, disturbed, 'application/octet-stream')
    await lane.finish()
    const [first, last] = [saidIn(spoken).slice(0, 100), saidIn(spoken).slice(-60)]
    expect(liveText(lane).startsWith(first)).toBe(true)
    expect(liveText(lane).endsWith(last)).toBe(true)
  })

  it('a stream whose header is lost gives nothing, says so, and goes on with the next header', async () => {
    const stream = webmPosts(spoken, 4)
    const lane = await laneWith()
    await play(lane, stream.slice(1), 'audio/webm')
    expect(await lane.finals()).toEqual([])
    const { chunks: counted } = await readSession(lane.ports)(lane.ref)
    expect(counted.broken).toBe(stream.length - 1)
    const again = stream.map((post) => ({
      ...{ ...post, seq: post.seq + stream.length, atMs: post.atMs + lane.nowMs() },
    }))
    await play(lane, again, 'audio/webm')
    await lane.finish()
    expect(liveText(lane)).toBe(saidIn(spoken))
  })

  it('an engine that fails twice is asked again; one that goes on failing costs one window', async () => {
    const engine = createToneEngine()
    let failures = 0
    const failing = {
      ...engine,
      hear: async (...args: Parameters<typeof engine.hear>) => {
        if (failures-- > 0) throw new VerbatimError('engine-crashed', 'The engine stopped while it listened.')
        return engine.hear(...args)
      },
    }
    const lane = await laneWith({ engine: failing })
    await play(lane, chunks.slice(0, 3))
    failures = 2
    await play(lane, chunks.slice(3, 6))
    expect((await lane.session())?.lastError).toBeUndefined()
    failures = 3
    await play(lane, chunks.slice(6))
    await lane.finish()
    expect(await lane.session()).toMatchObject({ state: 'CLOSED', lastError: 'engine-crashed' })
    // What was given up is there after all, in captions of its own.
    const inTime = (await lane.finals()).sort((a, b) => a.startMs - b.startMs)
    expect(textOf(inTime)).toBe(saidIn(spoken))
  })

  it('a sink that is away for ten minutes gets every final once, in order, when it is back', async () => {
    const list: number[] = []
    let away = false
    const sink: Sink = {
      name: 'list',
      async publish(_, segments) {
        if (away) throw new VerbatimError('unavailable', 'The sink is away.')
        for (const { id } of segments) if (id === list.length) list.push(id)
      },
    }
    const lane = await laneWith({ sinks: [sink] })
    await play(lane, chunks.slice(0, 3))
    away = true
    await play(lane, chunks.slice(3))
    await lane.close()
    await lane.run()
    expect((await lane.session())?.state).toBe('CLOSING')
    lane.at(lane.nowMs() + 600_000)
    away = false
    await lane.tick()
    await lane.finish()
    expect(list).toEqual(lane.seen().map(({ segment }) => segment.id))
  })
})

describe('a session', () => {
  it('that is closed takes nothing more, and says so', async () => {
    const lane = await laneWith()
    await play(lane, posts(beep('1 2 3')))
    await lane.finish()
    await expect(lane.post(Buffer.alloc(10), 9, PCM)).rejects.toMatchObject({ code: 'session-closed' })
    await expect(lane.name('Ann')).rejects.toMatchObject({ code: 'session-closed' })
  })

  it('of another tenant is unknown', async () => {
    const lane = await laneWith()
    await play(lane, posts(beep('1 2 3')))
    const stranger = { ...lane.ref, tenant: 'globex' }
    const unknown = { code: 'unknown-session' }
    await expect(readSession(lane.ports)(stranger)).rejects.toMatchObject(unknown)
    await expect(readTranscription(lane.ports)(stranger, { limit: 10 })).rejects.toMatchObject(unknown)
    await expect(eraseSession(lane.ports as never)(stranger)).rejects.toMatchObject(unknown)
  })

  it('whose client has gone is closed after two minutes', async () => {
    const lane = await laneWith()
    await play(lane, posts(beep('1 2 3')))
    lane.at(lane.nowMs() + 119_000)
    await lane.tick()
    expect((await lane.session())?.state).toBe('OPEN')
    lane.at(lane.nowMs() + 2000)
    await lane.tick()
    await lane.run()
    await lane.tick()
    await lane.run()
    expect(await lane.session()).toMatchObject({ state: 'CLOSED', closedBy: 'idle', revision: 2 })
  })

  it('without any sound is closed without a job', async () => {
    const lane = await laneWith()
    await lane.name('Ann')
    await lane.finish()
    expect(await lane.session()).toMatchObject({ state: 'CLOSED', revision: 1 })
    expect((await lane.session())?.jobId).toBeUndefined()
  })

  it('in which a minute of silence goes by asks the engine for nothing meanwhile', async () => {
    const engine = createToneEngine()
    const lane = await laneWith({ engine })
    await play(lane, posts(beep(`1 ${'= '.repeat(60)}`)))
    expect(engine.asked).toBeLessThanOrEqual(2)
    expect(liveText(lane)).toBe('w1')
  })
})

/** One more chunk at place `at`; those after it are numbered on. */
function inserted(before: readonly Post[], at: number, bytes: Buffer): Post[] {
  const moved = before.map((post) => (post.seq >= at ? { ...post, seq: post.seq + 1 } : post))
  return [...moved, { seq: at, bytes, atMs: before[at]!.atMs - 50 }].sort((a, b) => a.seq - b.seq)
}

function late(before: readonly Post[], seq: number, byMs: number): Post[] {
  return before.map((post) => (post.seq === seq ? { ...post, atMs: post.atMs + byMs } : post))
}
