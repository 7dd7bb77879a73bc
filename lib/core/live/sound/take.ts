import { chunkKey } from '../../keys.ts'
import type { ObjectStore } from '../../ports.ts'
import type { Chunk, SessionRef } from '../../session.ts'
import { joinBytes } from '../container/bytes.ts'
import type { Format } from '../container/format.ts'
import { ENOUGH_TO_LOOK, lookAt, readHeader } from '../container/look.ts'
import type { SoundReader } from '../ports.ts'
import type { IngestState, Take } from '../state.ts'
import { hearUnits, hearWhole, type Work } from './hear.ts'
import { placeBefore, runsOf } from './runs.ts'

export interface SoundPorts {
  readonly objects: Pick<ObjectStore, 'get' | 'put'>
  readonly sound: SoundReader
}

/** A chunk with its bytes. */
export interface Posted {
  readonly chunk: Chunk
  readonly bytes: Uint8Array
}

/** The bytes of a take from its place to resume at on. */
interface Stretch {
  readonly bytes: Uint8Array
  /** Which chunk they come from: where each begins in `bytes`, the first before 0 when it is resumed inside. */
  readonly chunks: ReadonlyArray<{ readonly seq: number; readonly from: number; readonly to: number }>
  /** The new chunks begin here. */
  readonly newFrom: number
}

/** A stream without places to resume at is read again from its beginning, up to so much; then it is given up. */
const MOST_WHOLE_BYTES = 24 * 1024 ** 2
const MOST_WHOLE_CHUNKS = 100
/** So much in which nothing can be found is stepped over. */
const MOST_USELESS_BYTES = 4 * 1024 ** 2
const MOST_USELESS_CHUNKS = 20

/** Of a chunk's bytes: with less it counts as broken. */
const LEAST_USEFUL = 0.3

/**
 * Decodes what chunks add to the take of `ingest`, stores it, and moves the take's place to resume at on. The chunks
 * follow each other and the take. Nothing that they hold makes it fail; only the stores may.
 */
export async function continueTake(
  ports: SoundPorts,
  ref: SessionRef,
  ingest: IngestState & { take: Take },
  posted: readonly Posted[],
): Promise<IngestState> {
  const stretch = await readStretch(ports, ref, ingest.take, posted)
  const work: Work = { ports, ref, ingest, take: ingest.take, arrivedAt: posted.at(-1)!.chunk.arrivedAt }
  const useful = await advance(work, stretch, posted)
  const { take: _, ...rest } = work.ingest
  const gained = rest.endMs - ingest.endMs - ingest.lostMs
  const bad = stretch.chunks.filter(
    ({ from, to }) => from >= stretch.newFrom && to > from && !useful(from, to),
  ).length
  return {
    ...rest,
    ...(work.take && { take: { ...work.take, chunks: neededChunks(work.take, posted) } }),
    ...(gained > 0 && { chunkMs: gained / posted.length }),
    broken: rest.broken + bad,
  }
}

/** Whether the bytes from one place to another were of any use. */
type Useful = (from: number, to: number) => boolean
const ALL: Useful = () => true
const NONE: Useful = () => false

async function advance(work: Work, stretch: Stretch, posted: readonly Posted[]): Promise<Useful> {
  const take = work.take!
  if (take.headSeq !== undefined) {
    const format = readHeader(take.kind, await readHead(work, take))
    // The header was read before, so it can be read.
    return typeof format === 'string' ? NONE : advanceFrom(work, stretch, format, 0)
  }
  const kind = take.kind || lookAt(stretch.bytes, posted[0]!.chunk.contentType)
  if (kind === undefined) {
    const early = stretch.bytes.length < ENOUGH_TO_LOOK
    work.take = early ? take : undefined
    return early ? ALL : NONE
  }
  work.take = { ...take, kind }
  for (const { seq, to } of stretch.chunks) {
    const format = readHeader(kind, stretch.bytes.subarray(0, to))
    if (format === 'whole') break
    if (format === 'incomplete') continue
    work.take = { ...work.take, headSeq: seq }
    const used = await advanceFrom(work, stretch, format, format.bodyAt)
    return (from, to) => from < format.bodyAt || used(from, to)
  }
  if (readHeader(kind, stretch.bytes) === 'incomplete') return ALL
  const { bytes, chunks } = stretch
  const gave = await hearWhole(work, bytes)
  if (bytes.length > MOST_WHOLE_BYTES || chunks.length > MOST_WHOLE_CHUNKS) work.take = undefined
  return gave ? ALL : NONE
}

