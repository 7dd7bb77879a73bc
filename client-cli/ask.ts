import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Context } from './context.ts'
import { UsageError } from './failure.ts'

/** Asks a question that may be answered with y. Throws UsageError where nobody can answer. */
export async function confirmed(context: Context, question: string): Promise<boolean> {
  if (!context.stdin.isTTY) throw new UsageError('There is nobody to ask.', 'Say --yes if you are sure.')
  return /^y(es)?$/i.test((await ask(context, `${question} [y/N] `, process.stderr)).trim())
}

/** Reads a secret: unseen from a terminal, else the first line of stdin. */
export async function askSecret(context: Context, question: string): Promise<string> {
  if (!context.stdin.isTTY) return (await firstLine(context.stdin)).trim()
  process.stderr.write(question)
  const silent = new Writable({ write: (_piece, _encoding, done) => done() })
  const answer = await ask(context, '', silent)
  process.stderr.write('\n')
  return answer.trim()
}

async function ask(
  { stdin, signal }: Context,
  question: string,
  output: NodeJS.WritableStream,
): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true })
  // In this mode Ctrl-C comes as a key and not as a signal.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return await lines.question(question, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    lines.close()
  }
}

async function firstLine(stream: NodeJS.ReadStream): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece)
    if (piece.includes(0x0a)) break
  }
  return Buffer.concat(pieces).toString('utf8').split('\n')[0] ?? ''
}
