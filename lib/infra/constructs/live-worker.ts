import { RemovalPolicy } from 'aws-cdk-lib'
import { Architecture, DockerImageCode, DockerImageFunction, Tracing } from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { CacheVariables, FunctionVariables } from '../../adapters/aws/environment.ts'
import { TIMEOUTS } from '../limits.ts'
import { CPU_HOUR, CPU_WORKER_MB } from '../prices.ts'
import { ROOT } from '../root.ts'
import type { Stage } from '../stages.ts'
import { functionRole, grantInterfaces } from './function-role.ts'
import type { LiveCache } from './live-cache.ts'
import { workerImage } from './worker-image.ts'
import { grantLiveWork, type LiveAccess } from './worker-rights.ts'
import type { WorkerVariables } from './worker-variables.ts'

export interface LiveWorkerProps {
  readonly stage: Stage
  readonly model: string
  readonly data: LiveAccess
  readonly environment: FunctionVariables
  readonly cache: LiveCache | undefined
}

/**
 * The worker of the live lane as a container Lambda: the image of the CPU workers with a model of its own. It runs while
 * a session has something new, some seconds at a time, and has all memory that Lambda gives for the processors.
 */
export class LiveWorker extends Construct {
  readonly fn: DockerImageFunction
  readonly logs: LogGroup

  constructor(scope: Construct, id: string, props: LiveWorkerProps) {
    super(scope, id)
    const { stage, model, data, environment, cache } = props
    this.logs = new LogGroup(this, 'Logs', { retention: stage.logDays, removalPolicy: RemovalPolicy.DESTROY })
    const variables: WorkerVariables & CacheVariables = {
      ...{ ...environment, MODEL: model, THREADS: '6', ENGINES: '1' },
      ...{ COMPUTE: 'cpu', DOLLARS_PER_HOUR: CPU_HOUR.toFixed(4) },
      ...cache?.variables,
    }
    const image = { ...workerImage('worker-lambda.Dockerfile', model), cmd: ['/app/main.mjs', 'live'] }
    const role = functionRole(this, 'Role', this.logs)
    if (cache) grantInterfaces(role)
    this.fn = new DockerImageFunction(this, 'Function', {
      description: 'Hears sessions, on processors',
      code: DockerImageCode.fromImageAsset(ROOT, image),
      architecture: Architecture.X86_64,
      memorySize: CPU_WORKER_MB,
      timeout: TIMEOUTS.live,
      environment: { ...variables },
      ...{ role, logGroup: this.logs, tracing: Tracing.ACTIVE },
      ...(cache && { vpc: cache.vpc, vpcSubnets: cache.subnets, securityGroups: [cache.clients] }),
    })
    cache?.grantWrite(role)
    grantLiveWork(this.fn, data)
    this.fn.addEventSource(
      new SqsEventSource(data.live.queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: stage.live.maxConcurrency,
      }),
    )
  }
}
