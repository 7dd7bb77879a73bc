import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Api } from '../constructs/api.ts'
import { Consumers } from '../constructs/consumers.ts'
import { CpuWorker } from '../constructs/cpu-worker.ts'
import { environmentOf } from '../constructs/environment.ts'
import type { Stage } from '../stages.ts'
import type { DataStack } from './data.ts'

export interface ServiceStackProps extends StackProps {
  readonly stage: Stage
  readonly data: DataStack
}

/** Everything that holds nothing: it can be deleted and deployed again. */
export class ServiceStack extends Stack {
  readonly api: Api
  readonly consumers: Consumers
  readonly worker: CpuWorker | undefined

  constructor(scope: Construct, id: string, { stage, data, ...props }: ServiceStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: API, queue consumers, CPU workers' })
    const environment = environmentOf(stage, data)
    const parts = { stage, data, environment }
    this.api = new Api(this, 'Api', parts)
    this.consumers = new Consumers(this, 'Consumers', parts)
    this.worker = stage.compute === 'gpu' ? undefined : new CpuWorker(this, 'Worker', parts)

    this.#tell(this.api, data)
  }

  #tell({ api }: Api, { jobs, media }: DataStack): void {
    const outputs = {
      ApiUrl: api.apiEndpoint,
      TableName: jobs.table.tableName,
      BucketName: media.bucket.bucketName,
      NextStep: `npx verbatim token create --stack ${this.stackName}`,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value })
  }
}
