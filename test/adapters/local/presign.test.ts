import { statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createPresigner } from '../../../lib/adapters/local/presign.ts'
import { loadSecret } from '../../../lib/adapters/local/secret.ts'
import { temporaryFolder } from './folder.ts'

const presigner = createPresigner(
  Buffer.alloc(32, 1),
  () => 'https://host',
  () => 1000,
)
const pathOf = ({ url }: { url: string }) => url.slice('https://host'.length)

describe('a presigned URL', () => {
  it.each([
    { method: 'PUT', key: 'a b/ü?#%&', expiresAt: 2000, length: 12, type: 'audio/wav; x="a&b"' },
    { method: 'PUT', key: 'k', expiresAt: 2000, length: 0, uploadId: 'u', part: 3 },
    { method: 'GET', key: 'k', expiresAt: 2000, type: 'text/vtt', filename: '&signature=x ü.vtt' },
  ] as const)('carries its claims: %j', (claims) => {
    expect(presigner.verify(claims.method, pathOf(presigner.sign(claims)))).toEqual(claims)
  })

  it('is worth nothing with another key', () => {
    const signed = presigner.sign({ method: 'GET', key: 'k', expiresAt: 2000 })
    const other = createPresigner(
      Buffer.alloc(32, 2),
      () => 'https://host',
      () => 1000,
    )
    expect(() => other.verify('GET', pathOf(signed))).toThrow('does not allow')
  })

  it('holds until the moment it names', () => {
    const at = (expiresAt: number) => pathOf(presigner.sign({ method: 'GET', key: 'k', expiresAt }))
    expect(presigner.verify('GET', at(1001))).toMatchObject({ expiresAt: 1001 })
    expect(() => presigner.verify('GET', at(1000))).toThrow('expired')
  })
})

describe('the key that signs URLs', () => {
  it('is made once, for its owner alone', () => {
    const { dataDir, dispose } = temporaryFolder()
    const secret = loadSecret(dataDir)
    expect(secret).toHaveLength(32)
    expect(loadSecret(dataDir).equals(secret)).toBe(true)
    expect(statSync(join(dataDir, 'url-secret')).mode & 0o777).toBe(0o600)
    dispose()
  })

  it('is not used when it is damaged', () => {
    const { dataDir, dispose } = temporaryFolder()
    loadSecret(dataDir)
    truncateSync(join(dataDir, 'url-secret'), 0)
    expect(() => loadSecret(dataDir)).toThrow('damaged')
    dispose()
  })
})
