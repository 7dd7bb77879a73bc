import { describe, expect, it } from '@jest/globals'
import { Match } from 'aws-cdk-lib/assertions'
import { liveModelOf, Stage, stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, statementsOf, templatesOf } from './support.ts'

const dev = templatesOf(stageNamed('dev'))
const off = templatesOf(Stage.parse({ ...stageNamed('dev'), live: { compute: 'off' } }))
const REDIS = Stage.parse({ ...stageNamed('prod'), name: 'redis', live: { redis: true } })
const redis = templatesOf(REDIS)
/** Recordings on processors, sessions on a GPU, Redis beside it, webhooks to an endpoint. */
const engineApi = { url: 'https://meetings.example.com/segments' }
const GPU = Stage.parse({
  ...{
    ...stageNamed('prod'),
    name: 'livegpu',
    gpu: { network: 'private' },
    webhookAllow: ['hooks.internal'],
  },
  live: { compute: 'gpu', redis: true, engineApi, maxFollowers: 50 },
})
const gpu = templatesOf(GPU)
const BOTH = Stage.parse({ ...FULL, live: { compute: 'gpu', minTasks: 0 } })

const ofType = (template: typeof dev.service, type: string) =>
  resourcesOf(template).filter(([, { Type }]) => Type === type)

/** The actions, each with what it is for, of the role of a function or task whose logical id begins so. */
const rightsOf = (template: typeof dev.service, id: string) =>
  statementsOf(template)
    .filter((it) => it.type === 'AWS::IAM::Policy' && it.id.startsWith(id))
    .flatMap(({ Action, Resource }) => Action.map((action) => `${action} ${JSON.stringify(Resource)}`))

const variablesOf = (template: typeof dev.service, id: string) => {
  const [found] = ofType(template, 'AWS::Lambda::Function').filter(([name]) => name.startsWith(id))
  return (found![1].Properties.Environment as { Variables: Record<string, unknown> }).Variables
}

describe('sessions', () => {
  it('are worked on one step after the other, many side by side', () => {
    dev.data.hasResourceProperties('AWS::SQS::Queue', {
      ...{ FifoQueue: true, DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' },
      RedrivePolicy: Match.objectLike({
        deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^LiveDeadLetters'), 'Arn'] },
      }),
    })
    const [mapping] = ofType(dev.service, 'AWS::Lambda::EventSourceMapping').filter(([id]) =>
      id.startsWith('LiveWorker'),
    )
    expect(mapping![1].Properties).toMatchObject({
      ...{ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 10 } },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    })
  })

  it('wait no longer for a worker that has crashed than one may run, and a little', () => {
    const [queue] = ofType(dev.data, 'AWS::SQS::Queue').filter(([id]) => /^LiveQueue/.test(id))
    const [worker] = ofType(dev.service, 'AWS::Lambda::Function').filter(([id]) => /^LiveWorker/.test(id))
    const more = Number(queue![1].Properties.VisibilityTimeout) - Number(worker![1].Properties.Timeout)
    expect(more).toBeGreaterThan(0)
    expect(more).toBeLessThanOrEqual(30)
  })

  it('are heard by the image of the CPU workers, with its own model and program', () => {
    dev.service.hasResourceProperties('AWS::Lambda::Function', {
      ...{ PackageType: 'Image', MemorySize: 10_240, Timeout: 180 },
      ImageConfig: { Command: ['/app/main.mjs', 'live'] },
      Environment: { Variables: Match.objectLike({ MODEL: 'small-q5_1', COMPUTE: 'cpu' }) },
    })
  })

  it('are looked after every minute', () => {
    dev.service.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [
        Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^MinutelyDeliver'), 'Arn'] } }),
        Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^MinutelyTick'), 'Arn'] } }),
      ],
    })
  })

  it('leave nothing behind where there are none: webhooks of recordings stay', () => {
    const all = [off.data, off.service, off.monitoring].map((it) => JSON.stringify(it.toJSON())).join()
    for (const word of [
      'LIVE_QUEUE_URL',
      'LiveWorker',
      'LiveQueue',
      'EventsUrl',
      '/api/',
      'SESSIONS#*"],"Tick',
    ])
      expect(all).not.toContain(word)
    off.service.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'GET /webhooks/deliveries' })
    off.service.resourceCountIs('AWS::Events::Rule', 1)
    off.service.resourceCountIs('AWS::Lambda::Url', 0)
  })

  it.each([
    [{}, 'small-q5_1'],
    [{ live: { compute: 'gpu' } }, 'large-v3-turbo'],
    [{ live: { compute: 'gpu', model: 'large-v3' } }, 'large-v3'],
    [{ compute: 'gpu', live: { compute: 'gpu' } }, 'large-v3'],
    [{ compute: 'gpu' }, 'small-q5_1'],
    [{ live: { model: 'base-q5_1' } }, 'base-q5_1'],
    [{ live: { compute: 'off' } }, undefined],
  ])('with %j are heard by %s', (settings, model) => {
    expect(liveModelOf(Stage.parse({ ...stageNamed('dev'), live: {}, ...settings }))).toBe(model)
  })
})

