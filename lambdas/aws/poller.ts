import { toVerbatimError } from '../../lib/core/errors.ts'
import { runPump } from '../../local/pump.ts'
import { workHandler } from '../events/work.ts'
import { composeWorker } from './compose.ts'
import { handOn } from './hand-on.ts'

// The program of the ECS service: takes jobs from SQS `work` until SIGTERM, which also comes two minutes before a spot
// instance is taken away (ECS_ENABLE_SPOT_INSTANCE_DRAINING).

/** Longer than any pause between two heartbeats of the pump. */
const VISIBILITY_MS = 60_000

/** How long running jobs may go on. ECS kills a task 30 s after SIGTERM, unless it is told otherwise (stopTimeout). */
const DRAIN_MS = 10_000

async function main(): Promise<void> {
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
  await ports.engine.start()
  log.info('worker started', { model: ports.engine.info.model, count: engines })

  const handler = handOn(workHandler(ports, { worker, drain: drain.signal }), drain.signal, work)
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
