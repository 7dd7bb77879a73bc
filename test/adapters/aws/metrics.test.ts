import { describe, expect, it } from '@jest/globals'
import * as z from 'zod'
import { HEARD, METRICS } from '../../../lib/adapters/aws/metric-names.ts'
import { type MeterOptions, meteredLog } from '../../../lib/adapters/aws/metrics.ts'
import { createLog } from '../../../lib/adapters/log.ts'
import { ERRORS } from '../../../lib/core/errors.ts'

/**
 * A line of the embedded metric format, as its specification has it: what `_aws` names stands beside it, dimensions as
 * text and values as numbers.
 */
const Line = z
  .looseObject({
    _aws: z.strictObject({
      Timestamp: z.int(),
      CloudWatchMetrics: z.tuple([
        z.strictObject({
          Namespace: z.string().min(1),
          Dimensions: z.tuple([z.array(z.string()).min(1).max(30)]),
          Metrics: z
            .array(z.strictObject({ Name: z.string(), Unit: z.enum(['Count', 'Milliseconds', 'None']) }))
            .min(1)
            .max(100),
        }),
      ]),
    }),
  })
  .transform(({ _aws, ...members }) => {
    const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics
    const [names] = Dimensions
    expect(Object.keys(members).sort()).toEqual([...names, ...Metrics.map(({ Name }) => Name)].sort())
    return {
      namespace: Namespace,
      dimensions: Object.fromEntries(names.map((name) => [name, z.string().min(1).parse(members[name])])),
      values: Object.fromEntries(Metrics.map(({ Name }) => [Name, z.number().parse(members[Name])])),
    }
  })

function meter(options: Partial<MeterOptions> = {}, level: 'info' | 'silent' = 'info') {
  const lines: string[] = []
  const logged: string[] = []
  const log = createLog({ level, write: (line) => logged.push(line) })
  const write = (line: string) => void lines.push(line)
  return {
    logged,
    log: meteredLog(log, { stage: 'dev', compute: 'cpu', dollarsPerHour: 0.6, write, ...options }),
    sent: () => lines.map((line) => Line.parse(JSON.parse(line))),
  }
}

const DONE = { code: 'finished', ms: 30_000, audioMs: 60_000, words: 140 } as const

