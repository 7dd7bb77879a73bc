import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { Match } from 'aws-cdk-lib/assertions'
import { z } from 'zod'
import { LIVE_ROUTES, ROUTES } from '../../lambdas/api/routes.ts'
import {
  CacheEnvironment,
  DeliverEnvironment,
  FunctionEnvironment,
  SessionEnvironment,
  WorkerEnvironment,
} from '../../lib/adapters/aws/environment.ts'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, templatesOf } from './support.ts'

const Flags = z.record(z.string(), z.unknown())
const jsonOf = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))

/** All but the one that is streamed. */
const { events: _, ...IN_API } = LIVE_ROUTES
/** Those of the API, the stream, the consumers of arrivals and of dead letters of both lanes, the two of every minute. */
const SMALL = Object.keys({ ...ROUTES, ...LIVE_ROUTES }).length + 3 + 2

const dev = templatesOf(stageNamed('dev')).service
const full = templatesOf(FULL)

describe('the API', () => {
  it('has the routes that the handlers have, and no other', () => {
    const routes = resourcesOf(dev)
      .filter(([, { Type }]) => Type === 'AWS::ApiGatewayV2::Route')
      .map(([, { Properties }]) => Properties.RouteKey)
    expect(routes.sort()).toEqual(
      Object.values({ ...ROUTES, ...IN_API })
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    )
    dev.allResourcesProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' })
  })

  it('throttles', () => {
    dev.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: Match.objectLike({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 50 }),
    })
  })

  it('writes an access log without paths, addresses or headers', () => {
    const stages = resourcesOf(dev).filter(([, { Type }]) => Type === 'AWS::ApiGatewayV2::Stage')
    expect(stages).toHaveLength(1)
    const text = JSON.stringify(stages)
    expect(text).toContain('$context.routeKey')
    expect(text).not.toMatch(/\$context\.(path|identity|authorizer|customDomain)/)
    dev.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      AccessLogSettings: {
        DestinationArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ApiAccessLogs'), 'Arn'] },
      },
    })
  })
})

describe('the functions', () => {
  it('run on Node 24, on Graviton, traced, from a bundle', () => {
    dev.resourcePropertiesCountIs(
      'AWS::Lambda::Function',
      {
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        Handler: 'index.handler',
      },
      SMALL,
    )
  })

  it('are told what their program reads, and nothing else', () => {
    const programs = [WorkerEnvironment, SessionEnvironment, DeliverEnvironment, CacheEnvironment]
    const known = new Set(programs.flatMap(({ shape }) => Object.keys(shape)))
    const needed = Object.entries(FunctionEnvironment.shape).filter(
      ([, type]) => !type.safeParse(undefined).success,
    )
    const functions = resourcesOf(dev).filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    for (const [, { Properties }] of functions) {
      const names = Object.keys((Properties.Environment as { Variables: object }).Variables)
      expect(names).toEqual(expect.arrayContaining(needed.map(([name]) => name)))
      expect(names.filter((name) => !known.has(name))).toEqual([])
    }
  })

  it('forget their logs after the days of the stage', () => {
    dev.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 })
    for (const template of [full.service, full.gpu!])
      template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 })
  })

  it('write into log groups of the stack, not into such as Lambda makes, which keep for ever', () => {
    const functions = resourcesOf(dev).filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    for (const [, { Properties }] of functions)
      expect(Properties.LoggingConfig).toMatchObject({ LogGroup: { Ref: expect.any(String) } })
  })
})

describe('the consumers', () => {
  it('report each failed message alone and run side by side within a limit', () => {
    dev.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: Match.objectLike({ MaximumConcurrency: Match.anyValue() }),
    })
    // uploads, work, shards and live, the dead letters of each, and the wake-ups for webhooks
    dev.resourceCountIs('AWS::Lambda::EventSourceMapping', 9)
  })
})

describe('the CPU worker', () => {
  it('has all that Lambda gives, and one job at a time', () => {
    dev.hasResourceProperties('AWS::Lambda::Function', {
      ...{ PackageType: 'Image', MemorySize: 10_240, Timeout: 900, Architectures: ['x86_64'] },
      EphemeralStorage: { Size: 10_240 },
    })
    for (const MaximumConcurrency of [20, 50]) {
      dev.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        ...{ BatchSize: 1, ScalingConfig: { MaximumConcurrency } },
      })
    }
  })

  it('is not there where only GPUs are wanted', () => {
    const { service } = templatesOf({ ...FULL, compute: 'gpu', live: { ...FULL.live, compute: 'off' } })
    service.resourcePropertiesCountIs('AWS::Lambda::Function', { PackageType: 'Image' }, 0)
  })
})

describe('a deployment', () => {
  it('follows what CDK recommends to new applications, with these exceptions', () => {
    const recommended = jsonOf('../../node_modules/aws-cdk-lib/recommended-feature-flags.json')
    const { context } = z.object({ context: Flags }).parse(jsonOf('../../cdk.json'))
    const other = Object.entries(Flags.parse(recommended))
      .filter(([flag, value]) => JSON.stringify(context[flag]) !== JSON.stringify(value))
      .map(([flag]) => [flag, context[flag]])
    expect(other).toEqual([
      // CloudFormation shall refuse to take away what another stack uses.
      ['@aws-cdk/core:defaultCrossStackReferences', 'strong'],
    ])
  })

  it('needs no network without a GPU, and no custom resource at all', () => {
    for (const template of [dev, full.data, full.service, full.monitoring, full.gpu]) {
      const types = resourcesOf(template!).map(([, { Type }]) => Type)
      expect(types.filter((type) => /^Custom::|CustomResource/.test(type))).toEqual([])
      if (template !== full.gpu) expect(types.filter((type) => type.startsWith('AWS::EC2::'))).toEqual([])
    }
    for (const name of ['dev', 'prod']) expect(templatesOf(stageNamed(name)).gpu).toBeUndefined()
  })

  it('says where it is and what to do next', () => {
    // The CLI reads the first two: `token create --stack`.
    for (const name of ['ApiUrl', 'TableName', 'BucketName', 'EventsUrl']) dev.hasOutput(name, {})
    dev.hasOutput('LiveModel', { Value: 'small-q5_1 (cpu)' })
    dev.hasOutput('NextStep', { Value: 'npx verbatim token create --stack verbatim-dev' })
    full.service.hasOutput('NextStep', { Value: 'npx verbatim token create --stack verbatim-full' })
  })
})
