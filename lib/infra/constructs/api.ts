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
import { LIVE_ROUTES, ROUTES } from '../../../lambdas/api/routes.ts'
import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { acknowledge } from '../acknowledge.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { grantRoute } from './api-rights.ts'
import { SmallFunction } from './small-function.ts'

export interface ApiProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
  /** Where captions are streamed; undefined without a live lane. */
  readonly eventsUrl: string | undefined
}

/** All but the one that streams, which an HTTP API can't (captions.ts). */
const API_ROUTES = (({ events: _, ...routes }) => routes)({ ...ROUTES, ...LIVE_ROUTES })
export type ApiRouteName = keyof typeof API_ROUTES

/** The delivery log is there for the webhooks of recordings too. */
const WEBHOOK_ROUTES: readonly ApiRouteName[] = ['deliveries', 'replayDelivery', 'testWebhook']

const namesIn = ({ live }: Stage) =>
  (Object.keys(API_ROUTES) as ApiRouteName[]).filter(
    (name) => live.compute !== 'off' || name in ROUTES || WEBHOOK_ROUTES.includes(name),
  )

/** The HTTP API: a function for every route, each with no more rights than its route needs. */
export class Api extends Construct {
  readonly api: HttpApi
  readonly stage: HttpStage
  readonly functions: ReadonlyMap<ApiRouteName, SmallFunction>

  constructor(scope: Construct, id: string, { stage, data, environment, eventsUrl }: ApiProps) {
    super(scope, id)
    const names = namesIn(stage)
    this.functions = new Map(
      names.map((name) => {
        const { method, path } = API_ROUTES[name]
        const props = { stage, timeout: TIMEOUTS.api, description: `${method} ${path}` }
        const tellsEvents = name === 'session' || name === 'closeSession'
        const variables = {
          ...environment,
          ...(tellsEvents && eventsUrl !== undefined && { EVENTS_URL: eventsUrl }),
        }
        // A thousand part URLs are signed in one request: twice the memory is twice the processor.
        const memoryMb = name === 'upload' ? 1024 : 512
        const fn = new SmallFunction(this, title(name), {
          ...{ ...props, environment: variables, entry: kebab(name), memoryMb },
        })
        return [name, fn]
      }),
    )
    for (const [name, { fn }] of this.functions) grantRoute(name, fn, data)

    this.api = new HttpApi(this, 'Http', {
      apiName: Stack.of(this).stackName,
      description: 'Verbatim: what is said becomes a transcript',
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: stage.webOrigins,
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.DELETE],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key', ...CHUNK_HEADERS],
        maxAge: Duration.hours(1),
      },
    })
    this.stage = this.#publish(stage)
    for (const [name, { fn }] of this.functions) {
      const { method, path } = API_ROUTES[name]
      const integration = new HttpLambdaIntegration(`${title(name)}Integration`, fn)
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

const CHUNK_HEADERS = ['x-session-id', 'x-chunk-seq', 'x-language']

/** Makes of `closeSession` the name of its file. */
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
