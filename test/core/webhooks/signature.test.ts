import { describe, expect, it } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { parseSecrets, tenantSecret, webhookHeaders } from '../../../lib/core/webhooks/signature.ts'

const secret = (fill: number, bytes = 32) => `whsec_${Buffer.alloc(bytes, fill).toString('base64')}`
const BODY = '{"text":"Grüße – 你好"}'

describe('the signature of a webhook', () => {
  it('is one that the library of Standard Webhooks accepts', async () => {
    const headers = await webhookHeaders([secret(1)], { id: 'msg_1', atMs: Date.now(), body: BODY })
    expect(new Webhook(secret(1)).verify(BODY, headers)).toEqual(JSON.parse(BODY))
    expect(() => new Webhook(secret(2)).verify(BODY, headers)).toThrow('No matching signature')
    expect(() => new Webhook(secret(1)).verify(BODY.replace('Grüße', 'Gruesse'), headers)).toThrow()
  })

  it('is made with every secret while they are changed', async () => {
    const secrets = parseSecrets(` ${secret(1)}  ${secret(2)}\n`)
    const headers = await webhookHeaders(secrets, { id: 'msg_1', atMs: Date.now(), body: BODY })
    for (const each of [secret(1), secret(2)]) expect(new Webhook(each).verify(BODY, headers)).toBeDefined()
  })

  it('is left out without a secret; id and time are said all the same', async () => {
    const headers = await webhookHeaders([], { id: 'msg_1', atMs: 1_763_600_000_999, body: BODY })
    expect(headers).toEqual({ 'webhook-id': 'msg_1', 'webhook-timestamp': '1763600000' })
  })

  it('has a secret of its own for each tenant, the default one having the secret itself', async () => {
    const own = await tenantSecret(secret(1), 'acme')
    expect(await tenantSecret(secret(1), 'default')).toBe(secret(1))
    expect(await tenantSecret(secret(1), 'acme')).toBe(own)
    expect(new Set([own, secret(1), await tenantSecret(secret(1), 'other')]).size).toBe(3)
    expect(parseSecrets(own)).toEqual([own])
  })

  it.each([secret(1, 23), secret(1, 65), 'whsec_', 'whsec_*', secret(1).slice(6)])(
    'is not made with %s',
    (wrong) => {
      expect(() => parseSecrets(wrong)).toThrow('A webhook secret is whsec_ and 24 to 64 bytes in base64.')
    },
  )

  it('takes secrets of 24 to 64 bytes', () => {
    expect(parseSecrets(`${secret(1, 24)} ${secret(1, 64)}`)).toHaveLength(2)
  })
})
