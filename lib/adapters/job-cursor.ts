import * as z from 'zod'
import { VerbatimError } from '../core/errors.ts'

const Place = z.tuple([z.string(), z.int(), z.string()])

/** Where a page ended, as text that a client hands back. It holds the tenant, so that another's is noticed. */
export function encodeCursor(tenant: string, last: { createdAt: number; jobId: string }): string {
  return Buffer.from(JSON.stringify([tenant, last.createdAt, last.jobId])).toString('base64url')
}

/** Fails with `bad-request` for anything that `encodeCursor` has not made for this tenant. */
export function decodeCursor(tenant: string, cursor: string): { createdAt: number; jobId: string } {
  try {
    const [owner, createdAt, jobId] = Place.parse(
      JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')),
    )
    if (owner === tenant) return { createdAt, jobId }
  } catch {
    // Said below.
  }
  throw new VerbatimError('bad-request', 'The cursor is not valid.', {
    hint: 'Leave the cursor out to start from the newest.',
  })
}
