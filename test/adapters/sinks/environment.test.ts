import { describe, expect, it } from '@jest/globals'
import { SinkEnvironment, sinkSettings } from '../../../lib/adapters/sinks/environment.ts'

const read = (variables: Record<string, string>) => sinkSettings(SinkEnvironment.parse(variables))
const SECRET = `whsec_${Buffer.alloc(24, 1).toString('base64')}`

describe('the settings of the sinks', () => {
  it('are off unless they are set', () => {
    const off = { webhooks: { secrets: [] }, outgoing: { allow: [] } }
    expect(read({})).toEqual(off)
    expect(read({ ENGINE_API_URL: '', REDIS_URL: ' ', VERBATIM_WEBHOOK_SECRET: '' })).toEqual(off)
  })

  it('are read from the environment', () => {
    const variables = {
      ...{ ENGINE_API_URL: 'http://engine:8000/api', ENGINE_API_TOKEN: 't', REDIS_URL: 'redis://cache' },
      ...{ VERBATIM_WEBHOOK_SECRET: `${SECRET} ${SECRET}`, VERBATIM_REDIS_PREFIX: 'eu:' },
      VERBATIM_WEBHOOK_ALLOW: 'a.internal, b:8080,',
    }
    expect(read(variables)).toEqual({
      webhooks: { live: { url: 'http://engine:8000/api', token: 't' }, secrets: [SECRET, SECRET] },
      outgoing: { allow: ['a.internal', 'b:8080'] },
      redis: { url: 'redis://cache', prefix: 'eu:' },
    })
  })

  it.each([
    { ENGINE_API_URL: 'engine:8000' },
    { ENGINE_API_URL: 'https://user:word@engine' },
    { ENGINE_API_URL: 'ftp://engine' },
    { VERBATIM_WEBHOOK_SECRET: 'hunter2' },
  ])('are refused when they can never work: %j', (variables) => {
    expect(() => read(variables)).toThrow(/ENGINE_API_URL|webhook secret/)
    expect(() => read(variables)).not.toThrow(/hunter2|word@/)
  })
})
