import { PollerEnvironment } from '../../lib/adapters/aws/environment.ts'
import { createTaskProtection } from '../../lib/adapters/aws/task-protection.ts'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { toVerbatimError } from '../../lib/core/errors.ts'
import { liveHandler } from '../events/live.ts'
import { runPump } from '../events/pump.ts'
import type { SqsHandler } from '../events/sqs.ts'
import { workHandler } from '../events/work.ts'
import { composeWorker, type OpenWorker, openWorker } from './compose.ts'
import { composeLiveWorker } from './compose-live-worker.ts'
import { handOn } from './hand-on.ts'

// The program of the ECS service: takes jobs and shards from its queues (`work` and `shards`, or `longWork` and
// `longShards` where there are CPU workers too), sessions from `live`, or both, until SIGTERM, which also comes two
// minutes before a spot instance is taken away
// (ECS_ENABLE_SPOT_INSTANCE_DRAINING).

/** Longer than any pause between two heartbeats of the pump. */
const VISIBILITY_MS = 60_000
/** A session must not wait for that long when its worker has died. */
const LIVE_VISIBILITY_MS = 15_000

async function main(): Promise<void> {
  const { DRAIN_MS, ECS_AGENT_URI, TAKES, SESSIONS } = readEnvironment(PollerEnvironment)
  const opened = await openWorker()
  const { stores, engine, engines, close } = opened
  const { log } = stores
  const stop = new AbortController()
  const drain = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('worker stops', { signal })
      stop.abort()
      setTimeout(() => drain.abort(), DRAIN_MS).unref()
    })
  }
  // Now and not with the first job: a model that does not load must not cost a job one of its attempts.
  await engine.start().catch((error: unknown) => {
    log.error('worker did not start', { code: toVerbatimError(error).code })
    throw error
  })
  log.info('worker started', { model: engine.info.model, count: engines })

  const protection = createTaskProtection({ agentUri: ECS_AGENT_URI, log })
  const protectedFrom = (handler: SqsHandler): SqsHandler => {
    return (event) => protection.during(() => handler(event))
  }
  const lanes = [
    ...(TAKES === 'live' ? [] : batchLanes(opened, drain.signal)),
    ...(TAKES === 'work' ? [] : [liveLane(opened, drain.signal, SESSIONS)]),
  ]
  await Promise.all(
    lanes.map((lane) => runPump({ ...lane, handler: protectedFrom(lane.handler), log, stop: stop.signal })),
  )
  await opened.outgoing.settled()
  await close()
}

/** What cannot be done here any more goes back to the queue it came from. */
function batchLanes(opened: OpenWorker, drain: AbortSignal) {
  const { ports, worker, work, shardWork } = composeWorker(opened)
  const handler = workHandler(ports, { worker, drain })
  // One lane more than there are engines: the next recording is decoded, and the sound of the next shard fetched, while
  // the engines are busy. Recordings have lanes of their own, so that none waits until all shards of another are heard.
  const common = { lanes: opened.engines + 1, visibilityMs: VISIBILITY_MS }
  return [
    { ...common, name: 'work', queue: work, handler: handOn(handler, drain, { from: work, to: work }) },
    {
      ...{ ...common, name: 'shards', queue: shardWork },
      handler: handOn(handler, drain, { from: shardWork, to: shardWork }),
    },
  ]
}

/** What is said now goes before what has been recorded. */
function liveLane(opened: OpenWorker, drain: AbortSignal, lanes: number) {
  const { ports, live } = composeLiveWorker(opened, opened.engine.urgent)
  const handler = liveHandler(ports, { drain })
  return { name: 'live', queue: live, handler, lanes, visibilityMs: LIVE_VISIBILITY_MS }
}

main().catch((error: unknown) => {
  const { code, message, hint, traits } = toVerbatimError(error)
  process.stderr.write(`${code}: ${message}\n${hint}\n`)
  process.exit(traits.exit || 1)
})
