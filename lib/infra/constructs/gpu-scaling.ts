import { Duration } from 'aws-cdk-lib'
import {
  AdjustmentType,
  ScalableTarget,
  ServiceNamespace,
  StepScalingAction,
} from 'aws-cdk-lib/aws-applicationautoscaling'
import { Alarm, ComparisonOperator, type MathExpression } from 'aws-cdk-lib/aws-cloudwatch'
import { ApplicationScalingAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Stage } from '../stages.ts'
import { formula } from './alarms.ts'

const MINUTE = Duration.minutes(1)

/**
 * How many tasks there should be: enough for the backlog, and never fewer than are at work. A task takes a recording
 * more than it has engines, to decode it meanwhile. The number itself is the
 * metric, so each step is an exact count and nothing overshoots while machines boot.
 */
export function wantedTasks(queue: Queue, { gpu: { backlogPerTask, jobsAtOnce } }: Stage): MathExpression {
  const expression = `MAX([CEIL((waiting + taken) / ${backlogPerTask}), CEIL(taken / ${jobsAtOnce + 1})])`
  const usingMetrics = {
    waiting: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: MINUTE }),
    taken: queue.metricApproximateNumberOfMessagesNotVisible({ statistic: 'Maximum', period: MINUTE }),
  }
  return formula('wanted tasks', expression, usingMetrics, MINUTE)
}

/** Grows at once, and goes to zero when there has been nothing to do for ten minutes. */
export class GpuScaling extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { stage, queue, resourceId }: { stage: Stage; queue: Queue; resourceId: string },
  ) {
    super(scope, id)
    const { maxTasks } = stage.gpu
    const scalingTarget = new ScalableTarget(this, 'Tasks', {
      serviceNamespace: ServiceNamespace.ECS,
      scalableDimension: 'ecs:service:DesiredCount',
      ...{ resourceId, minCapacity: 0, maxCapacity: maxTasks },
    })
    const exact = { scalingTarget, adjustmentType: AdjustmentType.EXACT_CAPACITY }
    const metric = wantedTasks(queue, stage)

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
    rest.addAdjustment({ adjustment: 0, upperBound: 0 })
    new Alarm(this, 'Idle', {
      ...{ metric, threshold: 0, evaluationPeriods: 10 },
      alarmDescription: 'Not a fault: stops GPU tasks.',
      comparisonOperator: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
    }).addAlarmAction(new ApplicationScalingAction(rest))
  }
}
