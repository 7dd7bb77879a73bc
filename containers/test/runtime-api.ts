import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

// A stand-in for Lambda's Runtime API, for one worker: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

export interface Answer {
  readonly kind: 'response' | 'error'
  readonly body: unknown
}

interface Invocation {
  readonly id: string
  readonly event: unknown
  readonly remainingMs: number
  resolve(answer: Answer): void
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return JSON.parse(Buffer.concat(pieces).toString('utf8'))
}

export async function startRuntimeApi() {
  const queued: Invocation[] = []
  const running = new Map<string, Invocation>()
  let waiting: ServerResponse | undefined
  let initError: (answer: Answer) => void = () => {}
  const failedStart = new Promise<Answer>((resolve) => {
    initError = resolve
  })

  const give = () => {
    if (!waiting || queued.length === 0) return
    const invocation = queued.shift()!
    running.set(invocation.id, invocation)
    waiting.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.id,
      'lambda-runtime-deadline-ms': String(Date.now() + invocation.remainingMs),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:worker',
      'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0',
    })
    waiting.end(JSON.stringify(invocation.event))
    waiting = undefined
  }

  const server = createServer(async (request, response) => {
    const path = request.url!.replace(/^\/2018-06-01\/runtime/, '')
    if (path === '/invocation/next') {
      waiting = response
      // A worker that is gone is not asked.
      response.once('close', () => {
        if (waiting === response) waiting = undefined
      })
      return give()
    }
    const body = await bodyOf(request)
    response.writeHead(202).end('{"status":"OK"}')
    if (path === '/init/error') return initError({ kind: 'error', body })
    const [, id, kind] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path)!
    running.get(id!)!.resolve({ kind: kind as Answer['kind'], body })
    running.delete(id!)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Fulfilled when the worker reports that its start has failed. */
    failedStart,
    /** Calls the function. */
    invoke: (event: unknown, remainingMs = 900_000): Promise<Answer> =>
      new Promise((resolve) => {
        queued.push({ id: randomUUID(), event, remainingMs, resolve })
        give()
      }),
    async stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
