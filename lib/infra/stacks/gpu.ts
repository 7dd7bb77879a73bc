import { Stack, type StackProps } from 'aws-cdk-lib'
import { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import { Alarms, FIVE_MINUTES, formula } from '../constructs/alarms.ts'
import { environmentOf } from '../constructs/environment.ts'
import { GpuMachines } from '../constructs/gpu-machines.ts'
import { GpuNetwork } from '../constructs/gpu-network.ts'
import { GpuScaling } from '../constructs/gpu-scaling.ts'
import { GpuWorker } from '../constructs/gpu-worker.ts'
import { LogMetrics } from '../constructs/log-metrics.ts'
import type { Stage } from '../stages.ts'
import type { DataStack } from './data.ts'

export interface GpuStackProps extends StackProps {
  readonly stage: Stage
  readonly data: DataStack
}

/** Workers on GPUs, and the only network of a deployment. Absent where the stage says `compute: 'cpu'`. */
export class GpuStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data, ...props }: GpuStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: GPU workers' })
    const environment = environmentOf(stage, data)
    const network = new GpuNetwork(this, 'Network', stage)
    const machines = new GpuMachines(this, 'Machines', stage, network)
    const { service, logs } = new GpuWorker(this, 'Worker', { stage, data, environment, machines })
    const { queue } = data.work
    const resourceId = `service/${machines.cluster.clusterName}/${service.serviceName}`
    new GpuScaling(this, 'Scaling', { stage, queue, resourceId })
    new LogMetrics(this, 'LogMetrics', stage).ofWorker('gpu', logs)

    const alarms = new Alarms(this, 'Alarms', { prefix: `verbatim-${stage.name}`, topic: data.alarms })
    alarms.add('gpu-no-capacity', {
      metric: formula('waiting, no machine', 'IF(waiting > 0 AND FILL(machines, 0) == 0, 1, 0)', {
        waiting: queue.metricApproximateNumberOfMessagesVisible({
          statistic: 'Minimum',
          period: FIVE_MINUTES,
        }),
        machines: new Metric({
          namespace: 'AWS/AutoScaling',
          metricName: 'GroupInServiceInstances',
          dimensionsMap: { AutoScalingGroupName: machines.group.autoScalingGroupName },
          statistic: 'Maximum',
        }),
      }),
      atLeast: 1,
      periods: 4,
      means: 'Jobs have waited for twenty minutes and AWS has given no machine with a GPU.',
    })
  }
}
