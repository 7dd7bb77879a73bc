import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  CorsHttpMethod,
  HttpApi,
  type HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { ROUTES, type RouteName } from '../../../lambdas/api/routes.ts'
import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { acknowledge } from '../acknowledge.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { SmallFunction } from './small-function.ts'

export interface ApiProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
}

/** The HTTP API: a function for every route, each with no more rights than its route needs. */
export class Api extends Construct {
  readonly api: HttpApi
  readonly stage: HttpStage
  readonly functions: Readonly<Record<RouteName, SmallFunction>>

  constructor(scope: Construct, id: string, { stage, data, environment }: ApiProps) {
    super(scope, id)
    const names = Object.keys(ROUTES) as RouteName[]
    const functions = names.map((name) => {
      const { method, path } = ROUTES[name]
      const props = { stage, environment, timeout: TIMEOUTS.api, description: `${method} ${path}` }
      // A thousand part URLs are signed in one request: twice the memory is twice the processor.
      const memoryMb = name === 'upload' ? 1024 : 512
      return [name, new SmallFunction(this, title(name), { ...props, entry: name, memoryMb })] as const
    })
    this.functions = Object.fromEntries(functions) as Record<RouteName, SmallFunction>
    grantRights(this.functions, data)

    this.api = new HttpApi(this, 'Http', {
      apiName: Stack.of(this).stackName,
      description: 'Verbatim: a recording becomes a transcript',
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: stage.webOrigins,
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.DELETE],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key'],
        maxAge: Duration.hours(1),
      },
    })
    this.stage = this.#publish(stage)
    for (const name of names) {
      const { method, path } = ROUTES[name]
      const integration = new HttpLambdaIntegration(`${title(name)}Integration`, this.functions[name].fn)
      const routes = this.api.addRoutes({ path, methods: [method as HttpMethod], integration })
      for (const route of routes) {
        acknowledge(route, {
          APIG4:
            'Each handler checks the bearer token against its hash; an authorizer would read the same item once more.',
        })
      }
    }
  }

  /** The access log says what was asked of which route and how it went: no path, as it has ids, and no address. */
  #publish({ throttle, logDays }: Stage): HttpStage {
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const facts = {
      ...{ time: '$context.requestTimeEpoch', requestId: '$context.requestId', route: '$context.routeKey' },
      ...{
        status: '$context.status',
        ms: '$context.responseLatency',
        functionMs: '$context.integrationLatency',
      },
      ...{ bytes: '$context.responseLength', error: '$context.error.responseType' },
    }
    return new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: throttle.rate, burstLimit: throttle.burst },
      detailedMetricsEnabled: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(logs),
        format: AccessLogFormat.custom(JSON.stringify(facts)),
      },
    })
  }
}

/** `health` and `openapi` say what they are made of; all others look at tokens and jobs. */
function grantRights(
  functions: Readonly<Record<RouteName, SmallFunction>>,
  { jobs, media }: DataStack,
): void {
  const { upload, complete, status, list, cancel, erase } = functions
  for (const { fn } of [upload, complete, status, list, cancel, erase]) {
    jobs.grantTokens(fn)
    jobs.grantJobs(fn)
  }
  for (const { fn } of [upload, complete]) media.grantUpload(fn)
  // Whoever looks at a job may find that its upload has expired, and clears it away.
  for (const { fn } of [complete, status, list, cancel]) {
    media.grantReadUploads(fn)
    media.grantDiscardUploads(fn)
    media.grantReadTranscripts(fn)
  }
  for (const { fn } of [cancel, erase]) media.grantErase(fn)
}

const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
