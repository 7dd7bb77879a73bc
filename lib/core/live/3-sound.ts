import { chunkKey } from '../keys.ts'
import type { SessionRef } from '../session.ts'
import type { Order } from './2-order.ts'
import { ENOUGH_TO_LOOK, lookAt } from './container/look.ts'
import { continueTake, type Posted, type SoundPorts } from './sound/take.ts'
import type { IngestState, Take } from './state.ts'

/** Chunks that are decoded at once, when several have piled up. */
const MOST_AT_ONCE = 20
const MOST_BYTES_AT_ONCE = 8 * 1024 ** 2

/** How long a lost chunk is taken to be when none was heard before. */
const CHUNK_MS = 3_000

/**
 * Takes chunks in: their sound is decoded, put on the session's clock and stored in pieces (sound/pieces.ts); the state
 * that comes back says how far it reaches. Needs nothing but the state and the stores, and may be repeated: the same
 * step writes the same pieces. Bytes that make no sense count as broken and never fail it; only the stores may.
 *
 * A chunk that begins with a container's header begins a new take, at the end of the sound so far; any other goes on
 * with the take before. So "every chunk a whole file" and "a header in the first chunk only" are one rule. Without a
 * header, because the first chunk is lost, nothing can be decoded until one comes.
 */
export async function takeSound(
  ports: SoundPorts,
  ref: SessionRef,
  before: IngestState,
  order: Order,
): Promise<IngestState> {
  const { waitingSince: _, ...rest } = before
  let ingest: IngestState = rest
  let held: Posted[] = []
  const flush = async () => {
    if (held.length > 0 && ingest.take)
      ingest = await continueTake(ports, ref, { ...ingest, take: ingest.take }, held)
    held = []
  }
  for (const taken of order.take) {
    const bytes = 'chunk' in taken ? await ports.objects.get(chunkKey(ref, taken.chunk)) : undefined
    const seq = 'chunk' in taken ? taken.chunk.seq : taken.lost
    if (!('chunk' in taken) || !bytes) {
      await flush()
      ingest = withoutChunk(ingest, seq)
      continue
    }
    const kind = lookAt(bytes, taken.chunk.contentType, ingest.take?.kind)
    const size = held.reduce((sum, posted) => sum + posted.bytes.length, bytes.length)
    if (kind !== undefined || held.length === MOST_AT_ONCE || size > MOST_BYTES_AT_ONCE) await flush()
    ingest = withChunk(ingest, seq, bytes, kind)
    if (ingest.take && bytes.length > 0) held.push({ chunk: taken.chunk, bytes })
  }
  await flush()
  return order.waitingSince === undefined ? ingest : { ...ingest, waitingSince: order.waitingSince }
}

function withChunk(
  ingest: IngestState,
  seq: number,
  bytes: Uint8Array,
  kind: string | undefined,
): IngestState {
  const { take, ...rest } = ingest
  const counted = { ...rest, nextSeq: seq + 1, received: ingest.received + 1 }
  if (kind !== undefined) return { ...counted, take: beginning(seq, kind) }
  if (take || bytes.length === 0) return { ...counted, ...(take && { take }) }
  // Too little to tell: it may be the first bytes of a header.
  if (bytes.length < ENOUGH_TO_LOOK) return { ...counted, take: beginning(seq, '') }
  return { ...counted, broken: ingest.broken + 1 }
}

const beginning = (seq: number, kind: string): Take => ({
  ...{ firstSeq: seq, kind, resume: { seq, byte: 0 }, chunks: [], resumeMs: 0, synced: true },
})

/** Goes on behind a lost chunk. Of a take whose header has not come to its end, nothing more can be decoded. */
function withoutChunk(ingest: IngestState, seq: number): IngestState {
  const { take, ...rest } = ingest
  const lostMs = ingest.received > 0 ? ingest.lostMs + (ingest.chunkMs ?? CHUNK_MS) : 0
  const counted = { ...rest, nextSeq: seq + 1, missing: ingest.missing + 1, lostMs }
  if (take?.headSeq === undefined) return counted
  const resumeMs = take.startMs === undefined ? take.resumeMs : ingest.endMs - take.startMs
  return { ...counted, take: { ...take, resume: { seq: seq + 1, byte: 0 }, resumeMs, synced: false } }
}
