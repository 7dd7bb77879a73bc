import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { StreamHandler } from '../../lambdas/api/events.ts'
import { type HttpEvent, type HttpHandler, json } from '../../lambdas/api/http.ts'
import { createLog } from '../../lib/adapters/log.ts'
import { ErrorReply } from '../../lib/core/contract.ts'
import { VerbatimError } from '../../lib/core/errors.ts'
import { ALL_ROUTES } from '../../local/http-event.ts'
import { createHttpServer, type Handlers, requestOrigin } from '../../local/http-server.ts'

// The host alone: what it makes of a request, and of what a handler answers.

let events: HttpEvent[] = []
let origins: Array<string | undefined> = []
let answer: HttpHandler
const lines: string[] = []

const handler: HttpHandler = async (event) => {
  events.push(event)
  origins.push(requestOrigin.getStore())
  return answer(event)
}
let stream: StreamHandler = async () => json(200, {})
const handlers = {
  ...Object.fromEntries(Object.keys(ALL_ROUTES).map((name) => [name, handler])),
  events: (event, options) => stream(event, options),
} as Handlers
const stop = new AbortController()
const server = createHttpServer({
  handlers,
  objects: async (_req, res) => {
    origins.push(requestOrigin.getStore())
    res.end('object')
  },
  log: createLog({ level: 'info', write: (line) => lines.push(line) }),
  stop: stop.signal,
})
let url = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  events = []
  origins = []
  lines.length = 0
  answer = async () => json(200, { ok: true })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init)

