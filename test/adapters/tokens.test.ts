import { describe, expect, it } from '@jest/globals'
import { createTokenStore } from '../../lib/adapters/local/token-store.ts'
import { issueToken, verifyToken } from '../../lib/adapters/tokens.ts'
import { temporaryDatabase } from './local/folder.ts'

async function withStore(use: (tokens: ReturnType<typeof createTokenStore>) => Promise<void>): Promise<void> {
  const { db, dispose } = temporaryDatabase()
  await use(createTokenStore(db))
  await dispose()
}

const clock = () => 1_700_000_000_000

describe('a token', () => {
  it('says whose it is', () =>
    withStore(async (tokens) => {
      const { token, record } = await issueToken({ tokens, clock }, 'acme', 'laptop')
      expect(token).toMatch(/^vb_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/)
      expect(await verifyToken(tokens, token)).toEqual({ tenant: 'acme', tokenId: record.tokenId })
      expect(record).toMatchObject({ name: 'laptop', createdAt: clock() })
    }))

  it('is not kept: the record does not hold its secret', () =>
    withStore(async (tokens) => {
      const { token } = await issueToken({ tokens, clock }, 'acme', 'laptop')
      expect(JSON.stringify(await tokens.list())).not.toContain(token.split('_')[2])
    }))

  it('is worth nothing once it is removed', () =>
    withStore(async (tokens) => {
      const { token, record } = await issueToken({ tokens, clock }, 'acme', 'laptop')
      await tokens.remove(record.tokenId)
      expect(await verifyToken(tokens, token)).toBeUndefined()
    }))

  it('does not open with the secret of another, or with anything else', () =>
    withStore(async (tokens) => {
      const one = (await issueToken({ tokens, clock }, 'acme', 'one')).token
      const two = (await issueToken({ tokens, clock }, 'acme', 'two')).token
      const [, id] = one.split('_')
      const swapped = `vb_${id}_${two.split('_')[2]}`
      const wrong = [
        '',
        'vb_',
        'vb__',
        swapped,
        one.slice(0, -1),
        `${one}x`,
        `${one}\n`,
        ` ${one}`,
        '_'.repeat(1e6),
        '🎙',
      ]
      for (const presented of wrong) expect(await verifyToken(tokens, presented)).toBeUndefined()
    }))

  it('does not open when its record is damaged', () =>
    withStore(async (tokens) => {
      const { token, record } = await issueToken({ tokens, clock }, 'acme', 'one')
      await tokens.put({ ...record, hash: '' })
      expect(await verifyToken(tokens, token)).toBeUndefined()
    }))

  it('is not made for a tenant whose name could climb out of a key', () =>
    withStore(async (tokens) => {
      for (const tenant of ['', '../x', 'A', 'a/b']) {
        await expect(issueToken({ tokens, clock }, tenant, 'x')).rejects.toMatchObject({
          code: 'bad-request',
        })
      }
      expect(await tokens.list()).toEqual([])
    }))
})
