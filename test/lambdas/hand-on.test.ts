import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { handOn } from '../../lambdas/aws/hand-on.ts'
import { runPump } from '../../lambdas/events/pump.ts'
import { DeliverAgain, forRecords } from '../../lambdas/events/sqs.ts'
import { createPorts, eventually, failing, type TestPorts } from '../support/ports.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const never = new AbortController().signal
const stopping = AbortSignal.abort()

/** Messages in `work`, received together as Lambda's event source does. */
async function received(...bodies: string[]) {
  for (const body of bodies) await ports.work.send(JSON.stringify(body))
  const messages = await ports.work.receive({ max: 10, visibilityMs: 3_600_000, waitMs: 0 })
  const Records = messages.map(({ messageId, receipt, body }) => ({
    messageId,
    receiptHandle: receipt,
    body,
  }))
  return { Records } as SQSEvent
}

/** Works on everything but `again …`. */
const worker = forRecords({ ...silent() }, async ({ body }) => {
  if (JSON.parse(body).startsWith('again')) throw new DeliverAgain()
})

function silent() {
  const log = { info() {}, warn() {}, error() {}, with: () => log }
  return log
}

const failedIn = ({ batchItemFailures }: SQSBatchResponse) =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)

const bodiesOf = async (queue = ports.work) =>
  (await queue.receive({ max: 10, visibilityMs: 1, waitMs: 0 })).map(({ body }) => JSON.parse(body))

describe('a message that was not done with', () => {
  it('is reported, and can be received again at once', async () => {
    const event = await received('done', 'again')
    const reply = await handOn(worker, never, { from: ports.work, to: ports.work })(event)
    expect(failedIn(reply)).toEqual([event.Records[1]!.messageId])
    expect(await bodiesOf()).toEqual(['again'])
  })

  it('goes to nobody else while its worker lives', async () => {
    const event = await received('again')
    await handOn(worker, never, { from: ports.work, to: ports.uploads })(event)
    expect(ports.pending('uploads')).toEqual([])
  })
})

describe('a message whose worker is asked to stop', () => {
  it('goes on as a new one with no delivery used up, and the old one is done', async () => {
    const event = await received('again')
    const reply = await handOn(worker, stopping, { from: ports.work, to: ports.work })(event)
    expect(failedIn(reply)).toEqual([])
    // What Lambda does with what is not reported.
    await ports.work.remove(event.Records[0]!.receiptHandle)
    const [message] = await ports.work.receive({ max: 10, visibilityMs: 1, waitMs: 0 })
    expect(message).toMatchObject({ body: '"again"', receiveCount: 1 })
    expect(message!.messageId).not.toBe(event.Records[0]!.messageId)
  })

  it('goes to the workers with more time where there are any, alone', async () => {
    const event = await received('done', 'again 1', 'again 2')
    const reply = await handOn(worker, stopping, { from: ports.work, to: ports.uploads })(event)
    expect(failedIn(reply)).toEqual([])
    expect(ports.pending('uploads').toSorted()).toEqual(['again 1', 'again 2'])
    for (const { receiptHandle } of event.Records) await ports.work.remove(receiptHandle)
    expect(ports.pending('work')).toEqual([])
  })

  it('that was done with goes nowhere', async () => {
    const event = await received('done')
    await handOn(worker, stopping, { from: ports.work, to: ports.uploads })(event)
    expect(ports.pending('uploads')).toEqual([])
  })

  it('is not lost when it cannot be sent on', async () => {
    const event = await received('again')
    const to = failing(ports.uploads, 'send', new Error('out of reach'))
    await expect(handOn(worker, stopping, { from: ports.work, to })(event)).rejects.toThrow('out of reach')
    expect(ports.pending('work')).toEqual(['again'])
  })

  it('is in one queue at the end, and in one only', async () => {
    const stop = new AbortController()
    const drain = new AbortController()
    const handler = handOn(
      forRecords(silent(), async () => {
        stop.abort()
        drain.abort()
        throw new DeliverAgain()
      }),
      drain.signal,
      { from: ports.work, to: ports.uploads },
    )
    await ports.work.send('"job"')
    await runPump({
      ...{ name: 'work', queue: ports.work, handler, lanes: 1, visibilityMs: 60_000 },
      ...{ log: silent(), stop: stop.signal },
    })
    await eventually(async () => ports.pending('work').length === 0)
    expect(ports.pending('uploads')).toEqual(['job'])
  })
})
