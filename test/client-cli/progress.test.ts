import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { completed } from '../../client-cli/client.ts'
import { failureJson, failureOf } from '../../client-cli/failure.ts'
import { tellEnd, tellEstimate } from '../../client-cli/job-text.ts'
import { createOut } from '../../client-cli/out.ts'
import { createProgress } from '../../client-cli/progress.ts'
import type { JobStatus } from '../../lib/core/contract.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

function screen(isTTY: boolean, quiet = false) {
  let text = ''
  const stderr = { isTTY, write: (piece: unknown) => (text += piece) }
  const out = createOut({
    stdout: { write: (piece) => (text += `stdout ${piece}`) },
    stderr,
    quiet,
    json: false,
    color: false,
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is steered with.
  return { out, read: () => text.replace(/\x1b\[[\d?]*[A-Za-z]/g, '').replaceAll('\r', '') }
}

const base = {
  ...{ jobId: '01JD7Q4N1S8ZK5W0V3T9XHMR2C', filename: 'talk.wav', progress: 0 },
  ...{ createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' },
}
const running = (done: number): JobStatus => ({
  ...base,
  ...{ status: 'PROCESSING', progress: done / 60, durationMs: 3_600_000 },
  ...{ shards: { done, total: 60 }, speed: 14.2, remainingMs: 41_000 },
})
const FAR = '43 %  26 of 60 shards  14.2× speed  about 40 s left'
const done = (more: object = {}) =>
  ({
    ...base,
    ...{ status: 'COMPLETED', progress: 1, durationMs: 3_600_000, completedAt: base.createdAt, ...more },
  }) as Extract<JobStatus, { status: 'COMPLETED' }>
const usage = {
  audioMs: 3_000_000,
  workMs: 3_060_000,
  engineMs: 3e6,
  wallMs: 72_000,
  shards: 48,
  costUsd: 0.51,
}
const gaps = [
  { startMs: 300_000, endMs: 375_000, code: 'engine-crashed' },
  { startMs: 720_000, endMs: 750_000, channel: 1, code: 'engine-crashed' },
]

describe('progress on a terminal', () => {
  it('says how many shards are done, how fast it goes, and what is left', () => {
    const { out, read } = screen(true)
    const row = createProgress(out).row('talk.wav')
    row.status(running(26))
    jest.advanceTimersByTime(200)
    expect(read()).toBe(`talk.wav  transcribing ${FAR}\n`)
    row.end()
  })

  it('says no more than the service does', () => {
    const { out, read } = screen(true)
    const row = createProgress(out).row('talk.wav')
    row.status({ ...base, status: 'PROCESSING', progress: 0.5 })
    jest.advanceTimersByTime(200)
    expect(read()).toBe('talk.wav  transcribing 50 %\n')
    row.end()
  })
})

describe('progress elsewhere', () => {
  it('is a line per state, and then one every half minute', () => {
    const { out, read } = screen(false)
    const row = createProgress(out).row('talk.wav')
    for (let s = 0; s < 80; s++) {
      row.status(s < 10 ? { ...base, status: 'QUEUED' } : running(Math.min(60, s - 9)))
      jest.advanceTimersByTime(1000)
    }
    row.end()
    expect(read().trim().split('\n')).toEqual([
      'talk.wav: queued',
      'talk.wav: transcribing',
      expect.stringMatching(
        /^talk.wav: transcribing 51 % {2}31 of 60 shards {2}14.2× speed {2}about 40 s left$/,
      ),
      expect.stringMatching(/^talk.wav: transcribing 100 % {2}60 of 60/),
    ])
  })

  it('is nothing for a file that is done soon', () => {
    const { out, read } = screen(false)
    const row = createProgress(out).row('talk.wav')
    row.status(running(26))
    row.end()
    jest.advanceTimersByTime(60_000)
    expect(read()).toBe('')
  })
})

describe('a quote', () => {
  const quote = { basis: 'duration', audioMs: 3_600_000, shards: 48, wallMs: 72_000, costUsd: 0.51 } as const

  it('is a line before the upload', () => {
    const { out, read } = screen(false)
    tellEstimate(out, 'talk.wav', quote)
    expect(read()).toBe('talk.wav: takes about 1 min 10 s and $0.51.\n')
  })

  it('says so when it is a guess, and names no price where none is known', () => {
    const { out, read } = screen(false)
    const { costUsd: _, ...free } = quote
    tellEstimate(out, 'talk.mp3', { ...free, basis: 'size' })
    expect(read()).toBe(
      'talk.mp3: takes about 1 min 10 s, probably less: its length is guessed from its size.\n',
    )
  })

  it('is not worth a line for what is done in a moment, nor with --quiet', () => {
    const [loud, quiet] = [screen(true), screen(true, true)]
    tellEstimate(loud.out, 'talk.wav', { ...quote, wallMs: 9999 })
    tellEstimate(quiet.out, 'talk.wav', quote)
    expect(loud.read() + quiet.read()).toBe('')
  })
})

describe('the end', () => {
  it('says on a terminal, and only there, what it took', () => {
    const [terminal, file] = [screen(true), screen(false)]
    tellEnd(terminal.out, 'talk.wav', done({ usage }))
    tellEnd(file.out, 'talk.wav', done({ usage }))
    expect([terminal.read(), file.read()]).toEqual(['talk.wav: 1 h in 1 min 12 s, $0.51.\n', ''])
  })

  it('warns of gaps everywhere, even with --quiet', () => {
    const { out, read } = screen(false, true)
    tellEnd(out, 'talk.wav', done({ gaps }))
    expect(read()).toBe(
      'verbatim: talk.wav: not transcribed: 05:00–06:15, 12:00–12:30 (channel 2) (engine-crashed).\n',
    )
  })

  it('that is a failure of a part keeps its range for --json', () => {
    const range = { startMs: 300_000, endMs: 375_000 }
    const error = { code: 'engine-crashed', message: 'It crashed.', hint: 'Again.', range } as const
    const ended = () => completed({ ...base, status: 'FAILED', error })
    let thrown: unknown
    try {
      ended()
    } catch (it) {
      thrown = it
    }
    expect(failureOf(thrown)).toEqual({ ...error, exit: 7 })
    expect(failureJson(failureOf(thrown))).toEqual(error)
  })
})
