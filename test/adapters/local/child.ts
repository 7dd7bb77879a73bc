import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach } from '@jest/globals'

const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const
const pathOf = (name: string) => join(import.meta.dirname, 'children', name)

const alive = new Set<ChildProcessWithoutNullStreams>()

/** A test that fails half-way leaves no process behind. */
afterEach(() => {
  for (const child of alive) child.kill('SIGKILL')
})

function watched(child: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
  alive.add(child)
  return child.once('close', () => alive.delete(child))
}

/** Starts one of the programs in children/ as a process of its own. */
export function startChild(name: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  return watched(spawn(NODE[0], [NODE[1], pathOf(name), ...args]))
}

/** The same, in a shell that allows no file above `blocks` of 512 bytes. */
export function startChildWithin(blocks: number, name: string, args: readonly string[]) {
  return watched(spawn('sh', ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', ...NODE, pathOf(name), ...args]))
}

/** What a child wrote until its end, line by line; fails when it failed. */
export async function linesOf(child: ChildProcessWithoutNullStreams): Promise<string[]> {
  const ended = once(child, 'close')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await ended
  if (code !== 0) throw new Error(`The child ended with ${code}: ${err}`)
  return out.split('\n').filter((line) => line !== '')
}

/** The first thing a child writes. */
export async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [line] = await once(child.stdout, 'data')
  return String(line).trim()
}

/** kill -9, and wait until it is dead. */
export async function kill(child: ChildProcessWithoutNullStreams): Promise<void> {
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
}
