import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TestPorts } from '../../support/ports.ts'
import { createLongPorts } from './long-recordings.ts'
import { carryOn, endOf, type Fate, play, type Run } from './long-runs.ts'
import { AFTER, nothingElse } from './sharded.ts'

let ports: TestPorts
let whole: Run
let undisturbed: Awaited<ReturnType<typeof endOf>>
beforeAll(async () => {
  ports = await createLongPorts()
  whole = await play(ports)
  undisturbed = await endOf(ports, whole)
})
afterAll(() => ports.dispose())

describe('a recording in shards', () => {
  it('is brought to its end by workers who live', () => {
    expect(whole.outcomes).toEqual(['sharded', 'heard', 'heard', 'completed'])
    expect(undisturbed).toMatchObject({ completed: 1, told: true, inVain: 0, back: false })
    expect(undisturbed).toMatchObject({ ...AFTER.COMPLETED, ...nothingElse })
    expect(whole.calls.length).toBeGreaterThan(70)
  })
})

/** Right before the nth call of all workers its worker dies: everything it does lies between two calls. */
const dying =
  (nth: number): Fate =>
  (call, go, worker) => {
    if (call.n === nth) worker.dead = true
    return worker.dead ? Promise.reject(new Error('dead')) : go()
  }

/**
 * Right before the nth call its worker sleeps for longer than its lease. Others take what was its, and go on; when they are
 * done, nothing saved is left, and it may hear a window once more for nobody.
 */
const sleeping =
  (nth: number, deliveries: number): Fate =>
  async (call, go, _, run) => {
    if (call.n !== nth) return go()
    ports.time.now += ports.settings.leaseMs
    await carryOn(ports, run, undefined, { deliveries })
    return go()
  }

const MISHAPS: ReadonlyArray<readonly [string, (nth: number) => Fate]> = [
  ['is killed', dying],
  ['sleeps for longer than its lease, and wakes when another has gone on', (nth) => sleeping(nth, 1)],
  ['sleeps for longer than its lease, and wakes when others have gone on', (nth) => sleeping(nth, 3)],
  ['sleeps until others have brought the job to its end', (nth) => sleeping(nth, Number.POSITIVE_INFINITY)],
]

describe('a worker of a recording in shards', () => {
  it.each(MISHAPS)(
    'that %s, between any two of its steps, changes no word and leaves nothing behind',
    async (_, fate) => {
      for (const { n, name } of whole.calls) {
        const run = await play(ports, fate(n))
        const at = { n, name, outcomes: run.outcomes }
        const end = await endOf(ports, run)
        expect({ ...at, ...end }).toEqual({ ...at, ...undisturbed, inVain: fate === dying ? 0 : end.inVain })
      }
    },
    60_000,
  )
})
