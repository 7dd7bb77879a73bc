import type { Command } from 'commander'
import { askSecret } from '../ask.ts'
import { createClient } from '../client.ts'
import type { Context, Run } from '../context.ts'
import { UsageError } from '../failure.ts'
import { writeConfig } from '../settings.ts'

export function addLogin(program: Command, run: Run): void {
  program
    .command('login')
    .description('keep URL and token for later calls, after trying them')
    .addHelpText('after', EXAMPLES)
    .action((_flags: unknown, command: Command) => {
      const { token } = command.optsWithGlobals<{ token?: string }>()
      return run((context) => login(context, token))
    })
}

const EXAMPLES = `
The token is asked for, or read from stdin, unless --token gives it.

Examples:
  verbatim login --url https://verbatim.example.com
  verbatim login --url https://verbatim.example.com < token.txt`

async function login(context: Context, given: string | undefined): Promise<number> {
  const { env, out, settings, signal } = context
  const token = given ?? (await askSecret(context, 'Token: '))
  if (!token) throw new UsageError('No token was given.')
  await createClient({ url: settings.url, token }).list({ limit: 1 }, signal)
  const path = writeConfig(env, { url: settings.url, token })
  if (out.wantsJson) out.json({ url: settings.url, config: path })
  else out.say(`Kept in ${path}.`)
  return 0
}
