import { describe, expect, it } from '@jest/globals'
import { MACHINES, type Machine } from '../../bench/scale/machines.ts'
import { boundBy, play, type ShardTime, sequentialMs } from '../../bench/scale/play.ts'
import { byWorkers } from '../../bench/scale/table.ts'
import { drawn, stretched, Times } from '../../bench/scale/times.ts'

/** Nothing but hearing takes time, and an hour of it costs a dollar. */
const bare: Machine = {
  ...{ label: 'bare', workPerAudio: 1, passShare: 0.5 },
  ...{ startMs: 0, moreStartMs: 0, paidStartMs: 0, idleMs: 0 },
  ...{ planMsPerHour: 0, handOutMs: 0, besideMs: 0, stitchMs: 0, stitchMsPerShard: 0 },
  ...{ dollarsPerHour: 1, requestDollarsPerShard: 0 },
}
const shardsOf = (...workMs: number[]): ShardTime[] => workMs.map((ms) => ({ audioMs: ms, workMs: ms }))
const warm = { warm: true, languageKnown: true }
const cold = { warm: false, languageKnown: true }

describe('playing shards onto workers', () => {
  it.each([
    ['one worker takes all in a row', 1, 21_000],
    ['two share them as they become free', 2, 12_000],
    ['as many as there are shards take as long as the slowest', 6, 8_000],
    ['more are of no use', 60, 8_000],
  ])('%s', (_, workers, wallMs) => {
    const shards = shardsOf(4_000, 4_000, 8_000, 1_000, 2_000, 2_000)
    expect(play(bare, shards, { workers, ...warm }).wallMs).toBe(wallMs)
  })

  it('the plan comes before and the stitch after, and both take longer with more shards', () => {
    const machine = { ...bare, planMsPerHour: 3_600, handOutMs: 10, stitchMs: 500, stitchMsPerShard: 100 }
    const shards = shardsOf(50_000, 50_000)
    const { planMs, wallMs } = play(machine, shards, { workers: 2, ...warm })
    expect(planMs).toBe(100 + 2 * 10)
    expect(wallMs).toBe(planMs + 50_000 + 500 + 2 * 100)
    expect(sequentialMs(machine, shards, { workers: 1, ...warm })).toBe(100 + 100_000 + 500)
  })

  it('two votes on the language come first, where the client has not named it', () => {
    const votes = play(bare, shardsOf(1_000), { workers: 1, warm: true })
    expect(votes.planMs).toBe(2 * 0.5 * 28_000)
  })

  it('a cold worker starts before it hears, and all starts are paid for; the planner has started before', () => {
    const machine = { ...bare, startMs: 7_000, moreStartMs: 5_000, paidStartMs: 5_000 }
    const played = play(machine, shardsOf(20_000, 20_000, 20_000), { workers: 3, ...cold })
    expect(played.wallMs).toBe(7_000 + 5_000 + 20_000)
    expect(played.workerMs).toBe(60_000 + 3 * 5_000)
    expect(played.dollars).toBeCloseTo(75 / 3600)
  })

  it('a machine is paid for from its start to the end of its idle time, also where it found nothing to do', () => {
    const machine = { ...bare, startMs: 6_000, moreStartMs: 90_000, paidStartMs: 3_000, idleMs: 10_000 }
    const { used, wallMs, dollars } = play(machine, shardsOf(20_000, 20_000), { workers: 2, ...cold })
    expect([used, wallMs]).toEqual([1, 46_000])
    expect(dollars).toBeCloseTo((3 + 40 + 10 + 3 + 10) / 3600)
  })

  it('a queue lets five begin at once and five more each second', () => {
    const shards = shardsOf(...Array.from({ length: 30 }, () => 60_000))
    const { spreadMs, wallMs } = play({ ...bare, ramp: MACHINES.cpu.ramp! }, shards, {
      ...{ workers: 1000, ...warm },
    })
    expect([spreadMs, wallMs]).toEqual([5_000, 65_000])
  })
})

it.each([
  ['workers', { workers: 2 }, {}],
  ['queue ramp', { workers: 99 }, { first: 1, perMinute: 60, newPerSecond: 1_000 }],
  ['environments', { workers: 99 }, { first: 99, perMinute: 60, newPerSecond: 1 }],
  ['slowest shard', { workers: 99 }, { first: 99, perMinute: 60, newPerSecond: 1_000 }],
])('says that it is bound by: %s', (name, workers, ramp) => {
  const machine = { ...bare, ramp: { first: 99, perMinute: 60, newPerSecond: 1_000, ...ramp } }
  const shards = shardsOf(...Array.from({ length: 20 }, () => 10_000))
  expect(boundBy(machine, shards, { ...workers, ...cold })).toBe(name)
})

it('the table compares with a W-th of the time in a row', () => {
  const [head, one, two] = byWorkers(bare, shardsOf(3_000, 1_000), [1, 2], warm).split('\n')
  expect(head).toContain('of 1/W')
  expect(one?.trim().split(/ +/).slice(0, 5)).toEqual(['1', '1', '1.0', '1.00', '4.0'])
  expect(two?.trim().split(/ +/).slice(0, 5)).toEqual(['2', '2', '1.3', '1.50', '3.0'])
})

describe('the times of shards', () => {
  it('that were measured keep their differences at another speed, and are repeated up to the length', () => {
    const heard = [10_000, 30_000].map((workMs) => ({ audioMs: 600_000, workMs }))
    const shards = stretched(heard, 1, 0.5)
    expect(shards.map(({ workMs }) => workMs)).toEqual([150e3, 450e3, 150e3, 450e3, 150e3, 450e3])
  })

  it.each([
    ['no shards', { shards: [] }],
    ['a shard that took no time', { shards: [{ audioMs: 1, workMs: 0 }] }],
    ['something else', [{ audioMs: 1, workMs: 1 }]],
  ])('are not believed: %s', (_, json) => {
    expect(Times.safeParse(json).success).toBe(false)
  })

  it('that are drawn have the length of the recording, the work of the machine, and shards as the planner cuts', () => {
    const shards = drawn(MACHINES.cpu, 1, 75_000)
    const audioMs = shards.reduce((sum, shard) => sum + shard.audioMs, 0)
    const workMs = shards.reduce((sum, shard) => sum + shard.workMs, 0)
    expect(workMs / audioMs).toBeCloseTo(0.85)
    expect(audioMs / 3_600_000).toBeCloseTo(1, 1)
    expect(shards).toHaveLength(48)
    expect(drawn(MACHINES.cpu, 1, 75_000)).toEqual(shards)
    expect(drawn(MACHINES.cpu, 1, 75_000, 2)).not.toEqual(shards)
  })
})
