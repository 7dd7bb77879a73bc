import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TokenRecord, TokenStore } from '../../lib/core/ports.ts'

const sampleToken = (): TokenRecord => ({
  tokenId: randomUUID(),
  tenant: 'acme',
  name: 'Jürgens Laptop',
  salt: '00ff',
  hash: 'ab'.repeat(32),
  createdAt: 1_700_000_000_000,
})

/** What every TokenStore must do. */
export function describeTokenStore(
  name: string,
  make: () => Promise<{ tokens: TokenStore; dispose(): Promise<void> }>,
): void {
  describe(`TokenStore: ${name}`, () => {
    let tokens: TokenStore
    let dispose: () => Promise<void>
    beforeAll(async () => {
      ;({ tokens, dispose } = await make())
    })
    afterAll(() => dispose())

    it('gives a record back as it was stored', async () => {
      const record = sampleToken()
      await tokens.put(record)
      expect(await tokens.get(record.tokenId)).toEqual(record)
    })

    it('does not know an id that never was', async () => {
      expect(await tokens.get(randomUUID())).toBeUndefined()
      expect(await tokens.remove(randomUUID())).toBe(false)
    })

    it('lists every record', async () => {
      const records = [sampleToken(), sampleToken()]
      for (const record of records) await tokens.put(record)
      expect(await tokens.list()).toEqual(expect.arrayContaining(records))
    })

    it('forgets a removed record', async () => {
      const record = sampleToken()
      await tokens.put(record)
      expect(await tokens.remove(record.tokenId)).toBe(true)
      expect(await tokens.get(record.tokenId)).toBeUndefined()
      expect(await tokens.list()).not.toContainEqual(record)
    })
  })
}