describe('a request', () => {
  it('reaches its handler as the event that an HTTP API sends', async () => {
    const reply = await ask('/jobs?status=QUEUED&cursor=a%2Bb', {
      headers: { Authorization: 'Bearer x', 'X-Two': '1, 2', 'User-Agent': 'test/1' },
    })
    expect(reply.status).toBe(200)
    expect(events).toEqual([
      {
        ...{ version: '2.0', routeKey: 'GET /jobs', rawPath: '/jobs', isBase64Encoded: false },
        rawQueryString: 'status=QUEUED&cursor=a%2Bb',
        queryStringParameters: { status: 'QUEUED', cursor: 'a+b' },
        headers: expect.objectContaining({ authorization: 'Bearer x', 'x-two': '1, 2' }),
        requestContext: expect.objectContaining({
          ...{ requestId: reply.headers.get('x-request-id'), routeKey: 'GET /jobs', stage: '$default' },
          timeEpoch: expect.any(Number),
          http: {
            ...{ method: 'GET', path: '/jobs', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
            userAgent: 'test/1',
          },
        }),
      },
    ])
  })

  it('brings its body and its path parameters along', async () => {
    await ask('/upload/a%20b/complete', { method: 'POST', body: '{"name":"Müller 会議"}' })
    expect(events[0]).toMatchObject({
      ...{ body: '{"name":"Müller 会議"}', isBase64Encoded: false },
      ...{ pathParameters: { jobId: 'a b' }, routeKey: 'POST /upload/{jobId}/complete' },
    })
  })

  it('without body, query or parameters has no such fields', async () => {
    await ask('/upload', { method: 'POST' })
    for (const field of ['body', 'queryStringParameters', 'pathParameters'])
      expect(events[0]).not.toHaveProperty(field)
  })

  it('gets the status, headers and body of its handler', async () => {
    answer = async () => ({ ...json(409, { a: 'ü' }), headers: { 'content-type': 'x/y', 'x-mine': '1' } })
    const reply = await ask('/health')
    expect([reply.status, reply.headers.get('x-mine'), reply.headers.get('content-length')]).toEqual([
      ...[409, '1', '10'],
    ])
    expect(await reply.json()).toEqual({ a: 'ü' })
  })

  it('that is answered 204 has no body', async () => {
    answer = async () => ({ statusCode: 204 })
    const reply = await ask('/jobs/x', { method: 'DELETE' })
    expect([reply.status, reply.headers.get('content-length'), await reply.text()]).toEqual([204, null, ''])
  })

  it('by HEAD is a GET whose body stays behind', async () => {
    const reply = await ask('/health', { method: 'HEAD' })
    expect([reply.status, reply.headers.get('content-length'), await reply.text()]).toEqual([200, '11', ''])
    expect(events[0]?.routeKey).toBe('GET /health')
  })

  it('is logged by route and outcome, without its path, query or headers', async () => {
    await ask('/status/S3CRET?x=S3CRET', { headers: { authorization: 'Bearer S3CRET' } })
    const logged = lines.map((line) => JSON.parse(line) as unknown)
    expect(logged).toEqual([
      expect.objectContaining({ event: 'request', route: 'status', method: 'GET', status: 200 }),
    ])
    expect(lines.join()).not.toContain('S3CRET')
  })

  it('knows under which address it was sent, for URLs that lead back', async () => {
    await ask('/health')
    await ask('/objects/x')
    expect(origins).toEqual([url, url])
  })

  it.each(['a b', 'x:y:z', 'a^b'])('with the Host %j has no address to lead back to', async (host) => {
    const reply = await raw(`GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(reply).not.toMatch(/^HTTP\/1.1 5/)
    expect(origins.every((origin) => origin === undefined || URL.canParse(origin))).toBe(true)
    expect(origins.join()).not.toContain(host)
  })
})

describe('a request that the host answers itself', () => {
  const errorOf = async (reply: Response) => {
    const body = ErrorReply.parse(await reply.json())
    expect(body.error.requestId).toBe(reply.headers.get('x-request-id'))
    expect(events).toEqual([])
    return [reply.status, body.error.code]
  }

  it.each(['/', '/nothing', '/__proto__', '/status'])('GET %s: there is no such path', async (path) => {
    expect(await errorOf(await ask(path))).toEqual([404, 'not-found'])
  })

  it('says which methods a path knows', async () => {
    const reply = await ask('/jobs/x', { method: 'PATCH' })
    expect(reply.headers.get('allow')).toBe('DELETE')
    expect(await errorOf(reply)).toEqual([405, 'method-not-allowed'])
  })

  it('refuses a path that is not properly encoded', async () => {
    expect(await errorOf(await ask('/status/%zz'))).toEqual([400, 'bad-request'])
  })

  it('refuses a body over 1 MiB', async () => {
    const reply = await ask('/upload', { method: 'POST', body: 'x'.repeat(1024 ** 2 + 1) })
    expect(await errorOf(reply)).toEqual([413, 'too-large'])
  })

  it('lets every origin ask beforehand', async () => {
    const reply = await ask('/upload', { method: 'OPTIONS', headers: { origin: 'http://web.test' } })
    expect(reply.status).toBe(204)
    expect(reply.headers.get('access-control-allow-origin')).toBe('*')
    expect(reply.headers.get('access-control-allow-methods')).toContain('DELETE')
    const allowed = reply.headers.get('access-control-allow-headers')?.split(', ')
    for (const name of ['authorization', 'x-session-id', 'x-chunk-seq', 'x-language', 'last-event-id'])
      expect(allowed).toContain(name)
    expect(events).toEqual([])
  })

  it('hides what a handler throws, and logs its place', async () => {
    answer = async () => {
      throw new Error('S3CRET')
    }
    const reply = await ask('/health')
    const body = ErrorReply.parse(await reply.json())
    expect([reply.status, body.error.code]).toEqual([500, 'internal'])
    const logged = JSON.parse(lines[0]!) as { stack: string }
    expect(logged).toMatchObject({ level: 'error', code: 'internal', requestId: body.error.requestId })
    expect(logged.stack).toMatch(/^at /)
    expect(lines.join() + JSON.stringify(body)).not.toContain('S3CRET')
  })

  it('passes on what a handler throws from the table', async () => {
    answer = async () => {
      throw new VerbatimError('unavailable', 'Starting.')
    }
    expect((await ask('/health')).status).toBe(503)
  })
})

describe('a body', () => {
  const bytes = new Uint8Array([0, 159, 146, 150, 255])
  const send = (type: string | undefined, body: Uint8Array<ArrayBuffer> = bytes) =>
    ask('/api/audio/stream', {
      method: 'POST',
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    })

  it.each([
    ['application/octet-stream'],
    ['audio/webm;codecs=opus'],
    ['application/x-www-form-urlencoded'],
    [undefined],
  ])('of type %s is handed on as base64', async (type) => {
    await send(type)
    expect(events[0]).toMatchObject({ isBase64Encoded: true })
    expect(Buffer.from(events[0]?.body ?? '', 'base64')).toEqual(Buffer.from(bytes))
  })

  it.each(['text/plain', 'application/json; charset=utf-8', 'application/xml', 'Application/JSON'])(
    'of type %s is handed on as text',
    async (type) => {
      await send(type, new TextEncoder().encode('[1]'))
      expect(events[0]).toMatchObject({ isBase64Encoded: false, body: '[1]' })
    },
  )

  it('that is a chunk may have 4 MiB, and more is told so even while it is sent', async () => {
    expect((await send('audio/webm', new Uint8Array(4 * 1024 ** 2))).status).toBe(200)
    const reply = await send('audio/webm', new Uint8Array(20 * 1024 ** 2))
    expect([reply.status, ErrorReply.parse(await reply.json()).error.code]).toEqual([413, 'too-large'])
    expect(events).toHaveLength(1)
  })

  it('that breaks off is nobody’s fault here', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(events).toEqual([])
    expect(lines.join()).not.toContain('"level":"error"')
  })
})

describe('a stream', () => {
  const path = '/api/transcriptions/a/events'
  /** How many pieces were made, and whether the maker was told of the end. */
  let made = 0
  let ended: Promise<void>

  /** A stream of pieces until it is told to end. */
  function endless(piece: string, pauseMs: number): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    ended = promise
    made = 0
    stream = async (_event, { signal }) => {
      async function* pieces() {
        try {
          while (!signal.aborted) {
            made++
            yield piece
            await new Promise((next) => setTimeout(next, pauseMs))
          }
        } finally {
          resolve()
        }
      }
      return { statusCode: 200, headers: { 'content-type': 'text/event-stream' }, body: pieces() }
    }
  }

  it('comes piece by piece, and ends for its maker when the client goes', async () => {
    endless('data: 1\n\n', 5)
    const leave = new AbortController()
    const reply = await ask(path, { signal: leave.signal })
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const { value } = await reply.body!.getReader().read()
    expect(new TextDecoder().decode(value)).toMatch(/^data: 1/)
    leave.abort()
    await ended
  })

  it('waits for a client that does not read', async () => {
    endless('x'.repeat(1024 ** 2), 0)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    let before = -1
    // Until no more is made: what the kernel's buffers hold, and not what the client could be sent for ever.
    while (made !== before || made === 0) {
      before = made
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(made).toBeLessThan(100)
    socket.destroy()
    await ended
  })

  it('is a reply like any other when there is nothing to stream', async () => {
    stream = async () => json(404, { a: 1 })
    const reply = await ask(path)
    expect([reply.status, await reply.json()]).toEqual([404, { a: 1 }])
  })

  it('has no body for HEAD', async () => {
    endless('data: 1\n\n', 5)
    const reply = await ask(path, { method: 'HEAD' })
    expect([reply.status, await reply.text()]).toEqual([200, ''])
  })

  it('whose maker fails ends, and the place of the failure is no secret', async () => {
    stream = async () => ({
      statusCode: 200,
      body: (async function* () {
        yield 'data: 1\n\n'
        throw new VerbatimError('storage-unavailable', 'S3CRET')
      })(),
    })
    expect(await (await ask(path)).text()).toBe('data: 1\n\n')
    expect(lines.join()).toContain('storage-unavailable')
    expect(lines.join()).not.toContain('S3CRET')
  })

  it('ends with the service', async () => {
    endless('data: 1\n\n', 5)
    const reply = await ask(path)
    stop.abort()
    expect(await reply.text()).toMatch(/^data: 1/)
    await ended
  })
})

/** Sends bytes as they are, which fetch would not. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    let got = ''
    socket.on('data', (piece) => {
      got += String(piece)
    })
    socket.on('close', () => resolve(got))
    socket.on('error', reject)
  })
}
