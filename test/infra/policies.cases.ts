import { describe, expect, it } from '@jest/globals'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, statementsOf, templatesOf } from './support.ts'

const stages = [stageNamed('dev'), stageNamed('prod'), FULL]
const deployments = stages.map((stage) => ({ stage, ...templatesOf(stage) }))
const templates = deployments.flatMap(({ data, service, monitoring, gpu }) => [
  data,
  service,
  monitoring,
  ...(gpu ? [gpu] : []),
])

/** Actions that name no resource in AWS's service authorization reference, so that * is all one can write. */
const NO_RESOURCE = new Set([
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'ecr:GetAuthorizationToken',
  'ecs:DiscoverPollEndpoint',
])

/** Written by CDK for the machines of an ECS cluster. Poll and telemetry are tied to the cluster by a condition. */
const MACHINES = new Set([
  'ecs:Poll',
  'ecs:StartTelemetrySession',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
])

describe('rights', () => {
  it('are for named resources, except where AWS has none to name', () => {
    const broad = templates
      .flatMap(statementsOf)
      // In a key's own policy * is that key.
      .filter(
        ({ type, Effect, Resource }) => Effect === 'Allow' && Resource === '*' && type !== 'AWS::KMS::Key',
      )
      .flatMap(({ id, Action }) => Action.map((action) => ({ id, action })))
      .filter(({ action }) => !NO_RESOURCE.has(action))
      .filter(({ id, action }) => !(id.startsWith('MachinesMachineRole') && MACHINES.has(action)))
    expect(broad).toEqual([])
  })

  it('to objects end at a prefix', () => {
    const objects = templates
      .flatMap(statementsOf)
      .filter(
        ({ type, Action }) =>
          type === 'AWS::IAM::Policy' && Action.some((action) => /^s3:.*(Object|Upload)/.test(action)),
      )
    expect(objects.length).toBeGreaterThan(0)
    for (const { Resource } of objects)
      expect(JSON.stringify(Resource)).toMatch(/\/(uploads|work|transcripts)\/\*/)
  })

  it('to tokens are not a worker’s', () => {
    const tokens = templates
      .flatMap(statementsOf)
      .filter((statement) => statement.Action.some((action) => action.startsWith('dynamodb:')))
    expect(tokens.some(({ id }) => /^Worker/.test(id))).toBe(true)
    const readers = templates.flatMap((template) =>
      Object.entries(template.findResources('AWS::IAM::Policy'))
        .filter(([, policy]) => JSON.stringify(policy).includes('"TOKEN"'))
        .map(([id]) => id),
    )
    expect(readers.length).toBeGreaterThan(0)
    expect(readers.filter((id) => !id.startsWith('Api'))).toEqual([])
  })

  it.each(deployments.map(({ stage, findings }) => [stage.name, findings] as const))(
    'and all else leave nothing for cdk-nag to find in %s',
    (_, findings) => {
      expect(findings()).toEqual([])
    },
  )
})
