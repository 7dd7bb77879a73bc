import { describe, expect, it } from '@jest/globals'
import { stageNamed } from '../../lib/infra/stages.ts'
import { templatesOf } from './support.ts'

const { data, service, monitoring } = templatesOf(stageNamed('dev'))

/** Assets are named by what is in them: a change of the program is no change of the deployment. */
const masked = (template: typeof data): unknown =>
  JSON.parse(JSON.stringify(template.toJSON()).replaceAll(/[0-9a-f]{64}/g, '<hash>'))

describe('the templates of dev', () => {
  it('are as they were read last: what holds data', () => {
    expect(masked(data)).toMatchSnapshot()
  })

  it('are as they were read last: the service', () => {
    expect(masked(service)).toMatchSnapshot()
  })

  it('are as they were read last: what looks at it', () => {
    expect(masked(monitoring)).toMatchSnapshot()
  })
})
