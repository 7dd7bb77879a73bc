import { describe, expect, it } from '@jest/globals'
import { explore } from '../../support/schedules.ts'
import { begin, type Scene } from './sharded-system.ts'

// In every one of these schedules the job becomes COMPLETED, once, by one who joins alone, with all its words; whoever
// waits for it is told, and nothing is left behind. No message is delivered more than a few times.

/** How many schedules there are, about; less than half of that, and the test no longer sees what it should. */
const SCENES: ReadonlyArray<readonly [string, Scene & { deaths?: number }, number]> = [
  ['two workers, while their messages are still being sent', { lengths: [10, 20], sent: false }, 2800],
  ['three workers', { lengths: [10, 20, 30], sent: true }, 1770],
  ['a worker that gets its message twice', { lengths: [10], sent: true, twice: true }, 190],
  [
    'two workers, one of which stands still for longer than its lease',
    { lengths: [10, 20], sent: true, pause: true },
    418,
  ],
  [
    'a planner and a worker, one of which stands still for longer than its lease',
    { lengths: [10], sent: false, pause: true },
    839,
  ],
  [
    'a planner and the worker of the last shard, one of which dies',
    { lengths: [10], sent: false, deaths: 1 },
    1378,
  ],
  ['two workers, one of which dies', { lengths: [10, 20], sent: true, deaths: 1 }, 580],
]

describe('in every order of their steps', () => {
  it.each(SCENES)(
    '%s bring the job to one good end',
    async (_, { deaths = 0, ...scene }, about) => {
      const { schedules } = await explore(begin(scene), { deaths })
      expect(schedules).toBeGreaterThan(about / 2)
    },
    60_000,
  )
})
