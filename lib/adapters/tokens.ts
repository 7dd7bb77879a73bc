import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { VerbatimError } from '../core/errors.ts'
import { Tenant } from '../core/job.ts'
import type { Clock, TokenRecord, TokenStore } from '../core/ports.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 62^43 > 2^256: nobody guesses it, so a fast hash is enough; a slow one is for what people can remember. */
const SECRET_LENGTH = 43
const ID_LENGTH = 12

const TOKEN = new RegExp(`^vb_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})$`)

/** Makes a token for a tenant. It is shown once: the store keeps a salted SHA-256. `bad-request` for a bad tenant. */
export async function issueToken(
  { tokens, clock }: { tokens: TokenStore; clock: Clock },
  tenant: string,
  name: string,
): Promise<{ token: string; record: TokenRecord }> {
  if (!Tenant.safeParse(tenant).success) {
    throw new VerbatimError(
      'bad-request',
      'The tenant needs lower-case letters, digits and dashes, at most 63.',
    )
  }
  const tokenId = randomText(ID_LENGTH)
  const secret = randomText(SECRET_LENGTH)
  const salt = randomBytes(16).toString('hex')
  const hash = digest(salt, secret).toString('hex')
  const record: TokenRecord = { tokenId, tenant, name, salt, hash, createdAt: clock() }
  await tokens.put(record)
  return { token: `vb_${tokenId}_${secret}`, record }
}

/** Whose token it is; undefined for anything that is not a token in the store. */
export async function verifyToken(
  tokens: TokenStore,
  presented: string,
): Promise<{ tenant: string; tokenId: string } | undefined> {
  const [, tokenId, secret] = TOKEN.exec(presented) ?? []
  if (tokenId === undefined || secret === undefined) return undefined
  const record = await tokens.get(tokenId)
  if (!record) return undefined
  const expected = Buffer.from(record.hash, 'hex')
  const actual = digest(record.salt, secret)
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return undefined
  return { tenant: record.tenant, tokenId }
}

const randomText = (length: number): string =>
  Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

const digest = (salt: string, secret: string): Buffer =>
  createHash('sha256').update(Buffer.from(salt, 'hex')).update(secret).digest()
