import * as z from 'zod'
import { Word } from '../transcript/shape.ts'

/** A caption of a session. Times are ms on the session's clock, which begins with its first sound. */
export const LiveSegment = z.object({
  /** Its place in the session, from 0; a draft has the id that its final will have. */
  id: z.int(),
  startMs: z.int(),
  endMs: z.int(),
  text: z.string(),
  /** Left out: nobody knows, or several spoke at once. */
  speaker: z.string().optional(),
  words: z.array(Word),
  /** Drafts may change with every step; finals change by revision only. */
  final: z.boolean(),
  /** 1 when it became final; more when a late name or the second hearing changed it. */
  revision: z.int(),
})
export type LiveSegment = z.infer<typeof LiveSegment>
