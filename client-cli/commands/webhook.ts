import { type Command, InvalidArgumentError, Option } from 'commander'
import { VerbatimError } from '../../lib/core/errors.ts'
import {
  DELIVERY_STATUSES,
  type DeliveryStatus,
  type DeliveryView,
} from '../../lib/core/webhooks/contract.ts'
import type { Context, Run } from '../context.ts'
import { wholeNumber } from '../parsers.ts'
import { forEachId } from '../report.ts'
import { pauseFor } from '../retry.ts'
import { clean, table } from '../text.ts'

/** The service's largest page. */
const PAGE = 100
/** So long a test is waited for. */
const TEST_MS = 20_000

export function addWebhook(program: Command, run: Run): void {
  const webhook = program
    .command('webhook')
    .description('webhooks: what was sent and how that went, send again, test')
  addLog(webhook, run)
  webhook
    .command('replay')
    .description('send webhooks again, under their own ids')
    .argument('<deliveryId...>', 'as `verbatim webhook log` shows them')
    .addHelpText('after', REPLAY_EXAMPLES)
    .action((ids: string[]) => run((context) => replay(context, ids)))
  webhook
    .command('test')
    .description('send an event of type webhook.test and say how it was taken')
    .argument('[url]', "where to (default: the operator's endpoint for all sessions)")
    .action((url: string | undefined) => run((context) => test(context, url)))
}

const REPLAY_EXAMPLES = `
Examples:
  verbatim webhook log --status failed --all --json | jq -r '.deliveries[].deliveryId' | xargs verbatim webhook replay`

function addLog(webhook: Command, run: Run): void {
  webhook
    .command('log')
    .aliases(['list', 'ls'])
    .description('list the webhooks of this token, newest first')
    .addOption(
      new Option('--status <status>', `only those in this state: ${DELIVERY_STATUSES.join(', ')}`).argParser(
        statusOf,
      ),
    )
    .addOption(new Option('--limit <n>', 'how many at most').default(20).argParser(wholeNumber(1, 1_000_000)))
    .option('--all', 'all there are')
    .action((flags: { status?: DeliveryStatus; limit: number; all?: boolean }) =>
      run((context) => log(context, flags.status, flags.all ? Number.POSITIVE_INFINITY : flags.limit)),
    )
}

async function log({ client, out, signal }: Context, status: DeliveryStatus | undefined, wanted: number) {
  const deliveries: DeliveryView[] = []
  let cursor: string | undefined
  do {
    const limit = Math.min(PAGE, wanted - deliveries.length)
    const page = await client.webhooks.list({ status, cursor, limit }, signal)
    deliveries.push(...page.deliveries)
    cursor = page.cursor
  } while (cursor !== undefined && deliveries.length < wanted)
  const more = cursor !== undefined
  if (out.wantsJson) out.json({ deliveries, more })
  else {
    out.data(deliveries.length === 0 ? '' : table([HEAD, ...deliveries.map(rowOf)]))
    if (deliveries.length === 0) out.say('No webhooks.')
    if (more) out.say(`There are more: --all, or --limit ${wanted * 5}.`)
  }
  return 0
}

const HEAD = ['WEBHOOK', 'STATUS', 'MADE', 'TRIES', 'LAST', 'ABOUT']

function rowOf(delivery: DeliveryView): string[] {
  const { deliveryId, status, createdAt, attempts, type, sessionId, segmentId, jobId } = delivery
  const made = new Date(createdAt).toLocaleString('sv').slice(0, 16)
  const about = sessionId === undefined ? jobId : `${sessionId} #${segmentId}`
  return [
    deliveryId,
    status,
    made,
    String(attempts),
    resultOf(delivery),
    clean([type, about].join(' ').trim()),
  ]
}

const resultOf = ({ reason, lastStatus, lastFailure }: DeliveryView): string =>
  [reason, lastStatus ?? lastFailure].filter((it) => it !== undefined).join(' ')

function replay({ client, out, signal }: Context, ids: string[]): Promise<number> {
  return forEachId(
    out,
    signal,
    ids,
    async (id) => {
      const delivery = await client.webhooks.replay(id, signal)
      if (out.wantsJson) out.json(delivery)
      else out.data(`${delivery.deliveryId}  ${delivery.status}\n`)
    },
    'deliveryId',
  )
}

async function test({ client, out, signal }: Context, url: string | undefined): Promise<number> {
  let delivery = await client.webhooks.test(url, signal)
  const until = Date.now() + TEST_MS
  while (delivery.status === 'PENDING' && delivery.attempts === 0 && Date.now() < until) {
    await pauseFor(300, signal)
    const { deliveryId } = delivery
    const { deliveries } = await client.webhooks.list({ limit: PAGE }, signal)
    delivery = deliveries.find((it) => it.deliveryId === deliveryId) ?? delivery
  }
  if (delivery.status !== 'DELIVERED') throw notTaken(delivery)
  if (out.wantsJson) out.json(delivery)
  else out.data(`${delivery.deliveryId}  ${delivery.status}  ${resultOf(delivery)}\n`)
  return 0
}

function notTaken({ deliveryId, attempts, lastStatus, lastFailure }: DeliveryView): VerbatimError {
  const goesOn = `It is tried again for a day: \`verbatim webhook log\` shows ${deliveryId}.`
  if (attempts === 0) return new VerbatimError('timeout', 'It has not been sent yet.', { hint: goesOn })
  const why = lastStatus === undefined ? `no answer (${lastFailure})` : `the answer was ${lastStatus}`
  return new VerbatimError('unavailable', `The receiver did not take it: ${why}.`, {
    hint: lastFailure === 'blocked' ? 'The URL must lead to a public address.' : goesOn,
  })
}

function statusOf(text: string): DeliveryStatus {
  const status = DELIVERY_STATUSES.find((one) => one === text.toUpperCase())
  if (!status) throw new InvalidArgumentError(`Choose from ${DELIVERY_STATUSES.join(', ')}.`)
  return status
}
