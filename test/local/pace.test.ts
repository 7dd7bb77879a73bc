import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Database, openDatabase } from '../../lib/adapters/local/database.ts'
import { createJobStore } from '../../lib/adapters/local/job-store.ts'
import type { JobIn } from '../../lib/core/job.ts'
import { createPace } from '../../local/pace.ts'
import { cleanUp, tempFolder } from '../support/service.ts'

let data: string
let db: Database
let jobs: number
beforeEach(async () => {
  data = await tempFolder()
  db = openDatabase(data)
  jobs = 0
})
afterEach(async () => {
  db.close()
  await cleanUp()
})

const START = 1_000

const pace = (speedOf: unknown = 'mini', now = START) =>
  createPace(db, { data, workers: 3, speedOf, clock: () => now })()

/** A job of some tenant that was COMPLETED. */
async function completed(audioMs: number, workMs: number, more: Partial<JobIn<'COMPLETED'>> = {}) {
  await createJobStore(db).create({
    jobId: String(jobs++).padStart(26, '0'),
    tenant: jobs % 2 ? 'one' : 'other',
    ...{ version: 5, filename: 'a.wav', contentType: 'audio/wav', sizeBytes: 1, createdAt: 1, updatedAt: 1 },
    ...{ options: { channels: 'mix', formats: ['txt'] }, status: 'COMPLETED' },
    ...{ startedAt: START, completedAt: START + 1, durationMs: 1_000 },
    usage: { audioMs, workMs, engineMs: workMs, wallMs: workMs, shards: 1 },
    ...more,
  })
}

describe('the pace of a service', () => {
  it('is not known before the first job', async () => {
    expect(await pace()).toBeUndefined()
  })

  it('is that of its jobs, the long ones counting for more', async () => {
    await pace()
    await completed(10_000, 5_000)
    await completed(90_000, 15_000)
    expect(await pace()).toEqual({ workPerAudio: 0.2, workers: 3, startMs: 0 })
  })

  it('is that of the last twenty', async () => {
    await pace()
    for (let n = 0; n < 5; n++) await completed(10_000, 90_000)
    for (let n = 0; n < 20; n++) await completed(10_000, 1_000)
    expect(await pace()).toMatchObject({ workPerAudio: 0.1 })
  })

  it('leaves out what has little speech, none, or no bill', async () => {
    await pace()
    await completed(9_999, 90_000)
    await completed(0, 90_000)
    await createJobStore(db).create(await withoutUsage())
    expect(await pace()).toBeUndefined()
    await completed(10_000, 1_000)
    expect(await pace()).toMatchObject({ workPerAudio: 0.1 })
  })

  it('is still known after a restart', async () => {
    await pace()
    await completed(10_000, 1_000)
    expect(await pace('mini', START + 5_000)).toMatchObject({ workPerAudio: 0.1 })
  })

  it('is measured anew with another model', async () => {
    await pace('mini')
    await completed(10_000, 1_000)
    expect(await pace('large-v3', START + 1)).toBeUndefined()
    await completed(10_000, 9_000, { startedAt: START + 1 })
    expect(await pace('large-v3', START + 2)).toMatchObject({ workPerAudio: 0.9 })
  })

  it('does not stand in the way of a start when its file is damaged', async () => {
    writeFileSync(join(data, 'pace.json'), '{"speedOf":')
    await completed(10_000, 1_000)
    expect(await pace()).toMatchObject({ workPerAudio: 0.1 })
  })
})

async function withoutUsage(): Promise<JobIn<'COMPLETED'>> {
  return {
    jobId: 'Z'.repeat(26),
    ...{ tenant: 'one', version: 5, filename: 'a.wav', contentType: 'audio/wav', sizeBytes: 1 },
    ...{ createdAt: 1, updatedAt: 1, options: { channels: 'mix', formats: ['txt'] }, status: 'COMPLETED' },
    ...{ startedAt: START, completedAt: START + 1, durationMs: 1_000 },
  }
}
