import { describe, expect, it } from '@jest/globals'
import type { Context } from 'aws-lambda'
import { createAwsLog } from '../../../lib/adapters/aws/logger.ts'
import type { LogLevel } from '../../../lib/adapters/log.ts'
import type { LogFields } from '../../../lib/core/ports.ts'

function recorder(level: LogLevel = 'info') {
  const lines: string[] = []
  const log = createAwsLog({ stage: 'dev', level, write: (line) => lines.push(line) })
  return { lines, log, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

const invocation = (awsRequestId: string) =>
  ({
    awsRequestId,
    functionName: 'f',
    invokedFunctionArn: 'arn:aws:lambda:x:123456789012:function:f',
  }) as Context

describe('the log in AWS', () => {
  it('writes one JSON object a line, of the form that the log has everywhere', () => {
    const { log, lines, entries } = recorder()
    log.info('job taken', { jobId: 'J', attempt: 2 })
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('\n')
    expect(entries()[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      ...{ level: 'info', event: 'job taken', service: 'verbatim', stage: 'dev', jobId: 'J', attempt: 2 },
    })
  })

  it('names the invocation a line belongs to, and the cold start in its first one only', () => {
    // As Lambda sets it; without it there is no telling what began the process.
    process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'on-demand'
    const { log, entries } = recorder()
    delete process.env.AWS_LAMBDA_INITIALIZATION_TYPE
    const early = log.with({ jobId: 'J' })
    log.info('before')
    log.begin(invocation('one'))
    early.info('first')
    log.begin(invocation('two'))
    early.info('second')
    const [before, first, second] = entries()
    expect(before).not.toHaveProperty('invocation')
    expect(first).toMatchObject({ invocation: 'one', coldStart: true, jobId: 'J' })
    expect(second).toMatchObject({ invocation: 'two', jobId: 'J' })
    expect(second).not.toHaveProperty('coldStart')
  })

  it('names the trace that Lambda has begun', () => {
    const { log, entries } = recorder()
    process.env._X_AMZN_TRACE_ID =
      'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
    try {
      log.info('x')
    } finally {
      delete process.env._X_AMZN_TRACE_ID
    }
    expect(entries()[0]).toMatchObject({ traceId: '1-5759e988-bd862e3fe1be46a994272793' })
  })

  it('lets nothing through that is not on the list of fields, whatever is thrown into it', () => {
    const { log, lines, entries } = recorder()
    const leaky: object = {
      ...{ jobId: 'J', text: 'spoken', filename: 'spoken.wav', error: new Error('spoken') },
      ...{ message: 'spoken', service: 'spoken', code: { words: 'spoken' } },
    }
    log.with(leaky as LogFields).error('failed', leaky as LogFields)
    log.error('failed', new Error('spoken') as LogFields)
    log.error('failed', { stack: new Error('spoken\n  of much').stack! })
    expect(lines.join()).not.toMatch(/spoken|much|arn:/)
    expect(entries()[0]).toMatchObject({ event: 'failed', jobId: 'J' })
    expect(entries().at(-1)!.stack).toMatch(/^at .*logger\.test\.ts:\d+:\d+/)
  })

  it('cannot be made to write another time, level or event', () => {
    const { log, entries } = recorder()
    log.info('real', { event: 'forged', level: 'error', stage: 'forged', invocation: 'forged' } as LogFields)
    expect(entries()[0]).toMatchObject({ event: 'real', level: 'info', stage: 'dev' })
    expect(entries()[0]).not.toHaveProperty('invocation')
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
