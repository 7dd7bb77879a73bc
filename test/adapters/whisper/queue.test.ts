import { describe, expect, it } from '@jest/globals'
import { createQueue } from '../../../lib/adapters/whisper/queue.ts'

/** Takers by name, in the order in which they got something. */
function takers(count: number) {
  const queue = createQueue(
    Array.from({ length: count }, (_, i) => i),
    () => true,
  )
  const served: string[] = []
  const held: number[] = []
  const take = (name: string, urgent = false) => {
    void queue.take(undefined, urgent).then((thing) => {
      served.push(name)
      held.push(thing)
    })
    return settle()
  }
  const giveBack = () => {
    queue.giveBack(held.shift()!)
    return settle()
  }
  return { take, giveBack, served }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the queue of one engine', () => {
  it('serves urgent takers before the others, and each kind in its order', async () => {
    const { take, giveBack, served } = takers(1)
    await take('batch 1')
    await take('batch 2')
    await take('batch 3')
    await take('live 1', true)
    await take('live 2', true)
    for (let i = 0; i < 4; i++) await giveBack()
    expect(served).toEqual(['batch 1', 'live 1', 'live 2', 'batch 2', 'batch 3'])
  })

  it('lets nobody wait for ever', async () => {
    const { take, giveBack, served } = takers(1)
    await take('live', true)
    await take('batch')
    for (let i = 0; i < 40; i++) {
      await take('live', true)
      await giveBack()
    }
    expect(served.indexOf('batch')).toBeGreaterThan(10)
    expect(served.indexOf('batch')).toBeLessThan(30)
  })
})

describe('the queue of two engines', () => {
  it('keeps one for urgent takers while there are any', async () => {
    const { take, giveBack, served } = takers(2)
    await take('live', true)
    await giveBack()
    await take('batch 1')
    await take('batch 2')
    expect(served).toEqual(['live', 'batch 1'])
    await take('live again', true)
    expect(served).toEqual(['live', 'batch 1', 'live again'])
    await giveBack()
    expect(served).toEqual(['live', 'batch 1', 'live again'])
    await giveBack()
    expect(served).toEqual(['live', 'batch 1', 'live again', 'batch 2'])
  })

  it('lends both to the others while nobody is urgent', async () => {
    const { take, served } = takers(2)
    await take('batch 1')
    await take('batch 2')
    expect(served).toEqual(['batch 1', 'batch 2'])
  })
})
