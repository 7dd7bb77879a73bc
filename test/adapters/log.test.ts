import { describe, expect, it } from '@jest/globals'
import { createLog, type LogLevel } from '../../lib/adapters/log.ts'
import type { LogFields } from '../../lib/core/ports.ts'

function recorder(level: LogLevel = 'info') {
  const lines: string[] = []
  const log = createLog({ level, write: (line) => lines.push(line), clock: () => 1_700_000_000_000 })
  return { lines, log, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('the log', () => {
  it('writes one JSON object a line', () => {
    const { log, lines } = recorder()
    log.info('job-done', { jobId: 'J', ms: 12 })
    expect(lines).toEqual([
      '{"time":"2023-11-14T22:13:20.000Z","level":"info","event":"job-done","jobId":"J","ms":12}',
    ])
  })

  it('lets no field through that is not on the list, nor anything but text and numbers', () => {
    const { log, lines } = recorder()
    const leaky: object = { jobId: 'J', text: 'spoken', filename: 'spoken.wav', code: { words: 'spoken' } }
    log.with(leaky as LogFields).error('failed', leaky as LogFields)
    expect(lines.join()).not.toContain('spoken')
    expect(JSON.parse(lines[0]!)).toMatchObject({ event: 'failed', jobId: 'J' })
  })

  it('cannot be made to write another time, level or event', () => {
    const { log, entries } = recorder()
    log.info('real', { event: 'forged', level: 'error' } as LogFields)
    expect(entries()[0]).toMatchObject({ event: 'real', level: 'info' })
  })

  it('writes the frames of a stack and nothing of its message', () => {
    const { log, lines, entries } = recorder()
    log.error('failed', { stack: new Error('spoken\nover several lines\n    at spoken').stack! })
    expect(lines.join()).not.toMatch(/spoken|several/)
    expect(entries()[0]!.stack).toMatch(/^at .*log\.test\.ts:\d+:\d+/)
  })

  it('keeps the fields it was bound to, the call’s own coming first', () => {
    const { log, entries } = recorder()
    const bound = log.with({ jobId: 'J', attempt: 1 }).with({ tenant: 'acme' })
    bound.info('one', { attempt: 2 })
    log.info('two')
    expect(entries()[0]).toMatchObject({ jobId: 'J', tenant: 'acme', attempt: 2 })
    expect(entries()[1]).not.toHaveProperty('jobId')
  })

  it.each([
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('at level %s writes %j', (level, written) => {
    const { log, entries } = recorder(level)
    for (const each of ['info', 'warn', 'error'] as const) log[each]('x')
    expect(entries().map((entry) => entry.level)).toEqual(written)
  })
})
