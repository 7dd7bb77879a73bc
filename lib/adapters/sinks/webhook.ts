import type { Poster } from '../../core/webhooks/ports.ts'
import { guardedPost } from './guarded-request.ts'
import type { OutgoingRules } from './outgoing-rules.ts'

/** Webhooks over HTTP. Hosts in `allow` may be private; see outgoing-rules.ts. */
export const createPoster =
  ({ allow = [] }: OutgoingRules = {}): Poster =>
  (request) =>
    guardedPost(request, { allow })