async function advanceFrom(work: Work, stretch: Stretch, format: Format, at: number): Promise<Useful> {
  const take = work.take!
  const { bytes, chunks } = stretch
  const expected = { ms: take.resumeMs + (take.synced ? 0 : work.ingest.lostMs), leastMs: take.resumeMs }
  const { units, rest } = format.scan(bytes, { at, ...expected, base: take.base, synced: take.synced })
  const last = units.at(-1)
  if (!last) {
    if (bytes.length > MOST_USELESS_BYTES || chunks.length > MOST_USELESS_CHUNKS) {
      work.take = { ...take, resume: { seq: chunks.at(-1)!.seq + 1, byte: 0 }, synced: false }
    }
    return (from, to) => to - Math.max(from, rest) > (to - from) * LEAST_USEFUL
  }
  const runs = runsOf(units)
  const gave = await hearUnits(work, format, bytes, runs, stretch.newFrom)
  const run = runs.at(-1)!
  const { at: resumeAt, ms, base } = run[placeBefore(run, last.ms + last.durationMs)]!
  work.take = {
    ...{ ...work.take!, resume: placeOf(stretch, resumeAt), resumeMs: ms, synced: true },
    ...(base !== undefined && { base }),
  }
  if (!gave && last.end > stretch.newFrom) return NONE
  // What is neither a unit nor may become one is garbage; a unit may reach into it, as its length stood in front.
  return (from, to) => {
    const overlap = (a: number, b: number) => Math.max(0, Math.min(to, b) - Math.max(from, a))
    // Between two units that follow each other there are headers and pictures.
    const end = (i: number) =>
      (units[i + 1]?.fresh === undefined ? units[i + 1]?.at : undefined) ?? units[i]!.end
    const pending = overlap(rest, bytes.length)
    const useful = units.reduce((sum, unit, i) => sum + overlap(unit.at, end(i)), pending)
    return useful + overlap(0, at) > (to - from) * LEAST_USEFUL
  }
}

/** Which chunks a later step may have to read again. */
function neededChunks({ chunks, headSeq, resume }: Take, posted: readonly Posted[]): Take['chunks'] {
  return [...chunks, ...posted.map(({ chunk: { seq, post } }) => ({ seq, post }))].filter(
    ({ seq }) => seq >= resume.seq || (headSeq !== undefined && seq <= headSeq),
  )
}

function placeOf({ chunks }: Stretch, at: number): Take['resume'] {
  const chunk = chunks.find(({ to }) => at < to)!
  return { seq: chunk.seq, byte: at - chunk.from }
}

async function readStretch(
  { objects }: SoundPorts,
  ref: SessionRef,
  { resume, chunks: kept }: Take,
  posted: readonly Posted[],
): Promise<Stretch> {
  const first = posted[0]!.chunk.seq
  const earlier = await readChunks(
    objects,
    ref,
    kept.filter(({ seq }) => seq >= resume.seq),
  )
  const all = [...earlier, ...posted.map(({ chunk, bytes }) => ({ seq: chunk.seq, bytes }))]
  let to = all[0]!.seq === resume.seq ? -resume.byte : 0
  const chunks = all.map(({ seq, bytes }) => {
    const from = to
    to += bytes.length
    return { seq, from, to }
  })
  const bytes = joinBytes(all.map((part) => part.bytes)).subarray(-Math.min(0, chunks[0]!.from))
  return { bytes, chunks, newFrom: chunks.find(({ seq }) => seq === first)!.from }
}

async function readHead({ ports, ref }: Work, { chunks, headSeq }: Take): Promise<Uint8Array> {
  const head = chunks.filter(({ seq }) => seq <= headSeq!)
  return joinBytes((await readChunks(ports.objects, ref, head)).map(({ bytes }) => bytes))
}

/** What was posted; chunks that are empty or gone are left out. */
async function readChunks(objects: SoundPorts['objects'], ref: SessionRef, chunks: Take['chunks']) {
  const read = await Promise.all(chunks.map((chunk) => objects.get(chunkKey(ref, chunk))))
  return chunks.flatMap(({ seq }, i) => (read[i]?.length ? [{ seq, bytes: read[i] }] : []))
}