describe('the stream of captions', () => {
  it('has an address of its own, which pages of the stage may read with a token', () => {
    dev.service.hasResourceProperties('AWS::Lambda::Url', {
      ...{ AuthType: 'NONE', InvokeMode: 'RESPONSE_STREAM' },
      Cors: Match.objectLike({
        ...{ AllowMethods: ['GET'], AllowHeaders: ['authorization', 'last-event-id'], AllowOrigins: ['*'] },
      }),
    })
    for (const id of ['ApiSession', 'ApiCloseSession'])
      expect(variablesOf(dev.service, `${id}Function`)).toHaveProperty('EVENTS_URL')
  })

  it('is the only function that answers without the API', () => {
    const open = ofType(dev.service, 'AWS::Lambda::Permission').filter(
      ([, { Properties }]) => Properties.Principal === '*',
    )
    expect(open.length).toBeGreaterThan(0)
    for (const [id] of open) expect(id).toMatch(/^CaptionsEvents/)
  })

  it('takes as many followers at once as the stage says', () => {
    gpu.service.hasResourceProperties('AWS::Lambda::Function', {
      Description: Match.stringLikeRegexp('/events$'),
      ReservedConcurrentExecutions: 50,
    })
  })
})

describe('functions of the live lane', () => {
  it('that only read can write nothing', () => {
    for (const id of ['ApiTranscription', 'ApiSession', 'ApiSessions', 'CaptionsEvents', 'ApiDeliveries']) {
      const rights = rightsOf(dev.service, `${id}Role`)
      expect(rights.length).toBeGreaterThan(0)
      expect(rights.filter((it) => /dynamodb:(Put|Update|Delete|Batch[WD])|^s3:|^sqs:/.test(it))).toEqual([])
    }
  })

  it('reach sound only where they must', () => {
    const withSound = statementsOf(dev.service)
      .filter(
        ({ type, Resource }) => type === 'AWS::IAM::Policy' && JSON.stringify(Resource).includes('/live/*'),
      )
      .map(({ id }) => /^(ApiStream|ApiEraseSession|LiveWorker|.*)/.exec(id)![1])
    expect([...new Set(withSound)].sort()).toEqual(['ApiEraseSession', 'ApiStream', 'LiveWorker'])
  })
})

describe('webhooks', () => {
  it('are sent by one function, which alone may read their two secrets, by name', () => {
    const reading = statementsOf(dev.service).filter(({ Action }) =>
      Action.some((it) => it.startsWith('ssm:')),
    )
    expect(reading).toHaveLength(1)
    expect(reading[0]!.id).toMatch(/^MinutelyDeliver/)
    const text = JSON.stringify(reading[0]!.Resource)
    expect(text.match(/:parameter\/verbatim\/dev\/[\w-]+/g)).toEqual([
      ':parameter/verbatim/dev/engine-api-token',
      ':parameter/verbatim/dev/webhook-secret',
    ])
    expect(variablesOf(dev.service, 'MinutelyDeliver')).toMatchObject({ PARAMETERS: '/verbatim/dev/' })
  })

  it('go where the stage says', () => {
    expect(variablesOf(gpu.service, 'MinutelyDeliver')).toMatchObject({
      ENGINE_API_URL: engineApi.url,
      WEBHOOK_ALLOW: 'hooks.internal',
    })
  })

  it('are announced by workers and by dead letters, which wake that function', () => {
    for (const id of ['WorkerRole', 'LiveWorkerRole', 'ConsumersDeadLetterRole', 'ApiTestWebhookRole']) {
      const rights = rightsOf(dev.service, id)
      expect(rights.filter((it) => /^sqs:SendMessage .*Deliveries/.test(it))).toHaveLength(1)
    }
  })
})