describe('metrics', () => {
  it('tell of each job that is done how long it took, what was heard and what it cost', () => {
    const { log, sent } = meter()
    log.with({ jobId: 'J', tenant: 'acme' }).info('job transcribed', DONE)
    expect(sent()).toEqual([
      {
        namespace: 'Verbatim/dev',
        dimensions: { service: 'verbatim', compute: 'cpu' },
        values: {
          ...{ JobsDone: 1, JobMs: 30_000, AudioMs: 60_000, RealTimeFactor: 0.5, WordsPerMinute: 140 },
          CostPerAudioHour: 0.3,
        },
      },
      { namespace: 'Verbatim/dev', dimensions: { service: 'verbatim' }, values: { NothingHeard: HEARD } },
    ])
  })

  it.each(['cpu', 'gpu'] as const)(
    'add up to jobs in which nothing was heard only while all are (%s)',
    (compute) => {
      const { log, sent } = meter({ compute })
      const sum = () => sent().reduce((total, { values }) => total + (values[METRICS.nothingHeard] ?? 0), 0)
      for (let job = 0; job < 5; job++) log.info('job transcribed', { ...DONE, words: 0 })
      expect(sum()).toBe(5)
      expect(new Set(sent().map(({ dimensions }) => JSON.stringify(dimensions))).size).toBe(2)
      log.info('job transcribed', { ...DONE, words: 1 })
      for (let job = 0; job < 100; job++) log.info('job transcribed', { ...DONE, words: 0 })
      expect(sum()).toBeLessThan(0)
    },
  )

  it('say nothing of words where they were not counted', () => {
    const { log, sent } = meter()
    log.info('job transcribed', { code: 'finished', ms: 30_000, audioMs: 60_000 })
    expect(sent()).toHaveLength(1)
    expect(sent()[0]!.values).not.toHaveProperty(METRICS.wordsPerMinute)
  })

  it('are sent with each event at once, and none twice', () => {
    const { log, sent } = meter()
    log.info('job transcribed', DONE)
    expect(sent()).toHaveLength(2)
    log.info('job transcribed', { ...DONE, ms: 60_000 })
    expect(sent().flatMap(({ values }) => values.RealTimeFactor ?? [])).toEqual([0.5, 1])
  })

  it('do not count a job whose transcript somebody else has written or stopped', () => {
    const { log, sent } = meter()
    for (const code of ['stopped', 'taken-over', 'ended']) log.info('job transcribed', { ...DONE, code })
    expect(sent()).toEqual([])
  })

  it('leave the cost out where no price is known', () => {
    const { log, sent } = meter({ compute: 'gpu', dollarsPerHour: undefined })
    log.info('job transcribed', DONE)
    expect(sent()[0]!.dimensions).toEqual({ service: 'verbatim', compute: 'gpu' })
    expect(sent()[0]!.values).not.toHaveProperty(METRICS.costPerAudioHour)
  })

  it('count failed jobs by code, and those that are our fault once more', () => {
    const { log, sent } = meter()
    log.warn('job failed', { code: 'bad-audio' })
    log.warn('job failed', { code: 'disk-full' })
    log.warn('attempt failed', { code: 'disk-full' })
    expect(sent().map(({ dimensions, values }) => [dimensions, values])).toEqual([
      [{ service: 'verbatim', code: 'bad-audio' }, { JobsFailed: 1 }],
      [{ service: 'verbatim', code: 'disk-full' }, { JobsFailed: 1 }],
      [{ service: 'verbatim' }, { JobsFailedByUs: 1 }],
    ])
  })

  it('tell how long each shard took, by the kind of worker, and no job of it', () => {
    const { log, sent } = meter({ compute: 'gpu' })
    log.with({ jobId: 'J', tenant: 'acme' }).info('shard heard', { count: 3, audioMs: 75_000, ms: 40_000 })
    const dimensions = { service: 'verbatim', compute: 'gpu' }
    expect(sent()).toEqual([{ namespace: 'Verbatim/dev', dimensions, values: { ShardMs: 40_000 } }])
  })

  it('count attempts at shards that failed for a reason of ours', () => {
    const { log, sent } = meter()
    log.warn('shard failed', { code: 'engine-crashed', attempt: 1, count: 3 })
    log.warn('shard failed', { code: 'bad-audio', attempt: 1, count: 3 })
    expect(sent().map(({ dimensions, values }) => [dimensions, values])).toEqual([
      [{ service: 'verbatim' }, { ShardsFailed: 1 }],
    ])
  })

  it('count a job that nobody could bring further as one that the engine failed', () => {
    const { log, sent } = meter({ compute: undefined })
    log.error('job abandoned', { jobId: 'J', code: 'failed' })
    log.info('job abandoned', { jobId: 'J', code: 'past' })
    expect(sent().map(({ values, dimensions }) => [dimensions.code, values])).toEqual([
      [undefined, { ServiceErrors: 1 }],
      ['engine-crashed', { JobsFailed: 1 }],
      [undefined, { JobsFailedByUs: 1 }],
    ])
  })

  it.each([
    ['cpu', METRICS.workerErrors],
    ['gpu', METRICS.workerErrors],
    [undefined, METRICS.serviceErrors],
  ] as const)('count errors that are logged, in one sum each (%s)', (compute, name) => {
    const { log, sent } = meter({ compute })
    log.error('message failed', { code: 'internal' })
    log.warn('engine crashed')
    const dimensions = { service: 'verbatim' }
    expect(sent()).toEqual([{ namespace: 'Verbatim/dev', dimensions, values: { [name]: 1 } }])
  })

  it('do not need the log line they come from', () => {
    const { log, logged, sent } = meter({}, 'silent')
    log.with({ jobId: 'J' }).info('job transcribed', DONE)
    expect(logged).toEqual([])
    expect(sent()).toHaveLength(2)
  })

  it('name no tenant and no job, and no code that is not in the table', () => {
    const { log, sent } = meter()
    const bound = log.with({ jobId: 'J', tenant: 'acme', requestId: 'R' })
    bound.info('job transcribed', DONE)
    bound.warn('job failed', { code: 'too-long' })
    bound.error('message failed', { code: 'internal', messageId: 'M' })
    for (const { dimensions } of sent()) {
      expect(['service', 'compute', 'code']).toEqual(expect.arrayContaining(Object.keys(dimensions)))
      if (dimensions.code) expect(Object.keys(ERRORS)).toContain(dimensions.code)
    }
    expect(JSON.stringify(sent())).not.toMatch(/acme|"J"|"R"|"M"/)
  })
})
