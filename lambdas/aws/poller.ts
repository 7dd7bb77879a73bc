import { PollerEnvironment } from '../../lib/adapters/aws/environment.ts'
import { createTaskProtection } from '../../lib/adapters/aws/task-protection.ts'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { toVerbatimError } from '../../lib/core/errors.ts'
import { runPump } from '../events/pump.ts'
import type { SqsHandler } from '../events/sqs.ts'
import { workHandler } from '../events/work.ts'
import { composeWorker } from './compose.ts'
import { handOn } from './hand-on.ts'

// The program of the ECS service: takes jobs from its queue (`work`, or `longWork` where there are CPU workers too)
// until SIGTERM, which also comes two minutes before a spot instance is taken away (ECS_ENABLE_SPOT_INSTANCE_DRAINING).

/** Longer than any pause between two heartbeats of the pump. */
const VISIBILITY_MS = 60_000

async function main(): Promise<void> {
  const { DRAIN_MS, ECS_AGENT_URI } = readEnvironment(PollerEnvironment)
  const { ports, worker, work, log, engines, close } = await composeWorker()
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
  await ports.engine.start().catch((error: unknown) => {
    log.error('worker did not start', { code: toVerbatimError(error).code })
    throw error
  })
  log.info('worker started', { model: ports.engine.info.model, count: engines })

  const jobs = handOn(workHandler(ports, { worker, drain: drain.signal }), drain.signal, {
    from: work,
    to: work,
  })
  const protection = createTaskProtection({ agentUri: ECS_AGENT_URI, log })
  const handler: SqsHandler = (event) => protection.during(() => jobs(event))
  // One lane more than there are engines: the next recording is decoded while the engines are busy.
  const pump = { name: 'work', queue: work, handler, lanes: engines + 1, visibilityMs: VISIBILITY_MS, log }
  await runPump({ ...pump, stop: stop.signal })
  await close()
}

main().catch((error: unknown) => {
  const { code, message, hint, traits } = toVerbatimError(error)
  process.stderr.write(`${code}: ${message}\n${hint}\n`)
  process.exit(traits.exit || 1)
})
