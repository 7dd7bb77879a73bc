import { VerbatimError } from '../../core/errors.ts'
import { DEFAULT_TENANT } from '../../core/live/published.ts'
import type { SessionRef } from '../../core/session.ts'

/**
 * `segments_transcribe:<session id>`, the key that clients of the default tenant know. Other tenants have theirs in
 * front, `segments_transcribe:<tenant>/<session id>`: session ids have no slash, so no two sessions share a key.
 */
export const segmentsKey = (prefix: string, { tenant, sessionId }: SessionRef): string =>
  `${prefix}segments_transcribe:${tenant === DEFAULT_TENANT ? '' : `${tenant}/`}${sessionId}`

/** Which session the list belongs to. The braces keep both in one slot of a cluster. */
export const ownerKey = (key: string): string => `{${key}}:session`

/** Fails with `internal`: braces would move keys to other slots. */
export function checkPrefix(prefix: string): string {
  if (/^[\w.:~/-]{0,100}$/.test(prefix)) return prefix
  throw new VerbatimError('internal', 'The prefix of Redis keys has letters, digits and . _ : ~ / - only.')
}
