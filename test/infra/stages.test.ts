import { describe, expect, it } from '@jest/globals'
import { Stage, stageNamed } from '../../lib/infra/stages.ts'

describe('stages', () => {
  it('say which there are when one is asked for that is not there', () => {
    expect(() => stageNamed('staging')).toThrow('choose one of dev, prod')
    expect(() => stageNamed('toString')).toThrow('choose one of dev, prod')
  })

  it('keep data in prod and not in dev', () => {
    expect(stageNamed('prod')).toMatchObject({ keepData: true, encryption: 'kms' })
    expect(stageNamed('dev')).toMatchObject({ keepData: false, encryption: 's3' })
  })

  it.each([
    ['a name that CloudFormation would refuse', { name: 'My Stage' }],
    ['a machine without a GPU', { gpu: { instanceType: 't3.large' } }],
    ['two models on one GPU', { compute: 'gpu', live: { compute: 'gpu', model: 'large-v3-turbo' } }],
    ['a retention that CloudWatch does not know', { logDays: 8 }],
    ['a single concurrent worker, which Lambda does not allow', { cpu: { maxConcurrency: 1 } }],
    ['an account number with a digit missing', { account: '12345678901' }],
  ])('refuse %s', (_, wrong) => {
    expect(() => Stage.parse({ ...stageNamed('dev'), ...wrong })).toThrow()
  })
})
