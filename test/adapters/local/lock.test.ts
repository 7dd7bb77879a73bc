import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { lockFolder } from '../../../lib/adapters/local/lock.ts'
import { firstLine, kill, startChild } from './child.ts'
import { temporaryFolder } from './folder.ts'

describe('the lock of a data folder', () => {
  let dataDir: string
  let dispose: () => void
  beforeEach(() => {
    ;({ dataDir, dispose } = temporaryFolder())
  })
  afterEach(() => dispose())

  it('keeps a second service out, and says which process has it', async () => {
    const child = startChild('hold-lock.ts', [dataDir])
    expect(await firstLine(child)).toBe('locked')
    expect(() => lockFolder(dataDir)).toThrow(`The data folder is in use by process ${child.pid}.`)
    await kill(child)
  })

  it('is free as soon as its owner is killed', async () => {
    const child = startChild('hold-lock.ts', [dataDir])
    await firstLine(child)
    await kill(child)
    lockFolder(dataDir).release()
  })

  it('is taken once, also within a process, and can be given back', () => {
    const lock = lockFolder(dataDir)
    expect(() => lockFolder(dataDir)).toThrow(`process ${process.pid}`)
    lock.release()
    lock.release()
    lockFolder(dataDir).release()
  })

  it('goes to one of many who start at once', async () => {
    const children = Array.from({ length: 4 }, () => startChild('hold-lock.ts', [dataDir]))
    const ended = children.map((child) => new Promise((resolve) => child.once('close', resolve)))
    const winners = children.map((child) => firstLine(child))
    const winner = await Promise.race(winners)
    expect(winner).toBe('locked')
    // The three others end by themselves; the one that holds the lock does not.
    await settled(ended, 3)
    const alive = children.filter((child) => child.exitCode === null)
    expect(alive).toHaveLength(1)
    await kill(alive[0]!)
  })
})

/** Resolves when `count` of the promises have. */
function settled(promises: readonly Promise<unknown>[], count: number): Promise<void> {
  let done = 0
  return new Promise((resolve) => {
    for (const promise of promises) void promise.then(() => ++done === count && resolve())
  })
}
