import { VerbatimError } from '../errors.ts'
import { DEFAULT_TENANT } from '../live/published.ts'

// Standard Webhooks, symmetric scheme v1:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

const PREFIX = 'whsec_'
/** The specification's limits for a secret. */
const LEAST_BYTES = 24
const MOST_BYTES = 64

const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const

/** Secrets as they stand in the environment: one, or several with spaces between. Fails with `internal`. */
export function parseSecrets(text: string): string[] {
  const secrets = text.split(/\s+/).filter((secret) => secret !== '')
  for (const secret of secrets) keyOf(secret)
  return secrets
}

/**
 * The secret with which a tenant's own webhooks are signed. Tenants do not share one, or each could sign in the name
 * of the others; the default tenant has the secret itself, of which the others' can be made but not the other way round.
 */
export async function tenantSecret(secret: string, tenant: string): Promise<string> {
  if (tenant === DEFAULT_TENANT) return secret
  return `${PREFIX}${toBase64(await hmac(keyOf(secret), `tenant.${tenant}`))}`
}

/** The three headers of a request. `atMs`: when it is sent, epoch ms. Without secrets nothing is signed. */
export async function webhookHeaders(
  secrets: readonly string[],
  { id, atMs, body }: { id: string; atMs: number; body: string },
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000))
  const signed = await Promise.all(
    secrets.map(async (secret) => `v1,${toBase64(await hmac(keyOf(secret), `${id}.${timestamp}.${body}`))}`),
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signed.length > 0 && { 'webhook-signature': signed.join(' ') }),
  }
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key, HMAC, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign(HMAC.name, imported, new TextEncoder().encode(text)))
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = secret.startsWith(PREFIX) ? fromBase64(secret.slice(PREFIX.length)) : undefined
  if (bytes && bytes.length >= LEAST_BYTES && bytes.length <= MOST_BYTES) return bytes
  throw new VerbatimError(
    'internal',
    `A webhook secret is ${PREFIX} and ${LEAST_BYTES} to ${MOST_BYTES} bytes in base64.`,
  )
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}
