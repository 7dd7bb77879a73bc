import { toVerbatimError } from '../lib/core/errors.ts'
import type { Log } from '../lib/core/ports.ts'

/** Something that is done again and again. */
export interface Tick {
  readonly name: string
  /** Pause between two runs. */
  readonly everyMs: number
  /** `stop` fires when the service ends. */
  run(stop: AbortSignal): Promise<unknown>
  /** Lets the tick know how it is told that there is something to do before its time. */
  onWake?(wake: () => void): void
}

/** What EventBridge's schedules do in AWS. Ends with `stop`; a run that fails is logged, and the next one comes. */
export async function runTick(
  { name, everyMs, run, onWake }: Tick,
  { log, stop }: { log: Log; stop: AbortSignal },
): Promise<void> {
  let woken = false
  let end = () => {}
  onWake?.(() => {
    woken = true
    end()
  })
  stop.addEventListener('abort', () => end(), { once: true })
  while (!stop.aborted) {
    woken = false
    try {
      await run(stop)
    } catch (error) {
      const stack = error instanceof Error ? (error.stack ?? '') : ''
      log.error('tick failed', { queue: name, code: toVerbatimError(error).code, stack })
    }
    if (woken || stop.aborted) continue
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs)
      end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
