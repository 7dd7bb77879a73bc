import { describe, expect, it } from '@jest/globals'
import { mayPostTo } from '../../../lib/adapters/sinks/may-post.ts'

describe('a URL that a client names for webhooks', () => {
  it.each(['https://hooks.example.com/a?b=c', 'https://example.com:8443/', 'https://93.184.215.14/x'])(
    '%s is accepted',
    (url) => expect(mayPostTo(url, {})).toBe(true),
  )

  it.each([
    'http://hooks.example.com/',
    'https://user:secret@hooks.example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://localhost/',
    'https://a.localhost/',
    'https://localhost./',
    'https://hooks.example.com:25/',
    'ftp://hooks.example.com/',
    'no url',
  ])('%s is not', (url) => expect(mayPostTo(url, {})).toBe(false))

  it('may be private where the operator has listed its host', () => {
    const rules = { allow: ['127.0.0.1:9000', 'hooks.internal'] }
    expect(mayPostTo('http://127.0.0.1:9000/x', rules)).toBe(true)
    expect(mayPostTo('http://hooks.internal/', rules)).toBe(true)
    expect(mayPostTo('http://127.0.0.1:9001/x', rules)).toBe(false)
  })
})
