import { Duration, Stack } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { Grant } from 'aws-cdk-lib/aws-iam'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Construct } from 'constructs'
import { type FunctionVariables, SECRETS } from '../../adapters/aws/environment.ts'
import { TIMEOUTS } from '../limits.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { SmallFunction } from './small-function.ts'

export interface MinutelyProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
}

/** What is done every minute: webhooks that are due, and sessions that nobody speaks in any more. */
export class Minutely extends Construct {
  readonly deliver: SmallFunction
  /** Undefined without a live lane, as is the next. */
  readonly tick: SmallFunction | undefined
  readonly liveDeadLetter: SmallFunction | undefined

  constructor(scope: Construct, id: string, props: MinutelyProps) {
    super(scope, id)
    this.deliver = this.#deliver(props)
    this.tick = this.#tick(props)
    this.liveDeadLetter = this.#liveDeadLetter(props)
    new Rule(this, 'Minute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      description: 'Verbatim: sends what is due, looks after sessions',
      targets: [this.deliver, ...(this.tick ? [this.tick] : [])].map(
        // The next minute does what this one could not.
        ({ fn }) => new LambdaFunction(fn, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
      ),
    })
  }

  /** Outside of any network of ours, as it must reach whichever address a client names. */
  #deliver({ stage, data, environment }: MinutelyProps): SmallFunction {
    const path = `/verbatim/${stage.name}/`
    const made = new SmallFunction(this, 'Deliver', {
      ...{ stage, timeout: TIMEOUTS.deliver, entry: 'deliver', description: 'Sends webhooks' },
      environment: { ...environment, PARAMETERS: path },
    })
    const { jobs, deliveries } = data
    jobs.grantDeliveries(made.fn)
    jobs.grantReadSessions(made.fn)
    jobs.grantReadJobs(made.fn)
    // Under the key aws/ssm, which lets in whoever may read the parameter.
    const parameter = (name: string) =>
      Stack.of(this).formatArn({ service: 'ssm', resource: 'parameter', resourceName: path.slice(1) + name })
    Grant.addToPrincipal({
      ...{ grantee: made.fn, actions: ['ssm:GetParameters'], resourceArns: SECRETS.map(parameter) },
    })
    made.fn.addEventSource(
      new SqsEventSource(deliveries, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
    )
    return made
  }

  #tick({ stage, data: { jobs, live }, environment }: MinutelyProps): SmallFunction | undefined {
    if (!live) return undefined
    const made = new SmallFunction(this, 'Tick', {
      ...{ stage, environment, timeout: TIMEOUTS.small, entry: 'tick' },
      description: 'Closes sessions in which nobody speaks any more',
    })
    jobs.grantSessions(made.fn)
    live.queue.grantSendMessages(made.fn)
    return made
  }

  #liveDeadLetter({ stage, data: { jobs, live }, environment }: MinutelyProps): SmallFunction | undefined {
    if (!live) return undefined
    const made = new SmallFunction(this, 'LiveDeadLetter', {
      ...{ stage, environment, timeout: TIMEOUTS.small, entry: 'live-dead-letter' },
      description: 'Nobody could bring this session further: who asks for it is told',
    })
    jobs.grantSessions(made.fn)
    made.fn.addEventSource(
      new SqsEventSource(live.deadLetters, {
        batchSize: 10,
        reportBatchItemFailures: true,
        maxConcurrency: 2,
      }),
    )
    return made
  }
}
