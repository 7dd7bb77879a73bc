import { Duration } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import {
  COMPUTES,
  type Compute,
  type MetricName,
  namespaceOf,
  SERVICE,
} from '../../adapters/aws/metric-names.ts'
import type { Stage } from '../stages.ts'

export interface AlarmProps {
  readonly metric: IMetric
  /** The alarm is raised at this value or above. */
  readonly atLeast: number
  /** How many periods of the metric in a row; 1 unless said otherwise. */
  readonly periods?: number
  /** In a sentence: what is wrong. */
  readonly means: string
}

/**
 * Alarms of a stage. Each has an article of its name in docs/runbook.md, which a test holds us to. An alarm looks at one
 * metric wherever that can say it: CloudWatch bills the metrics, and not every tool that takes templates knows formulas.
 */
export class Alarms extends Construct {
  readonly #prefix: string
  readonly #topic: ITopic
  readonly all: Alarm[] = []

  constructor(scope: Construct, id: string, { prefix, topic }: { prefix: string; topic: ITopic }) {
    super(scope, id)
    this.#prefix = prefix
    this.#topic = topic
  }

  add(name: string, { metric, atLeast, periods = 1, means }: AlarmProps): void {
    const alarm = new Alarm(this, name, {
      alarmName: `${this.#prefix}-${name}`,
      alarmDescription: `${means} See docs/runbook.md, "${name}".`,
      metric,
      threshold: atLeast,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // Where nothing happens nothing is wrong.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    const action = new SnsAction(this.#topic)
    alarm.addAlarmAction(action)
    alarm.addOkAction(action)
    this.all.push(alarm)
  }
}

export const FIVE_MINUTES = Duration.minutes(5)

/** One number out of several metrics, named by the letters in `expression`. */
export function formula(
  label: string,
  expression: string,
  usingMetrics: Record<string, IMetric>,
  period = FIVE_MINUTES,
): MathExpression {
  return new MathExpression({ label, expression, usingMetrics, period })
}

export interface MeasuredOptions {
  /** Besides `service`. */
  readonly dimensions?: Readonly<Record<string, string>>
  readonly statistic?: string
  readonly period?: Duration
  readonly label?: string
}

/** A metric that our own programs send. */
export function measured(stage: Stage, metricName: MetricName, options: MeasuredOptions = {}): Metric {
  const { dimensions = {}, statistic = 'Sum', period = FIVE_MINUTES, label } = options
  return new Metric({
    ...{ namespace: namespaceOf(stage.name), metricName, statistic, period },
    dimensionsMap: { service: SERVICE, ...dimensions },
    ...(label !== undefined && { label }),
  })
}

/** The kinds of worker that a stage has. */
export const computesOf = ({ compute }: Stage): readonly Compute[] =>
  compute === 'both' ? COMPUTES : [compute]
