import { type Command, Option } from 'commander'
import { ERRORS } from '../../lib/core/errors.ts'
import { type Finding, loadAdmin } from '../admin.ts'
import type { Context, Run } from '../context.ts'
import { failureOf } from '../failure.ts'
import { wholeNumber } from '../parsers.ts'

interface Flags {
  readonly port?: number
  readonly model?: string
}

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('say what a service on this machine lacks, and whether the one at --url answers')
    .addOption(new Option('--port <n>', 'port the service is to use').argParser(wholeNumber(1, 65_535)))
    .option('--model <name>', 'model the service is to use')
    .action((flags: Flags) => run((context) => doctor(context, flags)))
}

async function doctor(context: Context, flags: Flags): Promise<number> {
  const { out, settings } = context
  const local = await (await loadAdmin()).doctor({ data: settings.data, ...flags })
  const findings = [...local, await askHealth(context), await tryToken(context)]
  if (out.wantsJson) out.json({ ok: findings.every(({ ok }) => ok !== false), findings })
  else for (const finding of findings) out.data(`${lineOf(context, finding)}\n`)
  return findings.some(({ ok }) => ok === false) ? ERRORS['engine-missing'].exit : 0
}

function lineOf({ out }: Context, { check, ok, found, fix }: Finding): string {
  const mark = ok === true ? '✓' : ok === 'warning' ? '!' : '✗'
  const style = ok === true ? 'green' : ok === 'warning' ? 'yellow' : 'red'
  const shown = out.stdoutIsTty ? out.paint(style, mark) : mark
  return `${shown} ${check}${found ? `: ${found}` : ''}${ok !== true && fix ? `\n    ${fix}` : ''}`
}

/** A service that does not run is no fault of the machine: a warning. */
async function askHealth({ client, settings, signal }: Context): Promise<Finding> {
  const check = `service at ${new URL(settings.url).host}`
  try {
    const { version, model } = await client.health(signal)
    return { check, ok: true, found: `version ${version}, model ${model}` }
  } catch (error) {
    signal.throwIfAborted()
    return { check, ok: 'warning', found: failureOf(error).message, fix: '`npm start` runs one here.' }
  }
}

async function tryToken({ client, settings, signal }: Context): Promise<Finding> {
  const check = 'token'
  if (settings.token === undefined) {
    const fix = 'Give one: --token, VERBATIM_TOKEN or `verbatim login`; `npm start` leaves one in its folder.'
    return { check, ok: 'warning', found: 'none', fix }
  }
  try {
    await client.list({ limit: 1 }, signal)
    return { check, ok: true, found: 'accepted' }
  } catch (error) {
    signal.throwIfAborted()
    const { code, message, hint } = failureOf(error)
    return {
      check,
      ok: 'warning',
      found: code === 'network' ? 'not tried' : message,
      ...(hint && { fix: hint }),
    }
  }
}