describe('Redis', () => {
  it('is not there unless it is asked for, nor is a network', () => {
    for (const template of [dev.service, templatesOf(stageNamed('prod')).service]) {
      const types = resourcesOf(template).map(([, { Type }]) => Type)
      expect(types.filter((type) => /^AWS::(ElastiCache|EC2)::/.test(type))).toEqual([])
    }
  })

  it('lies in a network without internet, with the live worker and the endpoints that it needs', () => {
    redis.service.resourceCountIs('AWS::EC2::InternetGateway', 0)
    redis.service.resourceCountIs('AWS::EC2::NatGateway', 0)
    redis.service.resourceCountIs('AWS::EC2::VPCEndpoint', 3)
    redis.service.hasResourceProperties('AWS::Lambda::Function', {
      PackageType: 'Image',
      VpcConfig: Match.objectLike({ SubnetIds: Match.anyValue() }),
      Environment: {
        Variables: Match.objectLike({
          ...{ CACHE_NAME: 'verbatim-redis', CACHE_USER: 'verbatim-redis-writer' },
          CACHE_HOST: { 'Fn::GetAtt': [Match.stringLikeRegexp('^LiveCache'), 'Endpoint.Address'] },
        }),
      },
    })
    // Webhooks go to the internet, so their function stays outside.
    const inside = ofType(redis.service, 'AWS::Lambda::Function').filter(
      ([, { Properties }]) => Properties.VpcConfig !== undefined,
    )
    expect(inside.map(([id]) => id)).toEqual([expect.stringMatching(/^LiveWorker/)])
  })

  it('knows who connects by role, and lets the worker do what it does and no more', () => {
    const users = ofType(redis.service, 'AWS::ElastiCache::User').map(([, { Properties }]) => Properties)
    expect(users).toHaveLength(2)
    for (const { AuthenticationMode, AccessString, UserId, UserName, Passwords } of users) {
      expect(AuthenticationMode).toEqual({ Type: 'iam' })
      expect(Passwords).toBeUndefined()
      expect(UserId).toBe(UserName)
      expect(AccessString).toMatch(
        /^on ~segments_transcribe:\* ~\{segments_transcribe:\* resetchannels -@all /,
      )
    }
    const connects = rightsOf(redis.service, 'LiveWorkerRole').filter((it) => it.startsWith('elasticache:'))
    expect(connects).toHaveLength(1)
    expect(connects[0]).not.toContain('Reader')
  })

  it('is open to its clients, and says where it is', () => {
    const [opened, ...others] = ofType(redis.service, 'AWS::EC2::SecurityGroupIngress')
      .map(([, { Properties }]) => Properties)
      .filter(({ FromPort }) => FromPort === 6379)
    expect(opened).toMatchObject({ ToPort: 6380, SourceSecurityGroupId: expect.anything() })
    expect(others).toEqual([])
    for (const name of ['RedisHost', 'RedisReader', 'RedisVpc', 'RedisClients'])
      redis.service.hasOutput(name, {})
  })
})

describe('sessions on GPUs', () => {
  const taskOf = (template: typeof dev.service) => {
    const [[, { Properties }]] = ofType(template, 'AWS::ECS::TaskDefinition') as [
      ReturnType<typeof resourcesOf>[number],
    ]
    const [{ Environment }] = Properties.ContainerDefinitions as [
      { Environment: Array<{ Name: string; Value: unknown }> },
    ]
    return Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]))
  }

  it('have machines where recordings have none: one stays, so that captions need not wait for it', () => {
    expect(taskOf(gpu.gpu!)).toMatchObject({ TAKES: 'live', SESSIONS: '4', MODEL: 'large-v3-turbo' })
    gpu.gpu!.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 1 })
    gpu.gpu!.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'MAX([CEIL((liveWaiting + liveTaken) / 4)])' }),
      ]),
    })
    const rights = rightsOf(gpu.gpu!, 'WorkerTaskTaskRole').join()
    expect(rights).toMatch(/sqs:ReceiveMessage [^ ]*LiveQueue/)
    expect(rights).not.toMatch(/sqs:ReceiveMessage [^ ]*GetAttWorkQueue/)
    // Nor is there a worker on processors for them.
    expect(
      ofType(gpu.service, 'AWS::Lambda::Function')
        .map(([id]) => id)
        .filter((id) => /^LiveW/.test(id)),
    ).toEqual([])
  })

  it('share the machines of recordings, and may go with them', () => {
    const { gpu: template } = templatesOf(BOTH)
    expect(taskOf(template!)).toMatchObject({ TAKES: 'both', MODEL: 'large-v3' })
    template!.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 0 })
    template!.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Metrics: Match.arrayWith([
        Match.objectLike({
          Expression:
            'MAX([CEIL((waiting + taken) / 4 + (FILL(shardsWaiting, 0) + FILL(shardsTaken, 0)) / 16), CEIL(taken / 2), CEIL(FILL(shardsTaken, 0) / 2), CEIL((liveWaiting + liveTaken) / 4)])',
        }),
      ]),
    })
  })

  it('reach Redis in their own network', () => {
    gpu.gpu!.resourceCountIs('AWS::EC2::VPC', 1)
    gpu.service.resourceCountIs('AWS::EC2::VPC', 0)
    expect(taskOf(gpu.gpu!)).toMatchObject({ CACHE_USER: 'verbatim-livegpu-writer' })
    const opened = ofType(gpu.gpu!, 'AWS::EC2::SecurityGroupIngress').filter(
      ([, { Properties }]) => Properties.FromPort === 6379,
    )
    expect(opened.map(([id]) => id)).toContainEqual(expect.stringMatching(/fromverbatimlivegpugpuMachines/))
  })
})

describe('cdk-nag', () => {
  it.each([
    ['without a live lane', off],
    ['with Redis', redis],
    ['with sessions on GPUs of their own, and Redis', gpu],
    ['with both lanes on the same GPUs', templatesOf(BOTH)],
  ])('finds nothing %s', (_, { findings }) => {
    expect(findings()).toEqual([])
  })
})
