import type { SessionRef } from '../../core/session.ts'
import { placeText } from './job-items.ts'

// How a session lies in the table (docs/adr/0004-one-table.md):
//
// | what                   | pk                                     | sk                        | besides                     |
// |------------------------|----------------------------------------|---------------------------|-----------------------------|
// | the session            | SESSION#<tenant>#<sessionId>           | head                      | version, state, createdAt, life, body, wrote |
// | its place in the list  | SESSIONS#<tenant>                      | <createdAt>#<sessionId>   |                             |
// | that it is not CLOSED  | OPEN                                   | <tenant>#<sessionId>      |                             |
// | its last step          | SESSION#<tenant>#<sessionId>#<life>    | live                      | step (0: none), body, wrote |
// | a chunk                | …                                      | chunk#<seq>               | post, body                  |
// | a name                 | …                                      | name#<at>#<arrivedAt>#<n> | body                        |
// | a final segment        | …                                      | segment#<id>              | body                        |
//
// `life` is random and made when the session is opened. Its records lie under it, so those of a session that was removed
// can't turn up in one that is opened under the same id later, whoever was still about to write. A step has an item of
// its own beside the head, so that requests of clients and steps of workers do not meet. All have the same `ttl`.

export const OPEN = 'OPEN'

const prefix = ({ tenant, sessionId }: SessionRef) => `SESSION#${tenant}#${sessionId}`

export const headKey = (ref: SessionRef) => ({ pk: prefix(ref), sk: 'head' })

export const recordsOf = (ref: SessionRef, life: string) => `${prefix(ref)}#${life}`

export const listOf = (tenant: string) => `SESSIONS#${tenant}`

export const placeKey = ({ tenant, sessionId, createdAt }: SessionRef & { createdAt: number }) => ({
  pk: listOf(tenant),
  sk: placeText({ createdAt, jobId: sessionId }),
})

export const openKey = ({ tenant, sessionId }: SessionRef) => ({ pk: OPEN, sk: `${tenant}#${sessionId}` })

/** A tenant's name has no #. */
export function openRef(sk: string): SessionRef {
  const [tenant = '', sessionId = ''] = sk.split('#')
  return { tenant, sessionId }
}

export const LIVE = 'live'

/** Any whole number that is not negative, so that it sorts as text. */
const digits = (n: number): string => String(Math.max(0, n)).padStart(16, '0')

export const chunkText = (seq: number) => `chunk#${digits(seq)}`
export const segmentText = (id: number) => `segment#${digits(id)}`
export const nameText = (at: number) => `name#${digits(at)}`

/** Events of one moment keep the order in which this process was told of them. */
export const nameItemText = (event: { at: number; arrivedAt: number }, n: number, random: string) =>
  `${nameText(event.at)}#${digits(event.arrivedAt)}#${digits(n)}${random}`

/** After everything of its kind: no digit comes after it. */
export const endOf = (kind: 'chunk' | 'segment' | 'name') => `${kind}#~`
