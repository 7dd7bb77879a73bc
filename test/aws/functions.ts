import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'

// A stand-in for Lambda's runtime, run as a process of its own: loads functions by the names of their entry files and
// calls them. A line in, `{id, name, event, remainingMs}`; a line out, `{id, reply}` or `{id, error}`.

interface Call {
  readonly id: number
  readonly name: string
  readonly event: unknown
  readonly remainingMs: number
}

type Handler = (event: unknown, context: { getRemainingTimeInMillis(): number }) => Promise<unknown>

// What Lambda's Node runtime has for functions whose reply is streamed; here it is gathered and sent whole. As there, the
// head goes out with the first write.
let head: object | undefined
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse:
      (handler: (...args: unknown[]) => Promise<void>) => async (event: unknown, context: unknown) => {
        const stream = new PassThrough()
        const written = text(stream)
        head = undefined
        await handler(event, stream, context)
        return { ...(head ?? { statusCode: 200 }), body: await written }
      },
    HttpResponseStream: {
      from(stream: PassThrough, prelude: object) {
        const write = stream.write.bind(stream)
        const first = (...args: Parameters<typeof write>) => {
          head = prelude
          return write(...args)
        }
        return Object.assign(stream, { write: first })
      },
    },
  },
})

const handlers = new Map<string, Handler>()
for (const name of process.argv.slice(2)) {
  const entry = new URL(`../../lambdas/aws/${name}.ts`, import.meta.url)
  handlers.set(name, (await import(entry.href)).handler)
}

async function answer({ id, name, event, remainingMs }: Call): Promise<void> {
  const end = Date.now() + remainingMs
  const context = { getRemainingTimeInMillis: () => end - Date.now() }
  const outcome = await handlers.get(name)!(event, context).then(
    (reply) => ({ id, reply }),
    (error: unknown) => ({ id, error: String(error) }),
  )
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}

process.stdout.write('"ready"\n')
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => void answer(JSON.parse(line)))
await once(lines, 'close')
process.exit(0)
