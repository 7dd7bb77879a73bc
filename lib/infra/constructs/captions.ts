import { Duration } from 'aws-cdk-lib'
import { FunctionUrlAuthType, HttpMethod, InvokeMode } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { LIVE_ROUTES } from '../../../lambdas/api/routes.ts'
import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { grantRoute } from './api-rights.ts'
import { SmallFunction } from './small-function.ts'

export interface CaptionsProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
}

/**
 * The stream of captions: a function with an address of its own, as an HTTP API can't stream
 * (docs/adr/0013-captions-stream.md). Open to the internet as the API is; the handler checks the token.
 */
export class Captions extends Construct {
  readonly function: SmallFunction
  /** Base address; the route's path goes after it. */
  readonly url: string

  constructor(scope: Construct, id: string, { stage, data, environment }: CaptionsProps) {
    super(scope, id)
    const { method, path } = LIVE_ROUTES.events
    this.function = new SmallFunction(this, 'Events', {
      ...{ stage, environment, entry: 'events', description: `${method} ${path}` },
      // It waits most of its time, and is paid for by the second and the megabyte.
      ...{ timeout: TIMEOUTS.events, memoryMb: 256, mostAtOnce: stage.live.maxFollowers },
    })
    grantRoute('events', this.function.fn, data)
    this.url = this.function.fn.addFunctionUrl({
      authType: FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
      cors: {
        allowedOrigins: stage.webOrigins,
        allowedMethods: [HttpMethod.GET],
        allowedHeaders: ['authorization', 'last-event-id'],
        maxAge: Duration.hours(1),
      },
    }).url
  }
}
