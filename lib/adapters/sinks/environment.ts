import * as z from 'zod'
import type { WebhookSettings } from '../../core/webhooks/ports.ts'
import { parseSecrets } from '../../core/webhooks/signature.ts'
import type { OutgoingRules } from './outgoing-rules.ts'

/** An empty variable counts as one that is not set. */
const text = z
  .string()
  .optional()
  .transform((value) => value?.trim() || undefined)

const isHttp = (url: string): boolean =>
  URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && !/^[a-z]+:\/\/[^/?#]*@/.test(url)

/** Where finals go besides the store. Everything is off unless it is set. */
export const SinkEnvironment = z.object({
  /** Finals are posted to `<url>/<session id>`. Set by the operator, so it may be a private address and plain http. */
  ENGINE_API_URL: text.refine((url) => url === undefined || isHttp(url), {
    error: 'not an http(s) URL without user and password',
  }),
  /** Sent there as bearer. */
  ENGINE_API_TOKEN: text,
  /** `whsec_…`; while it is changed, the new and the old one with a space between. Left out: not signed. */
  VERBATIM_WEBHOOK_SECRET: text,
  /** Hosts (`name` or `name:port`, with commas between) that webhooks of jobs may reach although they are private. */
  VERBATIM_WEBHOOK_ALLOW: text,
  /** redis:// or rediss:// */
  REDIS_URL: text,
  /** Stands in front of every key. */
  VERBATIM_REDIS_PREFIX: text,
})

export interface SinkSettings {
  readonly webhooks: WebhookSettings
  /** Where webhooks that clients ask for may go beyond the public internet. */
  readonly outgoing: OutgoingRules
  readonly redis?: { readonly url: string; readonly prefix: string }
}

/** Fails with `internal` when a secret is none; it is not repeated. */
export function sinkSettings(variables: z.infer<typeof SinkEnvironment>): SinkSettings {
  const { ENGINE_API_URL: url, ENGINE_API_TOKEN: token, REDIS_URL } = variables
  const allow = variables.VERBATIM_WEBHOOK_ALLOW?.split(',').map((host) => host.trim()) ?? []
  return {
    webhooks: {
      ...(url && { live: { url, ...(token && { token }) } }),
      secrets: parseSecrets(variables.VERBATIM_WEBHOOK_SECRET ?? ''),
    },
    outgoing: { allow: allow.filter((host) => host !== '') },
    ...(REDIS_URL && { redis: { url: REDIS_URL, prefix: variables.VERBATIM_REDIS_PREFIX ?? '' } }),
  }
}
