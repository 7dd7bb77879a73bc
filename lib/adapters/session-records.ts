import type * as z from 'zod'
import { VerbatimError } from '../core/errors.ts'
import { LiveSegment } from '../core/live/segment.ts'
import { LiveState } from '../core/live/state.ts'
import { Chunk, Session, type SessionRef, SpeakerEvent } from '../core/session.ts'
import { decodeCursor, encodeCursor } from './job-cursor.ts'

// What the session stores of one machine and of AWS have in common: records are stored as JSON, and checked when read.

/** The port's limit of one step: 100 items fit into a transaction of DynamoDB. */
const MOST_SEGMENTS = 90

export function checkStep(segments: readonly LiveSegment[]): void {
  if (segments.length <= MOST_SEGMENTS) return
  throw new VerbatimError('internal', 'Too many segments for one step.')
}

/** A record that does not fit the schema is a fault of ours, never something to guess at. */
function reader<T>(schema: z.ZodType<T>, name: string): (body: unknown) => T {
  return (body) => {
    try {
      return schema.parse(JSON.parse(String(body)))
    } catch (cause) {
      // The cause names fields and codes; the values stay in the store.
      throw new VerbatimError('internal', `A stored ${name} cannot be read.`, { cause })
    }
  }
}

export const readSession = reader(Session, 'session')
export const readChunk = reader(Chunk, 'chunk')
export const readSpeaker = reader(SpeakerEvent, 'speaker event')
export const readLive = reader(LiveState, 'step of a session')
export const readSegment = reader(LiveSegment, 'segment')

export const unknownSession = () => new VerbatimError('unknown-session', 'There is no such session.')

/** Where a page of sessions ended, for its tenant only. Fails with `bad-request` as the list of jobs does. */
export function sessionAfter(tenant: string, cursor: string): { createdAt: number; sessionId: string } {
  const { createdAt, jobId: sessionId } = decodeCursor(tenant, cursor)
  return { createdAt, sessionId }
}

export const sessionCursor = ({ tenant, createdAt, sessionId }: SessionRef & { createdAt: number }): string =>
  encodeCursor(tenant, { createdAt, jobId: sessionId })
