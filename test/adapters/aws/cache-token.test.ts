import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { SignatureV4 } from '@smithy/signature-v4'
import { cacheToken, Sha256 } from '../../../lib/adapters/aws/cache-token.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session+token/=' }
const AT = new Date('2026-11-20T12:00:00Z')
const REGION = 'eu-central-1'

const signer = new SignatureV4({ service: 'elasticache', region: REGION, credentials, sha256: Sha256 })
const token = () => cacheToken(signer, { cache: 'verbatim-prod', user: 'verbatim-prod-writer' }, AT)

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const hex = (text: string) => createHash('sha256').update(text).digest('hex')

describe('the password of an ElastiCache', () => {
  it('is a signed request to connect, without its scheme, for a quarter of an hour', async () => {
    const url = new URL(`http://${await token()}`)
    expect(url.host).toBe('verbatim-prod')
    expect(url.pathname).toBe('/')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ Action: 'connect', User: 'verbatim-prod-writer', ResourceType: 'ServerlessCache' },
      ...{ 'X-Amz-Expires': '900', 'X-Amz-Date': '20261120T120000Z', 'X-Amz-SignedHeaders': 'host' },
      'X-Amz-Credential': `AKIDEXAMPLE/20261120/${REGION}/elasticache/aws4_request`,
      'X-Amz-Security-Token': credentials.sessionToken,
    })
  })

  it('is signed as Signature Version 4 says', async () => {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, step by step
    const [, query = ''] = (await token()).split('?')
    const pairs = query.split('&')
    const signature = pairs.find((pair) => pair.startsWith('X-Amz-Signature='))!.split('=')[1]
    const canonicalQuery = pairs
      .filter((pair) => !pair.startsWith('X-Amz-Signature='))
      .sort()
      .join('&')
    const canonical = ['GET', '/', canonicalQuery, 'host:verbatim-prod', '', 'host', hex('')].join('\n')
    const scope = `20261120/${REGION}/elasticache/aws4_request`
    const toSign = ['AWS4-HMAC-SHA256', '20261120T120000Z', scope, hex(canonical)].join('\n')
    const day = hmac(`AWS4${credentials.secretAccessKey}`, '20261120')
    const key = hmac(hmac(hmac(day, REGION), 'elasticache'), 'aws4_request')
    expect(signature).toBe(hmac(key, toSign).toString('hex'))
  })
})
