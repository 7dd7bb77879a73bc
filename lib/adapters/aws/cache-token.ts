import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { documentClient } from './clients.ts'

export interface CacheUser {
  /** Name of the serverless ElastiCache. */
  readonly cache: string
  readonly user: string
}

/** For how long a token may be used to connect; the most that ElastiCache takes. A connection then lasts 12 hours. */
const VALID_S = 900

/**
 * Logs in to an ElastiCache by the role that runs this program: the password is a request to connect, signed and
 * without its scheme, made anew for each connection.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
 */
export function cacheCredentials({ cache, user }: CacheUser) {
  return async (): Promise<{ username: string; password: string }> => {
    const { config } = documentClient()
    const signer = new SignatureV4({
      ...{ service: 'elasticache', region: config.region, credentials: config.credentials, sha256: Sha256 },
    })
    return { username: user, password: await cacheToken(signer, { cache, user }) }
  }
}

/** The token alone. `at` is for tests. */
export async function cacheToken(
  signer: SignatureV4,
  { cache, user }: CacheUser,
  at?: Date,
): Promise<string> {
  const query = { Action: 'connect', User: user, ResourceType: 'ServerlessCache' }
  const request = {
    method: 'GET',
    protocol: 'http:',
    hostname: cache,
    path: '/',
    query,
    headers: { host: cache },
  }
  const signed = await signer.presign(request, { expiresIn: VALID_S, ...(at && { signingDate: at }) })
  const pairs = Object.entries(signed.query ?? {}).map(([name, value]) => [name, String(value)])
  const text = pairs.map((pair) => pair.map((part) => encodeURIComponent(part!)).join('=')).join('&')
  return `${cache}/?${text}`
}

type Data = string | ArrayBuffer | ArrayBufferView

/** Node's SHA-256 in the form that the signer asks for. */
export class Sha256 {
  readonly #secret: Data | undefined
  #hash: Hash | Hmac

  constructor(secret?: Data) {
    this.#secret = secret
    this.#hash = this.#begin()
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(this.#secret))
  }

  update(data: Data): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    this.#hash = this.#begin()
  }
}

const bytesOf = (data: Data): Uint8Array => {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
