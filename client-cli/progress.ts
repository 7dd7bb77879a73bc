import type { JobStatus } from '../lib/core/contract.ts'
import { isTerminal } from '../lib/core/job.ts'
import type { Out } from './out.ts'
import { bytesText, clean, percentText } from './text.ts'

/** On a terminal the lines are redrawn at most so often. */
const REDRAW_MS = 100
/** Elsewhere a file that is done sooner than this is not worth a line. */
const QUICK_MS = 3000
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

/** Shows how far each file is: a line per file on a terminal, else a line per change of state of the slow ones. */
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
        status: (job) => show(statusText(job)),
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
      let quick = true
      const tell = () => {
        if (state !== told) out.say(`${clean(label)}: ${state}`)
        told = state
      }
      const timer = setTimeout(() => {
        quick = false
        tell()
      }, QUICK_MS)
      const show = (next: string) => {
        state = next
        if (!quick) tell()
      }
      return {
        sent: (_, total) => show(`uploading ${bytesText(total)}`),
        // The end has a line of its own: the file written, or the failure.
        status: (job) => {
          if (!isTerminal(job.status)) show(stateText(job))
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

function statusText(job: JobStatus): string {
  return job.status === 'PROCESSING' ? `${stateText(job)} ${percentText(job.progress)}` : stateText(job)
}

/** The service's states in a person's words. UPLOADING: every byte is there, the service has not looked yet. */
function stateText({ status }: JobStatus): string {
  const words = { UPLOADING: 'queued', QUEUED: 'queued', PROCESSING: 'transcribing' } as const
  return status in words ? words[status as keyof typeof words] : status.toLowerCase()
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
