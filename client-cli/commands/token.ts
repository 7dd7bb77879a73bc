import { type Command, Option } from 'commander'
import { VerbatimError } from '../../lib/core/errors.ts'
import { loadAdmin } from '../admin.ts'
import type { Run } from '../context.ts'
import { UsageError } from '../failure.ts'
import { reportFailure } from '../report.ts'
import { clean, table } from '../text.ts'

/** Whose tokens: without any of these, those of the data folder. */
interface WhereFlags {
  readonly stack?: string
  readonly table?: string
  readonly region?: string
}

export function addToken(program: Command, run: Run): void {
  const token = program
    .command('token')
    .description('who may use a service: on this machine (its --data folder), or in AWS (its --stack)')
  addTokenCreate(token, run)
  addTokenList(token, run)
  addTokenRevoke(token, run)
}

function withWhere(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--stack <name>',
        'CloudFormation stack of a deployment in AWS, with AWS credentials: verbatim-dev',
      ).conflicts('table'),
    )
    .option('--table <name>', 'the same by its DynamoDB table, for who may not read the stack')
    .option('--region <name>', 'where it is (default: AWS_REGION, or the region of the AWS profile)')
}

function whereOf({ stack, table, region }: WhereFlags): WhereFlags {
  if (region !== undefined && stack === undefined && table === undefined)
    throw new UsageError('--region says where a --stack or --table is, and there is none.')
  return { ...(stack && { stack }), ...(table && { table }), ...(region && { region }) }
}

const CREATE_EXAMPLES = `
Examples:
  verbatim token create --tenant newsroom --name "Ada, laptop"
  verbatim token create --stack verbatim-prod --region eu-central-1`

function addTokenCreate(token: Command, run: Run): void {
  withWhere(token.command('create'))
    .description('make a token and print it, once')
    .option('--tenant <name>', 'whose jobs it sees: tenants do not see each other', 'default')
    .option('--name <label>', 'a label for people', 'cli')
    .addHelpText('after', CREATE_EXAMPLES)
    .action(({ tenant, name, ...where }: WhereFlags & { tenant: string; name: string }) =>
      run(async ({ out, settings }) => {
        const { createToken } = await loadAdmin()
        const made = await createToken({ data: settings.data, ...whereOf(where), tenant, name })
        if (out.wantsJson) out.json(made)
        else {
          out.data(`${made.token}\n`)
          out.say(`Token ${made.tokenId} of tenant ${made.tenant}. Keep it: it is not shown again.`)
          if (made.url) out.say(`To use it: verbatim login --url ${clean(made.url)}`)
        }
        return 0
      }),
    )
}

function addTokenList(token: Command, run: Run): void {
  withWhere(token.command('list'))
    .alias('ls')
    .description('list the tokens, without their secrets')
    .action((flags: WhereFlags) =>
      run(async ({ out, settings }) => {
        const { listTokens } = await loadAdmin()
        const tokens = await listTokens({ data: settings.data, ...whereOf(flags) })
        if (out.wantsJson) out.json({ tokens })
        else if (tokens.length === 0) out.say('No tokens.')
        else {
          const rows = tokens.map((t) => [t.tokenId, t.tenant, t.createdAt.slice(0, 10), clean(t.name)])
          out.data(table([['TOKEN', 'TENANT', 'MADE', 'NAME'], ...rows]))
        }
        return 0
      }),
    )
}

function addTokenRevoke(token: Command, run: Run): void {
  withWhere(token.command('revoke'))
    .description('end tokens: they are refused from now on')
    .argument('<tokenId...>', 'as `verbatim token list` shows them')
    .action((tokenIds: string[], flags: WhereFlags) =>
      run(async ({ out, settings }) => {
        const where = whereOf(flags)
        const { revokeToken } = await loadAdmin()
        let exit = 0
        for (const tokenId of tokenIds) {
          if (await revokeToken({ data: settings.data, tokenId, ...where })) {
            out.wantsJson ? out.json({ tokenId, revoked: true }) : out.data(`${clean(tokenId)}  revoked\n`)
            continue
          }
          const unknown = new VerbatimError('not-found', 'There is no such token.', {
            hint: '`verbatim token list` shows them; is --data the right folder, or --stack the right stack?',
          })
          exit ||= reportFailure(out, unknown, { label: tokenId, json: { tokenId } })
        }
        return exit
      }),
    )
}
