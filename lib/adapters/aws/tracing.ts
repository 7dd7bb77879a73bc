import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import * as z from 'zod'
import { readEnvironment } from '../env.ts'

// Calls of the AWS SDK in the traces that Lambda begins: X-Ray's subsegments, sent to the daemon that Lambda runs beside
// a function. In place of Powertools' tracer, whose X-Ray SDK is in maintenance only and as large as all of a small
// function's own code (docs/adr/0010-operations.md). Where nobody traces, nothing is sent: an ECS task has no daemon.

const text = z.string().optional()
const Environment = z.object({ AWS_XRAY_DAEMON_ADDRESS: text, _X_AMZN_TRACE_ID: text })

type Handler = (args: never) => Promise<unknown>
/** What the SDK says of a call. */
interface Call {
  readonly clientName?: string
  readonly commandName?: string
}
type Middleware = <H extends Handler>(next: H, call: Call) => H

/** Around each attempt. Further out it would see URLs being presigned too, which calls nobody. */
const PLACE = { step: 'deserialize', priority: 'high', name: 'trace' } as const

/** A client of the AWS SDK. */
interface Client {
  readonly middlewareStack: {
    add(middleware: Middleware, options: typeof PLACE): void
  }
}

/** The client, whose calls are seen in traces from now on. Neither inputs nor outputs are: only which call, how long. */
export function traced<C extends Client>(client: C): C {
  const { AWS_XRAY_DAEMON_ADDRESS: address } = readEnvironment(Environment)
  if (address) client.middlewareStack.add(tracing(senderTo(address)), PLACE)
  return client
}

type Send = (subsegment: object) => void

/** Fields: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html */
const tracing =
  (send: Send): Middleware =>
  <H extends Handler>(next: H, { clientName = '', commandName = '' }: Call) => {
    const call = async (args: never) => {
      const trace = currentTrace()
      if (!trace) return next(args)
      const begin = Date.now()
      const end = (outcome: object) =>
        send({
          ...{ type: 'subsegment', id: randomBytes(8).toString('hex'), ...trace, ...outcome },
          ...{ name: clientName.replace(/Client$/, ''), namespace: 'aws' },
          ...{ start_time: begin / 1000, end_time: Date.now() / 1000 },
          aws: { operation: commandName.replace(/Command$/, '') },
        })
      try {
        const reply = await next(args)
        end({})
        return reply
      } catch (error) {
        end(blame(error))
        throw error
      }
    }
    return call as H
  }

/** Whose fault it is, in X-Ray's words. A condition that does not hold is an `error` too: it is how races are lost. */
function blame(error: unknown): object {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode ?? 500
  if (status === 429) return { error: true, throttle: true }
  return status < 500 ? { error: true } : { fault: true }
}

/** The trace of this invocation, if X-Ray wants it: `Root=1-…;Parent=…;Sampled=1`. */
function currentTrace(): { trace_id: string; parent_id: string } | undefined {
  const header = readEnvironment(Environment)._X_AMZN_TRACE_ID ?? ''
  const parts = new Map(header.split(';').map((part) => part.split('=', 2) as [string, string]))
  const [root, parent] = [parts.get('Root'), parts.get('Parent')]
  if (parts.get('Sampled') !== '1' || !root || !parent) return undefined
  return { trace_id: root, parent_id: parent }
}

/** One datagram each, told nobody's arrival: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html */
function senderTo(address: string): Send {
  const [host, port] = address.split(':') as [string, string]
  const socket = createSocket('udp4')
  // A trace is worth no failure, and no process lives for it.
  socket.on('error', () => {})
  socket.unref()
  return (subsegment) => {
    const document = `{"format":"json","version":1}\n${JSON.stringify(subsegment)}`
    socket.send(document, Number(port), host, () => {})
  }
}
