import { CrossStackReferences, ReferenceStrength, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Alarms } from '../constructs/alarms.ts'
import { Overview } from '../constructs/dashboard.ts'
import { LogMetrics } from '../constructs/log-metrics.ts'
import { watchQueues } from '../constructs/queue-alarms.ts'
import {
  watchApi,
  watchConsumers,
  watchCpuWorker,
  watchLogs,
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

/** Alarms, metrics from logs, the dashboard: what looks at the service and what the service does not need. */
export class MonitoringStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data, service, ...props }: MonitoringStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: alarms and dashboard' })
    // An alarm must not keep the function it watches from being replaced or taken away.
    CrossStackReferences.of(this).consume(ReferenceStrength.WEAK)
    const { api, consumers, worker } = service

    const logs = new LogMetrics(this, 'LogMetrics', stage)
    for (const [name, fn] of Object.entries(api.functions)) logs.ofService(name, fn.logs)
    logs.ofService('onUpload', consumers.onUpload.logs)
    logs.ofService('deadLetter', consumers.deadLetter.logs)
    if (worker) logs.ofWorker('worker', worker.logs)

    const alarms = new Alarms(this, 'Alarms', { prefix: `verbatim-${stage.name}`, topic: data.alarms })
    watchApi(alarms, api)
    watchConsumers(alarms, consumers)
    if (worker) watchCpuWorker(alarms, worker)
    watchQueues(alarms, data)
    watchLogs(alarms, stage)
    watchTable(alarms, data)
    new Overview(this, 'Overview', { stage, data, api, worker })
  }
}
