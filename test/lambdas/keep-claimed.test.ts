import { describe, expect, it } from '@jest/globals'
import type { SQSEvent } from 'aws-lambda'
import { keepClaimed } from '../../lambdas/aws/keep-claimed.ts'
import type { SqsHandler } from '../../lambdas/events/sqs.ts'

const event = { Records: [{ receiptHandle: 'one' }, { receiptHandle: 'two' }] } as SQSEvent
const done = { batchItemFailures: [] }

/** A queue that notes what is claimed, and for how long. */
function claims() {
  const claimed: Array<[receipt: string, ms: number]> = []
  const extend = async (receipt: string, ms: number) => {
    claimed.push([receipt, ms])
    return true
  }
  return { claimed, queue: { extend } }
}

/** Works until `claimed` has so many entries. */
const until =
  (claimed: readonly unknown[], count: number): SqsHandler =>
  async () => {
    while (claimed.length < count) await new Promise((resolve) => setTimeout(resolve, 1))
    return done
  }

describe('messages of a worker', () => {
  it('are claimed as it begins, and again for as long as it works', async () => {
    const { claimed, queue } = claims()
    const handler = keepClaimed(until(claimed, 6), queue, { visibilityMs: 3 })
    expect(await handler(event)).toEqual(done)
    expect(claimed.slice(0, 4)).toEqual([
      ['one', 3],
      ['two', 3],
      ['one', 3],
      ['two', 3],
    ])
  })

  it('are let go when it is done: nothing takes back what becomes of them next', async () => {
    const { claimed, queue } = claims()
    let underWay = 0
    const slow = {
      extend: async (receipt: string, ms: number) => {
        underWay++
        await new Promise((resolve) => setTimeout(resolve, 5))
        underWay--
        return queue.extend(receipt, ms)
      },
    }
    await keepClaimed(async () => done, slow, { visibilityMs: 3 })(event)
    expect(underWay).toBe(0)
    const count = claimed.length
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(claimed).toHaveLength(count)
  })

  it('are worked on though the queue does not answer', async () => {
    const { claimed, queue } = claims()
    let calls = 0
    const failing = {
      extend: async (receipt: string, ms: number) => {
        if (++calls <= 2) throw new Error('out of reach')
        return queue.extend(receipt, ms)
      },
    }
    expect(await keepClaimed(until(claimed, 2), failing, { visibilityMs: 3 })(event)).toEqual(done)
  })

  it('are let go too when the worker throws', async () => {
    const { claimed, queue } = claims()
    const broken: SqsHandler = async () => {
      throw new Error('broken')
    }
    await expect(keepClaimed(broken, queue, { visibilityMs: 3 })(event)).rejects.toThrow('broken')
    const count = claimed.length
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(claimed).toHaveLength(count)
  })
})
