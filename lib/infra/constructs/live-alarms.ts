import type { DataStack } from '../stacks/data.ts'
import type { ServiceStack } from '../stacks/service.ts'
import type { Alarms } from './alarms.ts'
import { oldest, watchDead } from './queue-alarms.ts'
import { watchErrors, watchFunction } from './service-alarms.ts'

/** Webhooks of both lanes, and the live lane where there is one. */
export function watchLive(alarms: Alarms, { live }: DataStack, service: ServiceStack): void {
  const { minutely, captions, liveWorker } = service
  watchErrors(alarms, 'deliver', minutely.deliver.fn)
  if (!live) return
  alarms.add('live-waiting', {
    metric: oldest(live),
    atLeast: 60,
    means: 'What was said in a session has waited for a minute to be heard.',
  })
  watchDead(alarms, 'live', live, 'A session could not be brought further.')
  if (liveWorker) watchFunction(alarms, 'live-worker', liveWorker.fn)
  if (captions) watchErrors(alarms, 'events', captions.function.fn)
  if (minutely.tick) watchErrors(alarms, 'tick', minutely.tick.fn)
  if (minutely.liveDeadLetter) watchErrors(alarms, 'live-dead-letter', minutely.liveDeadLetter.fn)
}
