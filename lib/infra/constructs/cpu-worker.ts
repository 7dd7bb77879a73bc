import { RemovalPolicy } from 'aws-cdk-lib'
import {
  Architecture,
  DockerImageCode,
  DockerImageFunction,
  RecursiveLoop,
  Tracing,
} from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { LAMBDA_DISK, TIMEOUTS } from '../limits.ts'
import { CPU_HOUR, CPU_WORKER_MB } from '../prices.ts'
import { ROOT } from '../root.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { functionRole } from './function-role.ts'
import { workerImage } from './worker-image.ts'
import { grantWork } from './worker-rights.ts'
import type { WorkerVariables } from './worker-variables.ts'

export interface CpuWorkerProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
}

/**
 * The worker as a container Lambda: from none to hundreds within seconds, no network of its own, no machine to keep. One
 * function takes both recordings and shards, so whoever has cut a recording goes on with its first shards, warm.
 */
export class CpuWorker extends Construct {
  readonly fn: DockerImageFunction
  readonly logs: LogGroup

  constructor(scope: Construct, id: string, { stage, data, environment }: CpuWorkerProps) {
    super(scope, id)
    this.logs = new LogGroup(this, 'Logs', { retention: stage.logDays, removalPolicy: RemovalPolicy.DESTROY })
    // Lambda gives 10,240 MB six virtual processors; a thread more would only wait for the others.
    const variables: WorkerVariables = {
      ...{ ...environment, MODEL: stage.cpu.model, THREADS: '6', ENGINES: '1' },
      ...{ COMPUTE: 'cpu', DOLLARS_PER_HOUR: CPU_HOUR.toFixed(4) },
    }
    this.fn = new DockerImageFunction(this, 'Function', {
      description: 'Hears recordings, on processors',
      code: DockerImageCode.fromImageAsset(ROOT, workerImage('worker-lambda.Dockerfile', stage.cpu.model)),
      architecture: Architecture.X86_64,
      memorySize: CPU_WORKER_MB,
      ephemeralStorageSize: LAMBDA_DISK,
      timeout: TIMEOUTS.worker,
      // Without GPU workers, a job that needs more than one run sends itself on as a new message; Lambda would stop that
      // after 16 rounds.
      recursiveLoop: RecursiveLoop.ALLOW,
      environment: { ...variables },
      role: functionRole(this, 'Role', this.logs),
      logGroup: this.logs,
      tracing: Tracing.ACTIVE,
    })
    grantWork(this.fn, { ...data, takesFrom: data.work, sendsTo: data.longWork ?? data.work })
    // Each with its own limit: recordings that are planned never wait for the shards of a long one, nor these for them.
    const { maxConcurrency, maxShardConcurrency } = stage.cpu
    for (const [{ queue }, most] of [
      [data.work, maxConcurrency],
      [data.shards, maxShardConcurrency],
    ] as const) {
      this.fn.addEventSource(
        new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: most }),
      )
    }
  }
}
