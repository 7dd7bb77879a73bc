import { describe, expect, it } from '@jest/globals'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, templatesOf } from './support.ts'

// What a tool must know that deploys the templates: emulators and older tools know no more than this.

const PLAIN = ['Fn::GetAtt', 'Fn::ImportValue', 'Fn::Join', 'Fn::Sub', 'Ref']
const OF_NETWORKS = ['Fn::Base64', 'Fn::GetAZs', 'Fn::Select']

function intrinsicsOf(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === 'Ref' || name.startsWith('Fn::') ? [name] : []),
    ...intrinsicsOf(inner),
  ])
}

describe.each([
  ['dev', stageNamed('dev')],
  ['prod', stageNamed('prod')],
  ['a stage of everything', FULL],
])('the templates of %s', (_name, stage) => {
  const { data, service, monitoring, gpu } = templatesOf(stage)

  it.each(Object.entries({ data, service, monitoring }))('are plain: %s', (_stack, template) => {
    const { Description, Resources, Outputs, ...others } = template.toJSON()
    expect(others).toEqual({})
    expect(PLAIN).toEqual(expect.arrayContaining(intrinsicsOf({ Resources, Outputs })))
  })

  it('raise alarms on one metric each, which emulators know, but for GPU workers', () => {
    const alarms = resourcesOf(monitoring).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
    expect(alarms.length).toBeGreaterThan(20)
    for (const [, { Properties }] of alarms) {
      expect(Properties).toMatchObject({ MetricName: expect.any(String), Namespace: expect.any(String) })
      expect(Properties.Metrics).toBeUndefined()
    }
  })

  it('look up networks and the image of a machine only where there are machines', () => {
    const { Parameters = {}, ...plain } = gpu?.toJSON() ?? {}
    expect(Object.keys(Parameters)).toHaveLength(gpu ? 1 : 0)
    expect([...PLAIN, ...OF_NETWORKS]).toEqual(expect.arrayContaining(intrinsicsOf(plain)))
  })
})
