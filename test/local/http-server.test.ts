import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type HttpEvent, type HttpHandler, json } from '../../lambdas/api/http.ts'
import { ROUTES, type RouteName } from '../../lambdas/api/routes.ts'
import { createLog } from '../../lib/adapters/log.ts'
import { ErrorReply } from '../../lib/core/contract.ts'
import { VerbatimError } from '../../lib/core/errors.ts'
import { createHttpServer, requestOrigin } from '../../local/http-server.ts'

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
const handlers = Object.fromEntries(Object.keys(ROUTES).map((name) => [name, handler])) as Record<
  RouteName,
  HttpHandler
>
const server = createHttpServer({
  handlers,
  objects: async (_req, res) => {
    origins.push(requestOrigin.getStore())
    res.end('object')
  },
  log: createLog({ level: 'info', write: (line) => lines.push(line) }),
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
    expect(reply.headers.get('access-control-allow-headers')).toContain('authorization')
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
