import * as z from 'zod'
import { Chunk } from '../session.ts'
import { Word } from '../transcript/shape.ts'
import { LiveSegment } from './segment.ts'

// What a worker knows of a session between two steps. It is stored whole, together with the segments of the step, by
// one conditional write: a step has happened or it has not. Times are ms on the session's clock unless said otherwise.

/** A run of chunks that are one stream of bytes: it begins with a container's header, or it is raw PCM. */
export const Take = z.object({
  /** The chunk that begins it. */
  firstSeq: z.int(),
  /** What it is (container/look.ts); empty while there are too few bytes to tell. */
  kind: z.string(),
  /** The chunks that may be read again: those of the header, and those from `resume` on. */
  chunks: z.array(Chunk.pick({ seq: true, post: true })),
  /** The chunk in which its header ends; left out while it has not ended. */
  headSeq: z.int().optional(),
  /** Where the next decoding begins to read: a chunk, and a byte in it. */
  resume: z.object({ seq: z.int(), byte: z.int() }),
  /** The take's time at `resume`, ms from the take's beginning. */
  resumeMs: z.number(),
  /** WebM: the cluster's time at `resume`. */
  base: z.number().optional(),
  /** Something that can be decoded begins exactly at `resume`; not so after a loss. */
  synced: z.boolean(),
  /** Session time of the take's beginning; left out before its first sound. May be before 0, or move. */
  startMs: z.number().optional(),
})
export type Take = z.infer<typeof Take>

/** Ingest: which chunks are in, and the sound they gave. */
export const IngestState = z.object({
  /** The next chunk to be taken in. */
  nextSeq: z.int(),
  /** Since when `nextSeq` has been missing while later chunks are here, epoch ms. */
  waitingSince: z.int().optional(),
  take: Take.optional(),
  /** Sound there is, silence for what was lost included. */
  endMs: z.int(),
  /** Pieces of PCM in the object store that reach back a minute, oldest first. */
  pieces: z.array(z.object({ startMs: z.int(), endMs: z.int() })),
  /** How much sound the last chunk held: the guess for one that is lost. */
  chunkMs: z.number().optional(),
  /** Sound that is believed lost since `endMs`: silence, unless the container knows better. */
  lostMs: z.number(),
  /** Epoch ms of the session clock's 0, as far as arrivals tell: the least of (arrival − end of the chunk's sound). */
  zeroAt: z.int().optional(),
  /** Chunks taken in, given up as lost, and that gave no sound though they had bytes. */
  received: z.int(),
  missing: z.int(),
  broken: z.int(),
})
export type IngestState = z.infer<typeof IngestState>

/** Hearing: how far the words are settled. */
export const HearingState = z.object({
  /** End of the last final word, or later where silence follows: nothing before is heard again. */
  settledMs: z.int(),
  /** The last final words, for seams. */
  tail: z.array(Word),
  /** What the last request heard from `settledMs` on. */
  previous: z.array(Word),
  /** No window begins before: what lies between here and `settledMs` may be heard once more, for its context. */
  fromMs: z.int(),
  /** How often the sound up to `heardMs` was heard and not well enough; 0 when no further hearing of it is wanted. */
  attempts: z.int(),
  /** The next request takes the engine's full effort, because a guard fired. */
  careful: z.boolean(),
  /** End of the window of the last request. */
  heardMs: z.int(),
  /** Since when (session time) no word has been settled although words are heard. */
  unsettledSinceMs: z.int().optional(),
  /** End of the last word that was heard at all, settled or not. */
  lastWordMs: z.int(),
  /** The last final text, up to 200 characters: context for the engine. Empty after silence or when a guard fired. */
  context: z.string(),
})
export type HearingState = z.infer<typeof HearingState>

export const LiveState = z.object({
  /** How many steps have been written. */
  step: z.int(),
  /** When the last was, epoch ms. */
  at: z.int(),
  ingest: IngestState,
  hearing: HearingState,
  language: z.object({ code: z.string(), detected: z.boolean() }).optional(),
  /** Id of the next final segment; those before it are stored. */
  nextSegment: z.int(),
  /** Finals before this one go to the sinks; those from it on may still get the name that is on its way. */
  settledSegment: z.int(),
  /** Goes up whenever a segment or a draft changes: what clients that wait for changes compare. */
  change: z.int(),
  /** Goes up whenever a final that clients may have seen already has changed. */
  revisions: z.int(),
  drafts: z.array(LiveSegment),
  /** By sink: the id of the first final that it has not taken over, as far as is known. */
  published: z.record(z.string(), z.int()),
  /** Nothing is to come: all sound is heard and every word final. */
  done: z.boolean(),
  /** How many steps in a row have failed for a passing reason. */
  failures: z.int(),
})
export type LiveState = z.infer<typeof LiveState>

export const BEGINNING: LiveState = {
  step: 0,
  at: 0,
  ingest: { nextSeq: 0, endMs: 0, pieces: [], lostMs: 0, received: 0, missing: 0, broken: 0 },
  hearing: {
    settledMs: 0,
    tail: [],
    previous: [],
    fromMs: 0,
    attempts: 0,
    careful: false,
    heardMs: 0,
    lastWordMs: 0,
    context: '',
  },
  nextSegment: 0,
  settledSegment: 0,
  change: 0,
  revisions: 0,
  drafts: [],
  published: {},
  done: false,
  failures: 0,
}
