import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, statementsOf, templatesOf } from './support.ts'

const stages = [stageNamed('dev'), stageNamed('prod'), FULL]
const deployments = stages.map((stage) => ({ stage, ...templatesOf(stage) }))
/** A CPU worker in each, and FULL's GPU worker. */
const WORKERS = 2
const templates = deployments.flatMap(({ data, service, monitoring, gpu }) => [
  data,
  service,
  monitoring,
  ...(gpu ? [gpu] : []),
])

/**
 * Actions that name no resource in AWS's service authorization reference, so that * is all one can write.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
 */
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

/** Groups of actions, each with the one reason for it. */
const ACTION_GROUPS = new Set([
  // Written by CDK for the agent on machines of an ECS cluster: states of containers, tasks and attachments.
  'ecs:Submit*',
])

/** What belongs together; who may touch one of them may touch all of a line. */
const PARTITIONS = [
  ['TOKEN'],
  ['JOB#*', 'LIST#*', 'IDEM#*', 'SHARDS#*'],
  ['SESSION#*', 'SESSIONS#*', 'OPEN'],
  ['DELIVERY#*', 'DUE'],
]

const every = templates.flatMap(statementsOf)
const allowed = every.filter(({ Effect }) => Effect === 'Allow')
const ofRoles = allowed.filter(({ type }) => /^AWS::IAM::/.test(type))

/** * alone or among others. */
const isAnything = (resource: unknown) => [resource].flat().includes('*')

describe('rights', () => {
  it('are for named resources, except where AWS has none to name', () => {
    const broad = allowed
      // In a key's own policy * is that key.
      .filter(({ type, Resource }) => isAnything(Resource) && type !== 'AWS::KMS::Key')
      .flatMap(({ id, Action }) => Action.map((action) => ({ id, action })))
      .filter(({ action }) => !NO_RESOURCE.has(action))
      .filter(({ id, action }) => !(id.startsWith('MachinesMachineRole') && MACHINES.has(action)))
    expect(broad).toEqual([])
  })

  it('name each action, and what they are for, never what they are not for', () => {
    const groups = ofRoles.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))
    expect(groups.filter((action) => !ACTION_GROUPS.has(action))).toEqual([])
    for (const template of templates)
      expect(JSON.stringify(template)).not.toMatch(/"Not(Action|Resource|Principal)"/)
  })

  it('are nobody’s outside the account: who is allowed by a resource’s own policy is a service, or tied to the account', () => {
    const open = allowed.filter(
      ({ Principal }) => Principal !== undefined && JSON.stringify(Principal).includes('"*"'),
    )
    expect(open.length).toBeGreaterThan(0)
    for (const { Condition } of open)
      expect(Condition?.StringEquals).toHaveProperty(['kms:CallerAccount'], { Ref: 'AWS::AccountId' })
  })

  it('to objects end at a prefix', () => {
    const objects = ofRoles.filter(({ Action }) =>
      Action.some((action) => /^s3:.*(Object|Upload)/.test(action)),
    )
    expect(objects.length).toBeGreaterThan(0)
    for (const { Resource } of objects)
      expect(JSON.stringify(Resource)).toMatch(/\/(uploads|work|transcripts|live)\/\*/)
  })

  it('to the table end at partitions, and to tokens only the API has any: to look one up', () => {
    const items = ofRoles.filter(({ Action }) => Action.some((action) => action.startsWith('dynamodb:')))
    const partitionsOf = ({ Condition }: (typeof items)[number]) =>
      Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']
    const owners = { tokens: new Set<string>(), jobs: new Set<string>() }
    for (const statement of items) {
      const partitions = [partitionsOf(statement)].flat()
      expect(PARTITIONS).toContainEqual(partitions)
      const ofTokens = partitions.includes('TOKEN')
      if (ofTokens) expect(statement.Action).toEqual(['dynamodb:GetItem'])
      if (ofTokens || partitions.includes('JOB#*')) owners[ofTokens ? 'tokens' : 'jobs'].add(statement.id)
    }
    expect(owners.tokens.size).toBeGreaterThan(0)
    expect([...owners.tokens].filter((id) => !/^(Api|CaptionsEvents)/.test(id))).toEqual([])
    expect([...owners.tokens].filter((id) => /^Api(Health|Openapi)/.test(id))).toEqual([])
    expect([...owners.jobs].filter((id) => id.startsWith('Worker'))).toHaveLength(WORKERS)
  })

  it('to the table know no way around partitions: no scan, no PartiQL, no stream, no other table', () => {
    const actions = ofRoles.flatMap(({ Action }) => Action).filter((action) => action.startsWith('dynamodb:'))
    const others = actions.filter(
      (action) =>
        !/:(GetItem|BatchGetItem|Query|PutItem|UpdateItem|DeleteItem|BatchWriteItem|ConditionCheckItem)$/.test(
          action,
        ),
    )
    expect(others).toEqual([])
  })

  it.each(deployments.map(({ stage, findings }) => [stage.name, findings] as const))(
    'and all else leave nothing for cdk-nag to find in %s',
    (_, findings) => {
      expect(findings()).toEqual([])
    },
  )
})

const Variables = z.record(z.string(), z.unknown())
const Fn = z.object({ Environment: z.object({ Variables }) })
const Task = z.object({
  ContainerDefinitions: z.array(
    z.looseObject({ Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })) }),
  ),
})

/** Name and value of each environment variable of a deployment. */
const variables = templates.flatMap(resourcesOf).flatMap(([, { Type, Properties }]) => {
  if (Type === 'AWS::Lambda::Function') return Object.entries(Fn.parse(Properties).Environment.Variables)
  if (Type !== 'AWS::ECS::TaskDefinition') return []
  const containers = Task.parse(Properties).ContainerDefinitions
  return containers.flatMap(({ Environment }) => Environment.map(({ Name, Value }) => [Name, Value] as const))
})

describe('an environment variable', () => {
  it('is never a secret, nor is it read from where secrets lie', () => {
    expect(variables.length).toBeGreaterThan(100)
    const suspicious = variables.filter(
      ([name, value]) =>
        /SECRET|PASSWORD|TOKEN|CREDENTIAL|PRIVATE|API_?KEY/i.test(name) ||
        /\{\{resolve:|secretsmanager|ssm-secure/.test(JSON.stringify(value)),
    )
    expect(suspicious).toEqual([])
    for (const template of templates)
      expect(JSON.stringify(template)).not.toMatch(/"Secrets":|AWS::SecretsManager/)
  })

  it('is a short word or number, or the name of a resource', () => {
    const literal = variables
      .filter(([, value]) => typeof value === 'string')
      .map(([, value]) => String(value))
    expect(literal.filter((value) => !/^[\w./:-]{1,40}$/.test(value))).toEqual([])
  })
})
