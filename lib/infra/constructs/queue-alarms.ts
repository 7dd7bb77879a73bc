import { Duration } from 'aws-cdk-lib'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { DataStack } from '../stacks/data.ts'
import { type Alarms, FIVE_MINUTES, formula } from './alarms.ts'

/** Queues that grow old, messages that died, dead letters that nobody clears away. */
export function watchQueues(alarms: Alarms, { uploads, work }: DataStack): void {
  alarms.add('uploads-waiting', {
    metric: uploads.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE_MINUTES }),
    atLeast: 600,
    means: 'A recording arrived more than ten minutes ago and its job has not been queued.',
  })
  alarms.add('work-waiting', {
    metric: work.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE_MINUTES }),
    atLeast: 2 * 3600,
    periods: 3,
    means: 'A job has been unfinished for two hours.',
  })
  alarms.add('work-not-taken', {
    metric: formula('waiting, nobody at work', 'IF(waiting > 0 AND taken == 0, 1, 0)', {
      waiting: work.queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Minimum' }),
      taken: work.queue.metricApproximateNumberOfMessagesNotVisible({ statistic: 'Maximum' }),
    }),
    atLeast: 1,
    periods: 4,
    means: 'Jobs have waited for twenty minutes and no worker has taken one.',
  })
  alarms.add('uploads-dead-letters', {
    ...died(uploads.deadLetters),
    means: 'An arrival could not be handled.',
  })
  alarms.add('work-dead-letters', {
    ...died(work.deadLetters),
    means: 'A job could not be done by any worker.',
  })
  alarms.add('dead-letters-waiting', {
    metric: formula('age of the oldest', 'MAX([uploads, work])', {
      uploads: uploads.deadLetters.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
      work: work.deadLetters.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
    }),
    atLeast: 3600,
    means: 'A dead letter has not been cleared away for an hour, so its job still looks alive.',
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
