import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { Api } from '../constructs/api.ts'
import { Captions } from '../constructs/captions.ts'
import { Consumers } from '../constructs/consumers.ts'
import { CpuWorker } from '../constructs/cpu-worker.ts'
import { environmentOf } from '../constructs/environment.ts'
import { LiveCache } from '../constructs/live-cache.ts'
import { LiveNetwork } from '../constructs/live-network.ts'
import { LiveWorker } from '../constructs/live-worker.ts'
import { Minutely } from '../constructs/minutely.ts'
import { liveModelOf, type Stage } from '../stages.ts'
import type { DataStack } from './data.ts'

export interface ServiceStackProps extends StackProps {
  readonly stage: Stage
  readonly data: DataStack
}

/** Everything that holds nothing: it can be deleted and deployed again. */
export class ServiceStack extends Stack {
  readonly api: Api
  readonly consumers: Consumers
  readonly minutely: Minutely
  readonly worker: CpuWorker | undefined
  /** Undefined without a live lane. */
  readonly captions: Captions | undefined
  /** Undefined where sessions are heard on a GPU, or not at all. */
  readonly liveWorker: LiveWorker | undefined

  constructor(scope: Construct, id: string, { stage, data, ...props }: ServiceStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: API, queue consumers, CPU workers' })
    const environment = environmentOf(stage, data)
    const parts = { stage, data, environment }
    this.captions = stage.live.compute === 'off' ? undefined : new Captions(this, 'Captions', parts)
    this.api = new Api(this, 'Api', { ...parts, eventsUrl: this.captions?.url })
    this.consumers = new Consumers(this, 'Consumers', parts)
    this.minutely = new Minutely(this, 'Minutely', parts)
    this.worker = stage.compute === 'gpu' ? undefined : new CpuWorker(this, 'Worker', parts)
    this.liveWorker = this.#liveWorker(stage, data, environment)
    this.#tell(stage, data)
  }

  #liveWorker(stage: Stage, data: DataStack, environment: FunctionVariables): LiveWorker | undefined {
    const model = liveModelOf(stage)
    const { live } = data
    if (!live || model === undefined || stage.live.compute !== 'cpu') return undefined
    const network = stage.live.redis ? new LiveNetwork(this, 'LiveNetwork', stage) : undefined
    const cache = network && new LiveCache(this, 'LiveCache', { stage, ...network })
    return new LiveWorker(this, 'LiveWorker', { stage, model, environment, cache, data: { ...data, live } })
  }

  #tell(stage: Stage, { jobs, media }: DataStack): void {
    const model = liveModelOf(stage)
    const outputs = {
      ApiUrl: this.api.api.apiEndpoint,
      ...(this.captions && { EventsUrl: this.captions.url }),
      ...(model !== undefined && { LiveModel: `${model} (${stage.live.compute})` }),
      TableName: jobs.table.tableName,
      BucketName: media.bucket.bucketName,
      NextStep: `npx verbatim token create --stack ${this.stackName}`,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value })
  }
}
