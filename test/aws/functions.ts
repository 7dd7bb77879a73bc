import { once } from 'node:events'
import { createInterface } from 'node:readline'

// A stand-in for Lambda's runtime, run as a process of its own: loads functions by the names of their entry files and
// calls them. A line in, `{id, name, event, remainingMs}`; a line out, `{id, reply}` or `{id, error}`.

interface Call {
  readonly id: number
  readonly name: string
  readonly event: unknown
  readonly remainingMs: number
}

type Handler = (event: unknown, context: { getRemainingTimeInMillis(): number }) => Promise<unknown>

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
