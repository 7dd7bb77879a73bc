import { Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Alarms } from '../constructs/alarms.ts'
import { Overview } from '../constructs/dashboard.ts'
import { watchLive } from '../constructs/live-alarms.ts'
import { watchQueues } from '../constructs/queue-alarms.ts'
import {
  watchApi,
  watchConsumers,
  watchCpuWorker,
  watchJobs,
  watchTable,
} from '../constructs/service-alarms.ts'
import type { Stage } from '../stages.ts'
import type { DataStack } from './data.ts'
import type { ServiceStack } from './service.ts'

export interface MonitoringStackProps extends StackProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly service: ServiceStack
}

/** Alarms and the dashboard: what looks at the service and what the service does not need. */
export class MonitoringStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data, service, ...props }: MonitoringStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: alarms and dashboard' })
    const { api, consumers, worker, liveWorker } = service

    const alarms = new Alarms(this, 'Alarms', { prefix: `verbatim-${stage.name}`, topic: data.alarms })
    watchApi(alarms, api)
    watchConsumers(alarms, consumers)
    if (worker) watchCpuWorker(alarms, worker)
    watchQueues(alarms, stage, data)
    watchJobs(alarms, stage)
    watchTable(alarms, data)
    watchLive(alarms, data, service)
    new Overview(this, 'Overview', { stage, data, api, worker, liveWorker })
  }
}
