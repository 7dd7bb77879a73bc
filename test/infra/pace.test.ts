import { describe, expect, it } from '@jest/globals'
import { paceOf } from '../../lib/infra/pace.ts'
import { Stage, stageNamed } from '../../lib/infra/stages.ts'

const stage = (settings: object) => Stage.parse({ ...stageNamed('dev'), ...settings })

describe('what a stage knows of its speed', () => {
  it('is that of Lambda with large-v3, at the slow end of what others have measured', () => {
    expect(paceOf(stage({ cpu: { maxShardConcurrency: 40 } }))).toEqual({
      ...{ PACE_WORK_PER_AUDIO: '0.8500', PACE_WORKERS: '40', PACE_START_MS: '15000' },
      PACE_DOLLARS_PER_HOUR: '0.6000',
    })
  })

  it('is that of its machines where only GPUs hear, shared by what they work on at once', () => {
    const gpu = { instanceType: 'g6.xlarge', maxTasks: 3, jobsAtOnce: 2 }
    expect(paceOf(stage({ compute: 'gpu', gpu }))).toEqual({
      ...{ PACE_WORK_PER_AUDIO: '0.0833', PACE_WORKERS: '6', PACE_START_MS: '600000' },
      PACE_DOLLARS_PER_HOUR: '0.4024',
    })
  })

  it('is that of the CPU workers where there are both, as they hear what comes first', () => {
    expect(paceOf(stage({ compute: 'both' }))).toEqual(paceOf(stage({})))
  })

  it.each([
    ['tiny-q5_1', 39],
    ['small-q5_1', 244],
    ['medium-q5_0', 769],
    ['large-v3-turbo-q5_0', 809],
    ['large-v2-q8_0', 1550],
  ])('goes by the parameters of the model: %s has %d million', (model, millions) => {
    const { PACE_WORK_PER_AUDIO } = paceOf(stage({ cpu: { model } }))
    expect(Number(PACE_WORK_PER_AUDIO)).toBeCloseTo((0.85 * millions) / 1550, 4)
  })

  it.each([
    ['a model of somebody’s own', { cpu: { model: 'newsroom-v1' } }],
    ['a machine that nobody has measured', { compute: 'gpu', gpu: { instanceType: 'g4dn.xlarge' } }],
  ])('is nothing for %s: no estimate is better than a wrong one', (_, settings) => {
    expect(paceOf(stage(settings))).toEqual({})
  })

  it('has no price where the machine has none', () => {
    const pace = paceOf(stage({ compute: 'gpu', gpu: { instanceType: 'g6.24xlarge' } }))
    expect(pace.PACE_WORKERS).toBe('4')
    expect(pace).not.toHaveProperty('PACE_DOLLARS_PER_HOUR')
  })
})
