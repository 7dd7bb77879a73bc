import { Duration } from 'aws-cdk-lib'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { DataStack } from '../stacks/data.ts'
import { type Alarms, FIVE_MINUTES, formula } from './alarms.ts'
import type { QueuePair } from './queue-pair.ts'

/** Queues that grow old, messages that died, dead letters that nobody clears away. */
export function watchQueues(alarms: Alarms, { uploads, work, longWork }: DataStack): void {
  alarms.add('uploads-waiting', {
    metric: uploads.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE_MINUTES }),
    atLeast: 600,
    means: 'A recording arrived more than ten minutes ago and its job has not been queued.',
  })
  alarms.add('uploads-dead-letters', {
    ...died(uploads.deadLetters),
    means: 'An arrival could not be handled.',
  })
  watchWork(alarms, 'work', work)
  if (longWork) watchWork(alarms, 'long-work', longWork)
  const dead = Object.entries({ uploads, work, ...(longWork && { longWork }) })
  const ages = dead.map(([name, { deadLetters }]) => [
    name,
    deadLetters.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
  ])
  alarms.add('dead-letters-waiting', {
    metric: formula(
      'age of the oldest',
      `MAX([${dead.map(([name]) => name).join(', ')}])`,
      Object.fromEntries(ages),
    ),
    atLeast: 3600,
    means: 'A dead letter has not been cleared away for an hour, so its job still looks alive.',
  })
}

/** A queue of jobs: `work`, or `longWork` where the GPU workers have their own. */
function watchWork(alarms: Alarms, name: string, { queue, deadLetters }: QueuePair): void {
  alarms.add(`${name}-waiting`, {
    metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE_MINUTES }),
    atLeast: 2 * 3600,
    periods: 3,
    means: 'A job has been unfinished for two hours.',
  })
  alarms.add(`${name}-not-taken`, {
    metric: formula('waiting, nobody at work', 'IF(waiting > 0 AND taken == 0, 1, 0)', {
      waiting: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Minimum' }),
      taken: queue.metricApproximateNumberOfMessagesNotVisible({ statistic: 'Maximum' }),
    }),
    atLeast: 1,
    periods: 4,
    means: 'Jobs have waited for twenty minutes and no worker has taken one.',
  })
  alarms.add(`${name}-dead-letters`, {
    ...died(deadLetters),
    means: 'A job could not be done by any worker.',
  })
}

/** A function empties the queue within seconds, so what counts is not what lies there but that something came. */
function died(queue: Queue) {
  const period = Duration.minutes(5)
  const metric = formula('dead letters', 'waiting + received', {
    waiting: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period }),
    received: queue.metricNumberOfMessagesReceived({ statistic: 'Sum', period }),
  })
  return { metric, atLeast: 1 }
}
