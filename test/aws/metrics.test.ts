import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { HEARD } from '../../lib/adapters/aws/metric-names.ts'
import { readReference, samplePath } from '../support/reference.ts'
import { until } from '../support/service.ts'
import { type Deployment, deploy } from './deployment.ts'

let aws: Deployment
beforeAll(async () => {
  aws = await deploy()
})
afterAll(() => aws?.dispose())

it('a worker writes to stdout what its job took, heard and cost, even where it logs errors only', async () => {
  const worker = await aws.startWorker()
  try {
    const bytes = await readFile(samplePath('short'))
    const request = {
      filename: 'a.wav',
      contentType: 'audio/wav',
      sizeBytes: bytes.length,
      language: 'en',
    }
    const { body } = await aws.call('upload', { body: JSON.stringify(request) })
    await fetch(body.uploadUrl, { method: 'PUT', headers: body.headers, body: new Uint8Array(bytes) })
    const [line, heard] = await until(
      async () => (worker.metrics.length > 1 ? worker.metrics : undefined),
      90_000,
    )
    expect(line).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Namespace: 'Verbatim/test', Dimensions: [['service', 'compute']] }] },
      ...{ service: 'verbatim', compute: 'cpu', JobsDone: 1 },
    })
    const { AudioMs, JobMs, RealTimeFactor, WordsPerMinute, CostPerAudioHour } = line as Record<
      string,
      number
    >
    const spoken = readReference('short').text.split(/\s+/).length
    expect(WordsPerMinute! * AudioMs!).toBeGreaterThan(0.8 * spoken * 60_000)
    expect(WordsPerMinute! * AudioMs!).toBeLessThan(1.2 * spoken * 60_000)
    expect(RealTimeFactor! * AudioMs!).toBeCloseTo(JobMs!)
    expect(CostPerAudioHour).toBeCloseTo(RealTimeFactor! * 0.6)
    expect(heard).toMatchObject({ NothingHeard: HEARD })
    expect(worker.metrics).toHaveLength(2)
  } finally {
    await worker.stop()
  }
})
