import { createHmac, timingSafeEqual } from 'node:crypto'
import { VerbatimError } from '../../core/errors.ts'
import type { Clock, PresignedRequest } from '../../core/ports.ts'

/** All that a URL allows; every field is signed. */
export interface Claims {
  readonly method: 'PUT' | 'GET'
  readonly key: string
  /** Epoch ms. */
  readonly expiresAt: number
  /** PUT: the exact number of bytes. */
  readonly length?: number
  /** PUT: the content type that must be sent (not for a part); GET: the one that is answered. */
  readonly type?: string
  /** GET: what the file is saved as. */
  readonly filename?: string
  /** PUT of a part. */
  readonly uploadId?: string
  readonly part?: number
}

export interface Presigner {
  sign(claims: Claims): PresignedRequest
  /** Reads the claims back from a path and query; fails with `forbidden` unless they were signed and still hold. */
  verify(method: 'PUT' | 'GET', pathAndQuery: string): Claims
}

const OBJECTS_PATH = '/objects/'

/** Parameters of the query by the claim they carry, in the order in which they are signed. */
const PARAMETERS = {
  expires: 'expiresAt',
  length: 'length',
  type: 'type',
  filename: 'filename',
  uploadId: 'uploadId',
  part: 'part',
} as const satisfies Record<string, keyof Claims>

const NAMES = Object.keys(PARAMETERS) as Array<keyof typeof PARAMETERS>

/** URLs that carry their own permission: HMAC-SHA256 over all they allow. `baseUrl` has no slash at its end. */
export function createPresigner(
  secret: Uint8Array,
  baseUrl: () => string,
  clock: Clock = Date.now,
): Presigner {
  /** The query is signed as it is written, so that there is one text for one set of claims. */
  const signatureOf = (method: string, key: string, query: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify(['v1', method, key, query]))
      .digest()

  return {
    sign(claims) {
      const { method, key, type } = claims
      const query = queryOf(claims)
      const signature = signatureOf(method, key, query).toString('base64url')
      const url = `${baseUrl()}${OBJECTS_PATH}${pathOf(key)}?${query}&signature=${signature}`
      return { url, method, headers: method === 'PUT' && type !== undefined ? { 'content-type': type } : {} }
    },

    verify(method, pathAndQuery) {
      const { key, query, signature } = split(pathAndQuery)
      const expected = signatureOf(method, key, query)
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
        throw new VerbatimError('forbidden', 'The URL does not allow this request.')
      }
      const claims = claimsOf(method, key, new URLSearchParams(query))
      if (claims.expiresAt <= clock()) {
        throw new VerbatimError('forbidden', 'The URL has expired.', {
          hint: 'Ask for a new URL: the status of the job gives new downloads, an upload is asked for again.',
        })
      }
      return claims
    },
  }
}

function queryOf(claims: Claims): string {
  const query = new URLSearchParams()
  for (const name of NAMES) {
    const value = claims[PARAMETERS[name]]
    if (value !== undefined) query.set(name, String(value))
  }
  return query.toString()
}

/** Only read after the signature was checked: this is what `queryOf` has written. */
function claimsOf(method: 'PUT' | 'GET', key: string, query: URLSearchParams): Claims {
  const number = (name: string) =>
    query.has(name) ? { [PARAMETERS[name as 'length']]: Number(query.get(name)) } : {}
  const text = (name: string) => (query.has(name) ? { [name]: query.get(name)! } : {})
  return {
    method,
    key,
    expiresAt: Number(query.get('expires')),
    ...number('length'),
    ...number('part'),
    ...text('type'),
    ...text('filename'),
    ...text('uploadId'),
  }
}

/** Each segment encoded, the slashes left. A URL cannot hold the segments . and .., whatever their encoding. */
function pathOf(key: string): string {
  const segments = key.split('/')
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new VerbatimError('bad-request', 'The object key cannot be part of a URL.')
  }
  return segments.map(encodeURIComponent).join('/')
}

function split(pathAndQuery: string): { key: string; query: string; signature: Buffer } {
  const match = /^\/objects\/([^?]+)\?(.+)&signature=([\w-]+)$/.exec(pathAndQuery)
  try {
    if (match) {
      const [, path, query, signature] = match as unknown as [string, string, string, string]
      return { key: decodeURIComponent(path), query, signature: Buffer.from(signature, 'base64url') }
    }
  } catch {
    // A broken escape: said below.
  }
  throw new VerbatimError('forbidden', 'The URL is not a signed one.')
}
