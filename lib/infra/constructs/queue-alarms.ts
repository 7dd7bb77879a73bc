import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { type Alarms, FIVE_MINUTES } from './alarms.ts'
import type { QueuePair } from './queue-pair.ts'

/** Queues that grow old, messages that died, dead letters that nobody clears away. */
export function watchQueues(alarms: Alarms, stage: Stage, data: DataStack): void {
  const { uploads, work, shards, longWork, longShards } = data
  alarms.add('uploads-waiting', {
    metric: oldest(uploads),
    atLeast: 600,
    means: 'A recording arrived more than ten minutes ago and its job has not been queued.',
  })
  watchDead(alarms, 'uploads', uploads, 'An arrival could not be handled.')
  watchWork(alarms, 'work', work)
  if (stage.compute !== 'gpu') watchBacklog(alarms, work)
  watchShards(alarms, 'shards', shards, stage.compute === 'gpu' ? 2 * HOUR_S : HOUR_S / 2)
  if (longWork) watchWork(alarms, 'long-work', longWork)
  if (longShards) watchShards(alarms, 'long-shards', longShards, 2 * HOUR_S)
}

const HOUR_S = 3600

/** A queue of jobs: `work`, or `longWork` where the GPU workers have their own. */
function watchWork(alarms: Alarms, name: string, pair: QueuePair): void {
  alarms.add(`${name}-waiting`, {
    metric: oldest(pair),
    atLeast: 2 * HOUR_S,
    periods: 3,
    means: 'A job has been unfinished for two hours.',
  })
  watchDead(alarms, name, pair, 'A job could not be done by any worker.')
}

/** A shard takes a minute or two. On processors there is a worker for it at once; GPU workers let some wait. */
function watchShards(alarms: Alarms, name: string, pair: QueuePair, seconds: number): void {
  alarms.add(`${name}-waiting`, {
    metric: oldest(pair),
    atLeast: seconds,
    periods: 3,
    means: `A shard of a recording has been unheard for ${seconds / 60} minutes.`,
  })
  watchDead(alarms, name, pair, 'A shard could not be heard by any worker.')
}

/**
 * CPU workers take a job within seconds, so that some have waited all the time is wrong or too much. GPU workers let a
 * few wait before another machine is paid for: theirs is `gpu-not-taken`.
 */
function watchBacklog(alarms: Alarms, { queue }: QueuePair): void {
  alarms.add('work-backlog', {
    metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Minimum', period: FIVE_MINUTES }),
    atLeast: 1,
    periods: 6,
    means: 'For half an hour jobs have waited: no worker takes them, or more come than the workers can do.',
  })
}

export function watchDead(alarms: Alarms, name: string, { deadLetters }: QueuePair, means: string): void {
  alarms.add(`${name}-dead-letters`, {
    // A function takes each within seconds, so what counts is not what lies there but that something was taken. What
    // moves to a queue of dead letters by itself does not count as sent to it.
    metric: deadLetters.metricNumberOfMessagesReceived({ statistic: 'Sum', period: FIVE_MINUTES }),
    atLeast: 1,
    means,
  })
  alarms.add(`${name}-dead-letters-waiting`, {
    metric: oldest({ queue: deadLetters }),
    atLeast: 3600,
    means: 'A dead letter has not been cleared away for an hour, so what it names still looks well.',
  })
}

export const oldest = ({ queue }: Pick<QueuePair, 'queue'>) =>
  queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE_MINUTES })
