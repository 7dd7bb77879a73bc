import type { Command } from 'commander'
import { VerbatimError } from '../../lib/core/errors.ts'
import { loadAdmin } from '../admin.ts'
import type { Run } from '../context.ts'
import { reportFailure } from '../report.ts'
import { clean, table } from '../text.ts'

const TABLE = 'DynamoDB table of a deployment in AWS, with AWS credentials; its stack names it in the outputs'

export function addToken(program: Command, run: Run): void {
  const token = program
    .command('token')
    .description('who may use a service: on this machine (its --data folder), or in AWS (its --table)')
  token
    .command('create')
    .description('make a token and print it, once')
    .option('--tenant <name>', 'whose jobs it sees: tenants do not see each other', 'default')
    .option('--name <label>', 'a label for people', 'cli')
    .option('--table <name>', TABLE)
    .addHelpText('after', '\nExample:\n  verbatim token create --tenant newsroom --name "Ada, laptop"')
    .action((flags: { tenant: string; name: string; table?: string }) =>
      run(async ({ out, settings }) => {
        const made = await (await loadAdmin()).createToken({ data: settings.data, ...flags })
        if (out.wantsJson) out.json(made)
        else {
          out.data(`${made.token}\n`)
          out.say(`Token ${made.tokenId} of tenant ${made.tenant}. Keep it: it is not shown again.`)
        }
        return 0
      }),
    )
  addTokenList(token, run)
  addTokenRevoke(token, run)
}

function addTokenList(token: Command, run: Run): void {
  token
    .command('list')
    .alias('ls')
    .description('list the tokens, without their secrets')
    .option('--table <name>', TABLE)
    .action((flags: { table?: string }) =>
      run(async ({ out, settings }) => {
        const tokens = await (await loadAdmin()).listTokens({ data: settings.data, ...flags })
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
  token
    .command('revoke')
    .description('end tokens: they are refused from now on')
    .argument('<tokenId...>', 'as `verbatim token list` shows them')
    .option('--table <name>', TABLE)
    .action((tokenIds: string[], flags: { table?: string }) =>
      run(async ({ out, settings }) => {
        const { revokeToken } = await loadAdmin()
        let exit = 0
        for (const tokenId of tokenIds) {
          if (await revokeToken({ data: settings.data, tokenId, ...flags })) {
            out.wantsJson ? out.json({ tokenId, revoked: true }) : out.data(`${clean(tokenId)}  revoked\n`)
            continue
          }
          const unknown = new VerbatimError('not-found', 'There is no such token.', {
            hint: '`verbatim token list` shows them; is --data the right folder, or --table the right table?',
          })
          exit ||= reportFailure(out, unknown, { label: tokenId, json: { tokenId } })
        }
        return exit
      }),
    )
}
