import { describe, expect, it } from '@jest/globals'
import type { Actor, Run } from './cast.ts'
import { randomFrom } from './random.ts'
import { type Begin, explore } from './schedules.ts'

/** Adds to a variable, in two steps or in one; or only reads it. */
type Step = readonly ['add' | 'read' | 'append', string]

/** Actors that do these steps on variables of their own world, and what the world was like at the end of each run. */
function world(...lives: ReadonlyArray<readonly Step[]>) {
  const ends = new Set<string>()
  const begin: Begin = async (run) => {
    const variables: Record<string, string> = {}
    for (const [n, steps] of lives.entries()) {
      run.start(String(n), async (actor) => {
        for (const step of steps) await perform(run, actor, variables, step)
      })
    }
    return {
      idle: () => false,
      end: async () => void ends.add(JSON.stringify(Object.entries(variables).toSorted())),
    }
  }
  return { begin, ends }
}

async function perform(run: Run, actor: Actor, all: Record<string, string>, [kind, name]: Step) {
  const touch = (write: boolean) => run.touch(name, write)
  const turn = <T>(write: boolean, act: () => T) =>
    actor.turn(async () => {
      touch(write)
      return act()
    })
  const write = (before: string) => {
    all[name] = before + actor.name
  }
  if (kind === 'append') return turn(true, () => write(all[name] ?? ''))
  const read = await turn(false, () => all[name] ?? '')
  if (kind === 'add') return turn(true, () => write(read))
  // What an actor has seen is part of the world's end.
  const seen = `seen by ${actor.name}`
  all[seen] = `${all[seen] ?? ''},${read}`
}

describe('exploring', () => {
  it('runs once what has nothing to do with each other', async () => {
    const { begin } = world([['add', 'x']], [['add', 'y']], [['read', 'z']])
    expect(await explore(begin)).toEqual({ schedules: 1, alike: 0 })
  })

  it('runs all orders of steps on the same thing', async () => {
    const { begin, ends } = world([['append', 'x']], [['append', 'x']], [['append', 'x']])
    expect(await explore(begin)).toMatchObject({ schedules: 6 })
    expect(ends.size).toBe(6)
  })

  it('finds what is lost between reading and writing', async () => {
    const { begin, ends } = world([['add', 'x']], [['add', 'x']])
    await explore(begin)
    expect([...ends].toSorted()).toEqual(['0', '01', '1', '10'].map((x) => JSON.stringify([['x', x]])))
  })

  it('lets each actor die before each of its steps', async () => {
    const { begin, ends } = world(
      [
        ['append', 'x'],
        ['append', 'x'],
      ],
      [['append', 'y']],
    )
    expect(await explore(begin, { deaths: 1 })).toMatchObject({ schedules: 4 })
    expect(ends).toEqual(
      new Set(['[["x","00"],["y","1"]]', '[["y","1"]]', '[["x","0"],["y","1"]]', '[["x","00"]]']),
    )
  })

  it('tells how it came to what is wrong', async () => {
    const begin: Begin = async (run) => {
      const seen: string[] = []
      for (const name of ['a', 'b'])
        run.start(name, (actor) =>
          actor.turn(async () => {
            run.touch('x', true)
            seen.push(name)
          }),
        )
      return {
        idle: () => false,
        async end() {
          if (seen[0] === 'b') throw new Error('b was first')
        },
      }
    }
    await expect(explore(begin)).rejects.toMatchObject({
      message: 'after: step b, step a',
      cause: { message: 'b was first' },
    })
  })

  it('comes to every end that there is, whatever the actors do', async () => {
    const random = randomFrom(11)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
    const step = (): Step => [pick(['add', 'read', 'append'] as const), pick(['x', 'y'])]
    for (let round = 0; round < 12; round++) {
      const lives = Array.from({ length: 3 }, () => Array.from({ length: pick([1, 2]) }, step))
      const { begin, ends } = world(...lives)
      const deaths = round % 2
      await explore(begin, { deaths })
      // The same with everything in the way of everything: all orders are run.
      const every = world(...lives)
      await explore((run) => every.begin({ ...run, touch: () => run.touch('all', true) }), { deaths })
      expect({ lives, deaths, ends }).toEqual({ lives, deaths, ends: every.ends })
    }
  })
})
