import { Duration } from 'aws-cdk-lib'
import {
  AdjustmentType,
  ScalableTarget,
  ServiceNamespace,
  StepScalingAction,
} from 'aws-cdk-lib/aws-applicationautoscaling'
import { Alarm, ComparisonOperator, type MathExpression } from 'aws-cdk-lib/aws-cloudwatch'
import { ApplicationScalingAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Construct } from 'constructs'
import type { Stage } from '../stages.ts'
import { formula } from './alarms.ts'
import type { GpuQueues } from './gpu-queues.ts'
import type { QueuePair } from './queue-pair.ts'

const MINUTE = Duration.minutes(1)

const seen = { statistic: 'Maximum', period: MINUTE }
const waiting = ({ queue }: QueuePair) => queue.metricApproximateNumberOfMessagesVisible(seen)
const taken = ({ queue }: QueuePair) => queue.metricApproximateNumberOfMessagesNotVisible(seen)

/**
 * How many tasks there should be: enough for the backlog of recordings and shards together, and never fewer than are at
 * work. A task takes a recording and a shard more than it has engines, to make them ready meanwhile; of sessions none
 * should wait. The number itself is the metric, so each step is an exact count and nothing overshoots while machines boot.
 */
export function wantedTasks({ batch, live }: GpuQueues, stage: Stage): MathExpression {
  const counts = [
    ...(batch ? batchCounts(stage) : []),
    ...(live ? [`CEIL((liveWaiting + liveTaken) / ${stage.live.sessionsAtOnce})`] : []),
  ]
  const usingMetrics = {
    ...(batch && { waiting: waiting(batch.jobs), taken: taken(batch.jobs) }),
    ...(batch && { shardsWaiting: waiting(batch.shards), shardsTaken: taken(batch.shards) }),
    ...(live && { liveWaiting: waiting(live), liveTaken: taken(live) }),
  }
  return formula('wanted tasks', `MAX([${counts.join(', ')}])`, usingMetrics, MINUTE)
}

/** A queue that had no message for hours has no metrics; that of shards may have none when a recording comes. */
const SHARDS = { waiting: 'FILL(shardsWaiting, 0)', taken: 'FILL(shardsTaken, 0)' }

function batchCounts({ gpu: { backlogPerTask, shardsPerTask, jobsAtOnce } }: Stage): string[] {
  const shards = `(${SHARDS.waiting} + ${SHARDS.taken}) / ${shardsPerTask}`
  return [
    `CEIL((waiting + taken) / ${backlogPerTask} + ${shards})`,
    `CEIL(taken / ${jobsAtOnce + 1})`,
    `CEIL(${SHARDS.taken} / ${jobsAtOnce + 1})`,
  ]
}

export interface GpuScalingProps extends GpuQueues {
  readonly stage: Stage
  readonly resourceId: string
}

/** Grows at once, and goes to zero (or what must stay for sessions) when there was nothing to do for ten minutes. */
export class GpuScaling extends Construct {
  constructor(scope: Construct, id: string, { stage, resourceId, ...queues }: GpuScalingProps) {
    super(scope, id)
    const { maxTasks } = stage.gpu
    const minTasks = queues.live ? stage.live.minTasks : 0
    const scalingTarget = new ScalableTarget(this, 'Tasks', {
      serviceNamespace: ServiceNamespace.ECS,
      scalableDimension: 'ecs:service:DesiredCount',
      ...{ resourceId, minCapacity: minTasks, maxCapacity: maxTasks },
    })
    const exact = { scalingTarget, adjustmentType: AdjustmentType.EXACT_CAPACITY }
    const metric = wantedTasks(queues, stage)

    const grow = new StepScalingAction(this, 'Grow', exact)
    // Bounds count from the alarm's threshold, which is 1.
    for (let tasks = 1; tasks <= maxTasks; tasks++) {
      const upperBound = tasks < maxTasks ? { upperBound: tasks } : {}
      grow.addAdjustment({ adjustment: tasks, lowerBound: tasks - 1, ...upperBound })
    }
    new Alarm(this, 'Backlog', {
      ...{ metric, threshold: 1, evaluationPeriods: 1 },
      alarmDescription: 'Not a fault: starts GPU tasks.',
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    }).addAlarmAction(new ApplicationScalingAction(grow))

    const rest = new StepScalingAction(this, 'Rest', exact)
    rest.addAdjustment({ adjustment: minTasks, upperBound: 0 })
    new Alarm(this, 'Idle', {
      ...{ metric, threshold: 0, evaluationPeriods: 10 },
      alarmDescription: 'Not a fault: stops GPU tasks.',
      comparisonOperator: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
    }).addAlarmAction(new ApplicationScalingAction(rest))
  }
}
