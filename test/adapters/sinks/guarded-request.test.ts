import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Address, type GuardOptions, guardedPost } from '../../../lib/adapters/sinks/guarded-request.ts'
import type { OutgoingRequest } from '../../../lib/core/webhooks/ports.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.stop())

const LOOPBACK: Address = { address: '127.0.0.1', family: 4 }
/** Public by number, but nobody on the internet has a route to it. */
const PUBLIC: Address = { address: '25.25.25.25', family: 4 }

/** A resolver that gives one answer after the other, the last one for ever. */
function resolver(...answers: Address[][]) {
  const asked: string[] = []
  const resolve = async (hostname: string) => {
    asked.push(hostname)
    return answers[Math.min(asked.length, answers.length) - 1]!
  }
  return { asked, resolve }
}

const send = (over: Partial<OutgoingRequest>, options: GuardOptions = {}) =>
  guardedPost({ url: receiver.url, headers: {}, body: '{}', trusted: true, ...over }, options)

const BLOCKED = { failure: 'blocked' }

describe('a request to where somebody else has chosen', () => {
  const untrusted = (url: string, options: GuardOptions = {}) => send({ url, trusted: false }, options)

  it.each([
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.1.2.3/',
    'https://100.64.0.1/',
  ])('does not reach %s', async (url) => {
    expect(await untrusted(url)).toEqual(BLOCKED)
  })

  it.each([
    ['no TLS', 'http://hooks.test/'],
    ['another protocol', 'ftp://hooks.test/'],
    ['a file', 'file:///etc/passwd'],
    ['a user name', 'https://user@hooks.test/'],
    ['a password', 'https://:secret@hooks.test/'],
    ['the port of mail', 'https://hooks.test:25/'],
    ['the port of a remote shell', 'https://hooks.test:22/'],
    ['no URL', 'hooks.test'],
    ['nothing', ''],
  ])('is not made with %s, nor is the name looked up', async (_what, url) => {
    const { asked, resolve } = resolver([PUBLIC])
    expect(await untrusted(url, { resolve })).toEqual(BLOCKED)
    expect(asked).toEqual([])
  })

  it('is not made when one of the addresses of a name is private', async () => {
    const { resolve } = resolver([PUBLIC, { address: 'fd00::1', family: 6 }])
    expect(await untrusted('https://hooks.test/', { resolve })).toEqual(BLOCKED)
  })

  it('goes to the address that was checked, though the name means another one a moment later', async () => {
    const { asked, resolve } = resolver([PUBLIC], [LOOPBACK])
    const answer = await untrusted(`https://hooks.test:${receiver.port}/`, { resolve, timeoutMs: 300 })
    expect(['timeout', 'unreachable']).toContain((answer as { failure: string }).failure)
    expect(asked).toEqual(['hooks.test'])
    expect(receiver.requests).toEqual([])
    expect(receiver.connections()).toBe(0)
  })

  it('reaches a private host that the operator has listed, by the name that was asked for', async () => {
    const { asked, resolve } = resolver([LOOPBACK], [])
    const url = `http://hooks.test:${receiver.port}/a?b=c`
    expect(await untrusted(url, { resolve, allow: ['HOOKS.test'] })).toEqual({ status: 204 })
    expect(receiver.requests).toMatchObject([
      { method: 'POST', path: '/a?b=c', body: '{}', headers: { host: `hooks.test:${receiver.port}` } },
    ])
    expect(asked).toEqual(['hooks.test'])
  })

  it('reaches only the port that is listed with a host', async () => {
    const allow = [`127.0.0.1:${receiver.port}`]
    expect(await untrusted(receiver.url, { allow })).toEqual({ status: 204 })
    expect(await untrusted(`http://127.0.0.1:${receiver.port + 1}`, { allow })).toEqual(BLOCKED)
  })
})

describe('a request to where the operator has chosen', () => {
  it('reaches a private address without TLS', async () => {
    const headers = { authorization: 'Bearer t', 'content-type': 'application/json' }
    expect(await send({ headers, body: '["Grüße"]' })).toEqual({ status: 204 })
    expect(receiver.requests).toMatchObject([
      { headers: { ...headers, 'content-length': '11' }, body: '["Grüße"]' },
    ])
  })

  it('is refused with a password in the URL all the same', async () => {
    expect(await send({ url: receiver.url.replace('//', '//user:word@') })).toEqual(BLOCKED)
  })

  it('tries the other addresses of a name when the first is dead', async () => {
    const dead = { address: '127.0.0.2', family: 4 }
    const { resolve } = resolver([dead, LOOPBACK])
    expect(await send({ url: `http://hooks.test:${receiver.port}` }, { resolve })).toEqual({ status: 204 })
  })

  it.each([200, 302, 404, 410, 429, 500])('gives back the status %d as it is', async (status) => {
    receiver.behave((response) =>
      response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end('text'),
    )
    expect(await send({})).toEqual({ status })
    // A redirect is not followed.
    expect(receiver.requests).toHaveLength(1)
  })

  it('says how long the receiver wants to be left alone', async () => {
    receiver.behave((response) => response.writeHead(429, { 'retry-after': '17' }).end())
    expect(await send({})).toEqual({ status: 429, retryAfterMs: 17_000 })
  })

  it('reads no more than 64 KB of an answer that does not end', async () => {
    let sent = 0
    receiver.behave((response, _received, request) => {
      const more = () => {
        while (!request.socket.destroyed && sent < 50_000_000) {
          sent += 16_384
          if (!response.write(Buffer.alloc(16_384))) return void response.once('drain', more)
        }
      }
      response.on('error', () => undefined)
      response.writeHead(200)
      more()
    })
    expect(await send({})).toEqual({ status: 200 })
    // What the sockets' own buffers took in comes on top.
    expect(sent).toBeLessThan(20_000_000)
  })

  it('takes the status of an answer whose body hangs', async () => {
    receiver.behave((response) => response.writeHead(200).write('…'))
    expect(await send({}, { timeoutMs: 200 })).toEqual({ status: 200 })
  })

  it('ends when the receiver says nothing', async () => {
    receiver.behave(() => undefined)
    expect(await send({}, { timeoutMs: 200 })).toEqual({ failure: 'timeout' })
  })

  it('ends when the name is looked up for too long', async () => {
    const resolve = () => new Promise<never>(() => undefined)
    expect(await send({ url: 'http://hooks.test' }, { resolve, timeoutMs: 100 })).toEqual({
      failure: 'timeout',
    })
  })

  it.each([
    [
      'the name does not exist',
      { resolve: () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })) },
    ],
    ['the name has no address', { resolve: async () => [] }],
  ])('is unreachable when %s', async (_why, options) => {
    expect(await send({ url: 'http://hooks.test' }, options)).toEqual({ failure: 'unreachable' })
  })

  it('is unreachable when nobody listens', async () => {
    await receiver.stop()
    expect(await send({})).toEqual({ failure: 'unreachable' })
  })

  it('is unreachable when the connection breaks before the answer', async () => {
    receiver.behave((_response, _received, request) => request.socket.destroy())
    expect(await send({})).toEqual({ failure: 'unreachable' })
  })

  it('is unreachable when the receiver wants to speak another protocol', async () => {
    receiver.behave((_response, _received, request) =>
      request.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    )
    expect(await send({})).toEqual({ failure: 'unreachable' })
  })

  it('fails when TLS is asked of one who does not speak it', async () => {
    expect(await send({ url: receiver.url.replace('http:', 'https:') })).toEqual({ failure: 'tls' })
  })
})
