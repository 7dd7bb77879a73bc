import { type IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Ec2Service } from 'aws-cdk-lib/aws-ecs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { type Alarms, formula } from './alarms.ts'
import type { GpuMachines } from './gpu-machines.ts'

export interface GpuParts {
  /** What the workers take from. */
  readonly queues: readonly Queue[]
  readonly machines: GpuMachines
  readonly service: Ec2Service
}

/**
 * No machine comes, the tasks on it do not run, or run and take nothing: the ways in which jobs wait for a GPU. Each is
 * wrong only while something else is true, so these are formulas: one metric alone is also that of a queue in which some
 * jobs wait until another machine is worth its price, or of a service that rests.
 */
export function watchGpu(alarms: Alarms, { queues, machines, service }: GpuParts): void {
  const inService = new Metric({
    namespace: 'AWS/AutoScaling',
    metricName: 'GroupInServiceInstances',
    dimensionsMap: { AutoScalingGroupName: machines.group.autoScalingGroupName },
    statistic: 'Maximum',
  })
  const waiting = total(queues, 'waiting', (queue) =>
    queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Minimum' }),
  )
  const taken = total(queues, 'taken', (queue) =>
    queue.metricApproximateNumberOfMessagesNotVisible({ statistic: 'Maximum' }),
  )
  alarms.add('gpu-no-capacity', {
    metric: formula('waiting, no machine', `IF(${waiting.sum} > 0 AND FILL(machines, 0) == 0, 1, 0)`, {
      ...waiting.metrics,
      machines: inService,
    }),
    atLeast: 1,
    periods: 4,
    means: 'Jobs have waited for twenty minutes and AWS has given no machine with a GPU.',
  })
  alarms.add('gpu-not-taken', {
    metric: formula('waiting, nobody at work', `IF(${waiting.sum} > 0 AND ${taken.sum} == 0, 1, 0)`, {
      ...waiting.metrics,
      ...taken.metrics,
    }),
    atLeast: 1,
    periods: 4,
    means: 'Jobs have waited for twenty minutes and no GPU worker has taken one.',
  })
  const count = (metricName: string, statistic: string) =>
    new Metric({
      ...{ namespace: 'ECS/ContainerInsights', metricName, statistic },
      dimensionsMap: { ClusterName: machines.cluster.clusterName, ServiceName: service.serviceName },
    })
  const down = 'IF(FILL(machines, 0) > 0 AND FILL(desired, 0) > 0 AND FILL(running, 0) == 0, 1, 0)'
  alarms.add('gpu-tasks-not-running', {
    metric: formula('machines, no task', down, {
      machines: inService,
      desired: count('DesiredTaskCount', 'Minimum'),
      // A task that crashes is started again, and counts as running in between: it must have been so the whole time.
      running: count('RunningTaskCount', 'Minimum'),
    }),
    atLeast: 1,
    // The image with its model takes some minutes to be pulled, and the model to be loaded.
    periods: 6,
    means: 'There is a machine with a GPU, but for half an hour no task has kept running on it.',
  })
}

/** A sum over queues. One that had no message for hours has no metrics: it counts as empty. */
function total(queues: readonly Queue[], name: string, of: (queue: Queue) => IMetric) {
  const named = queues.map((queue, index) => [`${name}${index}`, of(queue)] as const)
  return {
    sum: `(${named.map(([id]) => `FILL(${id}, 0)`).join(' + ')})`,
    metrics: Object.fromEntries(named),
  }
}
