import { type ChildProcess, spawn } from 'node:child_process'
import { childEnv } from '../env.ts'

/**
 * Keeps a watcher beside the program: it reads from a pipe that we hold open, and when the pipe ends, because we
 * are gone by whatever cause, kill -9 included, it kills the program. `exec` makes the shell's process the
 * program's own, so that its id and its end are seen directly. No core dumps: they would hold what was said.
 */
const SCRIPT = `
ulimit -c 0
exec 3<&0
( read -r _ <&3; kill -9 $$ ) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null
`

/**
 * Starts a program that cannot outlive this process. It has a process group of its own, so that Ctrl-C reaches us
 * alone and we end it when its work is done.
 */
export function spawnGuarded(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): ChildProcess {
  return spawn('/bin/sh', ['-c', SCRIPT, 'sh', program, ...args], {
    cwd: options.cwd,
    env: childEnv(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
}
