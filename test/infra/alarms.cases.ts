import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, templatesOf } from './support.ts'

/** Those that scale too, which have no name. */
const alarmsOf = ({ monitoring, gpu }: ReturnType<typeof templatesOf>) =>
  [monitoring, ...(gpu ? [gpu] : [])]
    .flatMap(resourcesOf)
    .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
    .map(([, { Properties }]) => Properties)

const alarms = alarmsOf(templatesOf(FULL)).filter(({ AlarmName }) => AlarmName !== undefined)
const names = alarms.map(({ AlarmName }) => String(AlarmName).replace(/^verbatim-full-/, ''))
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
const articles = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title]) => title!)

describe('alarms', () => {
  it('each have an article in the runbook, and each article an alarm', () => {
    expect(names.toSorted()).toEqual(articles.toSorted())
  })

  it('each say what is wrong, how to look and what to do', () => {
    for (const article of runbook.split(/^## /m).slice(1)) {
      expect(article).toMatch(/\*\*Means\.\*\* .+\n[\s\S]*\*\*Look\.\*\* .+\n[\s\S]*\*\*Do\.\*\* .+/)
    }
  })

  it('each tell somebody, when it begins and when it ends', () => {
    for (const { AlarmActions, OKActions, TreatMissingData } of alarms) {
      expect(AlarmActions).toHaveLength(1)
      expect(OKActions).toHaveLength(1)
      expect(TreatMissingData).toBe('notBreaching')
    }
  })

  it('are as many as docs/cost.md reckons with', () => {
    const cost = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8')
    const [, plain] = /^\| (\d+) alarms, one metric each/m.exec(cost)!
    const [, more, metrics] = /(\d+) more alarms on (\d+) metrics/.exec(cost)!
    const dev = alarmsOf(templatesOf(stageNamed('dev')))
    expect(dev).toHaveLength(Number(plain))
    const both = alarmsOf(templatesOf({ ...stageNamed('dev'), compute: 'both' }))
    expect(both).toHaveLength(dev.length + Number(more))
    const watched = both.flatMap(({ Metrics = ['its own'] }) => {
      return (Metrics as Array<{ MetricStat?: object }>).filter(
        (it) => typeof it === 'string' || it.MetricStat,
      )
    })
    expect(watched).toHaveLength(dev.length + Number(metrics))
  })

  it('stand for every way to fail', () => {
    // biome-ignore format: a line for each part
    expect(names.toSorted()).toEqual([
      'api-errors', 'api-latency',
      'dead-letter-errors', 'dead-letter-throttles',
      'deliver-errors', 'events-errors',
      'gpu-no-capacity', 'gpu-not-taken', 'gpu-tasks-not-running',
      'jobs-failing',
      'live-dead-letter-errors', 'live-dead-letters', 'live-dead-letters-waiting', 'live-waiting',
      'live-worker-errors', 'live-worker-throttles',
      'long-shards-dead-letters', 'long-shards-dead-letters-waiting', 'long-shards-waiting',
      'long-work-dead-letters', 'long-work-dead-letters-waiting', 'long-work-waiting',
      'on-upload-errors', 'on-upload-throttles',
      'service-log-errors',
      'shards-dead-letters', 'shards-dead-letters-waiting', 'shards-failing', 'shards-waiting',
      'table-read-errors', 'table-read-throttles', 'table-write-errors', 'table-write-throttles',
      'tick-errors', 'transcripts-empty',
      'uploads-dead-letters', 'uploads-dead-letters-waiting', 'uploads-waiting',
      'work-backlog', 'work-dead-letters', 'work-dead-letters-waiting', 'work-waiting',
      'worker-errors', 'worker-log-errors', 'worker-throttles', 'worker-timeouts',
    ])
  })
})
