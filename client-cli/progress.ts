import type { JobStatus } from '../lib/core/contract.ts'
import { isTerminal } from '../lib/core/job.ts'
import { progressText, stateText } from './job-text.ts'
import type { Out } from './out.ts'
import { bytesText, clean, percentText } from './text.ts'

/** On a terminal the lines are redrawn at most so often. */
const REDRAW_MS = 100
/** Elsewhere a file that is done sooner than this is not worth a line. */
const QUICK_MS = 3000
/** And a long one is worth a line about how far it is only so often. */
const AGAIN_MS = 30_000
/** The rate is that of the last few seconds. */
const RATE_WINDOW_MS = 5000

/** One file being worked on. */
export interface Row {
  sent(bytes: number, total: number): void
  status(job: JobStatus): void
  /** Takes the row away. */
  end(): void
}

export interface Progress {
  row(label: string): Row
}

/**
 * Shows how far each file is: a line per file on a terminal, else a line per change of state of the slow ones, and one
 * every half minute for those that stay in one state.
 */
export function createProgress(out: Out): Progress {
  return out.pins ? board(out) : journal(out)
}

function board(out: Out): Progress {
  const rows = new Map<object, string>()
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    clearTimeout(timer)
    timer = undefined
    out.pin([...rows.values()])
  }
  const soon = () => {
    timer ??= setTimeout(draw, REDRAW_MS)
  }
  return {
    row(label) {
      const key = {}
      const rateOf = rateMeter()
      const show = (text: string) => {
        const line = `${out.paint('bold', clean(label))}  ${text}`
        if (rows.get(key) !== line) soon()
        rows.set(key, line)
      }
      return {
        sent: (bytes, total) => show(sendingText(bytes, total, rateOf(bytes))),
        status: (job) => show(progressText(job)),
        end() {
          rows.delete(key)
          draw()
        },
      }
    },
  }
}

function journal(out: Out): Progress {
  return {
    row(label) {
      let state = ''
      let told = ''
      let toldAt = 0
      let quick = true
      const tell = (line: string) => {
        out.say(`${clean(label)}: ${line}`)
        toldAt = performance.now()
      }
      const tellState = () => {
        if (state !== told) tell(state)
        told = state
      }
      const timer = setTimeout(() => {
        quick = false
        tellState()
      }, QUICK_MS)
      const show = (next: string, detail = next) => {
        state = next
        if (quick) return
        if (state !== told) tellState()
        else if (detail !== state && performance.now() - toldAt >= AGAIN_MS) tell(detail)
      }
      return {
        sent: (_, total) => show(`uploading ${bytesText(total)}`),
        // The end has a line of its own: the file written, or the failure.
        status: (job) => {
          if (!isTerminal(job.status)) show(stateText(job), progressText(job))
        },
        end: () => clearTimeout(timer),
      }
    },
  }
}

function sendingText(bytes: number, total: number, bytesPerS: number | undefined): string {
  const rate = bytesPerS === undefined ? '' : `  ${bytesText(bytesPerS)}/s`
  return `uploading ${percentText(bytes / total)}  ${bytesText(bytes)} of ${bytesText(total)}${rate}`
}

/** Bytes a second over the last seconds; undefined until there is something to divide. */
export function rateMeter(clock: () => number = () => performance.now()) {
  let samples: Array<{ at: number; bytes: number }> = []
  return (bytes: number): number | undefined => {
    const at = clock()
    // Started again from the beginning: what was sent before does not count.
    if (bytes < (samples.at(-1)?.bytes ?? 0)) samples = []
    samples = samples.filter((sample) => at - sample.at <= RATE_WINDOW_MS)
    samples.push({ at, bytes })
    const first = samples[0]!
    const passed = at - first.at
    return passed < 500 ? undefined : ((bytes - first.bytes) / passed) * 1000
  }
}
