import type { Estimate, Gap, JobStatus } from '../lib/core/contract.ts'
import { rangeText } from '../lib/core/transcript/gaps.ts'
import type { Out } from './out.ts'
import { aboutText, clean, dollarsText, percentText, spanText } from './text.ts'

// What a job is, in a person's words.

/** A quote for less is not worth a line. */
const QUICK_MS = 10_000

/** The service's states. UPLOADING: every byte is there, the service has not looked yet. */
export function stateText({ status }: JobStatus): string {
  const words = { UPLOADING: 'queued', QUEUED: 'queued', PROCESSING: 'transcribing' } as const
  return status in words ? words[status as keyof typeof words] : status.toLowerCase()
}

/** `43 %`, `26 of 60 shards`, `14.2× speed`, `about 40 s left`: as far as they are known. Empty unless it runs. */
export function howFar(job: JobStatus): string[] {
  if (job.status !== 'PROCESSING') return []
  const { progress, shards, speed, remainingMs } = job
  return [
    percentText(progress),
    ...(shards ? [`${shards.done} of ${shards.total} shards`] : []),
    ...(speed === undefined ? [] : [`${Number(speed.toFixed(speed < 1 ? 2 : 1))}× speed`]),
    ...(remainingMs === undefined ? [] : [`${aboutText(remainingMs)} left`]),
  ]
}

/** Both in one: `transcribing 43 %  26 of 60 shards  14.2× speed  about 40 s left`. */
export function progressText(job: JobStatus): string {
  const [share, ...rest] = howFar(job)
  return share === undefined ? stateText(job) : [`${stateText(job)} ${share}`, ...rest].join('  ')
}

/** `05:00–06:15, 12:00–12:30 (channel 2)` */
export const gapsText = (gaps: readonly Gap[]): string =>
  gaps
    .map((gap) => rangeText(gap) + (gap.channel === undefined ? '' : ` (channel ${gap.channel + 1})`))
    .join(', ')

/** Says what a job will take, where that is long enough to matter. */
export function tellEstimate(out: Out, label: string, { basis, wallMs, costUsd }: Estimate): void {
  if (wallMs < QUICK_MS) return
  const cost = costUsd === undefined ? '' : ` and ${dollarsText(costUsd)}`
  const rough = basis === 'size' ? ', probably less: its length is guessed from its size' : ''
  out.say(`${clean(label)}: takes ${aboutText(wallMs)}${cost}${rough}.`)
}

/** Warns of gaps, also with --quiet; on a terminal also says what the job took. */
export function tellEnd(out: Out, label: string, job: Extract<JobStatus, { status: 'COMPLETED' }>): void {
  const { durationMs, usage, gaps = [] } = job
  if (usage && out.pins) {
    const cost = usage.costUsd === undefined ? '' : `, ${dollarsText(usage.costUsd)}`
    out.say(`${clean(label)}: ${spanText(durationMs)} in ${spanText(usage.wallMs)}${cost}.`)
  }
  if (gaps.length === 0) return
  const codes = [...new Set(gaps.map(({ code }) => code))].join(', ')
  const line = `${clean(label)}: not transcribed: ${gapsText(gaps)} (${clean(codes)}).`
  out.warn(`${out.paint('yellow', 'verbatim:')} ${line}`)
}
