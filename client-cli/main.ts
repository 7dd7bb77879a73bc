import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { createClient } from './client.ts'
import type { Action } from './context.ts'
import { interruptSignal } from './interrupts.ts'
import { createOut, endQuietlyOnClosedPipe } from './out.ts'
import { createProgram, type GlobalFlags } from './program.ts'
import { reportFailure } from './report.ts'
import { Environment, resolveSettings } from './settings.ts'

// The CLI: reads the command line, runs one command, ends with its exit code.

const env = Environment.parse(process.env)
const signal = interruptSignal()
endQuietlyOnClosedPipe()

function outFor({ quiet, json }: GlobalFlags) {
  const { stdout, stderr } = process
  return createOut({
    stdout,
    stderr,
    quiet: quiet === true,
    json: json === true,
    color: env.NO_COLOR === undefined,
  })
}

/** Gives a command what it works with. Help and usage errors never come here. */
async function run(action: Action): Promise<void> {
  const flags = program.opts<GlobalFlags>()
  const settings = resolveSettings(flags, env)
  const client = createClient({ url: settings.url, token: settings.token })
  process.exitCode = await action({ out: outFor(flags), env, settings, client, signal, stdin: process.stdin })
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const program = createProgram(version, run, {
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
})

try {
  await program.parseAsync()
} catch (error) {
  // Commander has said its piece; its own exit code for a usage error would be 1.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else process.exitCode = reportFailure(outFor(program.opts()), signal.aborted ? signal.reason : error)
}
