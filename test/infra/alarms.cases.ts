import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { FULL, resourcesOf, templatesOf } from './support.ts'

const { monitoring, gpu } = templatesOf(FULL)
const alarms = [monitoring, gpu!]
  .flatMap(resourcesOf)
  .filter(
    ([, { Type, Properties }]) => Type === 'AWS::CloudWatch::Alarm' && Properties.AlarmName !== undefined,
  )
  .map(([, { Properties }]) => Properties)
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

  it('stand for every way to fail', () => {
    // biome-ignore format: a line for each part
    expect(names.toSorted()).toEqual([
      'api-errors', 'api-latency',
      'dead-letter-errors', 'dead-letter-throttles', 'dead-letters-waiting',
      'gpu-no-capacity', 'gpu-tasks-not-running',
      'jobs-failing',
      'long-work-dead-letters', 'long-work-not-taken', 'long-work-waiting',
      'on-upload-errors', 'on-upload-throttles',
      'service-log-errors',
      'table-errors', 'table-throttles',
      'transcripts-empty',
      'uploads-dead-letters', 'uploads-waiting',
      'work-dead-letters', 'work-not-taken', 'work-waiting',
      'worker-errors', 'worker-log-errors', 'worker-throttles', 'worker-timeouts',
    ])
  })
})
