import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { MOVES, STATUSES } from '../../../lib/core/job.ts'
import { moveJob, type NextState } from '../../../lib/core/move.ts'
import { createPorts, preceded, START, type TestPorts } from '../../support/ports.ts'
import { OWNER, STATES, stored, storeJob, TENANT } from './jobs.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const PAIRS = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const))
const legal = PAIRS.filter(([from, to]) => MOVES[from].includes(to))
const illegal = PAIRS.filter(([from, to]) => !MOVES[from].includes(to))

describe('a move', () => {
  it.each(legal)(
    'from %s to %s is written, one version on, with all that does not change',
    async (from, to) => {
      const job = await storeJob(ports, from, { options: { prompt: 'Names.' } })
      ports.time.now = START + 5000
      const moved = await moveJob(ports, job, () => STATES[to])
      const { jobId, tenant, filename, contentType, sizeBytes, createdAt, options } = job
      const next = { jobId, tenant, filename, contentType, sizeBytes, createdAt, options, ...STATES[to] }
      expect(moved).toEqual({ outcome: 'moved', job: { ...next, version: 2, updatedAt: START + 5000 } })
      expect(await stored(ports, job)).toEqual({ ...next, version: 2, updatedAt: START + 5000 })
    },
  )

  it.each(illegal)('from %s to %s is a fault, and nothing is written', async (from, to) => {
    const job = await storeJob(ports, from)
    await expect(moveJob(ports, job, () => STATES[to])).rejects.toThrow(`illegal move from ${from} to ${to}`)
    expect(await stored(ports, job)).toEqual(job)
  })

  it('that is decided against leaves the job as it is', async () => {
    const job = await storeJob(ports, 'QUEUED')
    expect(await moveJob(ports, job, () => null)).toEqual({ outcome: 'refused', job })
    expect(await stored(ports, job)).toEqual(job)
  })

  it('of a job that is not there asks nobody', async () => {
    const decide = () => {
      throw new Error('asked')
    }
    expect(await moveJob(ports, { tenant: TENANT, jobId: 'none' }, decide)).toEqual({ outcome: 'gone' })
  })

  it('never reaches the job of another tenant', async () => {
    const job = await storeJob(ports, 'QUEUED')
    const ref = { tenant: 'other', jobId: job.jobId }
    expect(await moveJob(ports, ref, () => STATES.CANCELLED)).toEqual({ outcome: 'gone' })
    expect(await stored(ports, job)).toEqual(job)
  })
})

describe('a move that lost a race', () => {
  it('is decided again on what the other wrote, and leaves it where that is the decision', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    const jobs = preceded(ports.jobs, 'replace', () => moveJob(ports, job, () => STATES.CANCELLED))
    const seen: string[] = []
    const moved = await moveJob({ ...ports, jobs }, job, ({ status }) => {
      seen.push(status)
      return status === 'PROCESSING' ? STATES.COMPLETED : null
    })
    expect(seen).toEqual(['PROCESSING', 'CANCELLED'])
    expect(moved).toMatchObject({ outcome: 'refused', job: { status: 'CANCELLED', version: 2 } })
    expect(await stored(ports, job)).toMatchObject({ status: 'CANCELLED', version: 2 })
  })

  it('goes on top of what the other wrote, and overwrites none of it', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    const other = { ...STATES.PROCESSING, progress: 0.7, language: 'fr' }
    const jobs = preceded(ports.jobs, 'replace', () => moveJob(ports, job, () => other))
    const moved = await moveJob({ ...ports, jobs }, job, (it) => ({ ...it, durationMs: 9 }) as NextState)
    const both = { progress: 0.7, language: 'fr', durationMs: 9, version: 3, lease: { owner: OWNER } }
    expect(moved).toMatchObject({ outcome: 'moved', job: both })
    expect(await stored(ports, job)).toMatchObject(both)
  })

  it('to an erasure finds the job gone, and does not bring it back', async () => {
    const job = await storeJob(ports, 'QUEUED')
    const jobs = preceded(ports.jobs, 'replace', () => ports.jobs.remove(TENANT, job.jobId))
    expect(await moveJob({ ...ports, jobs }, job, () => STATES.CANCELLED)).toEqual({ outcome: 'gone' })
    expect(await stored(ports, job)).toBeUndefined()
  })

  it('is a fault where the decision has become illegal meanwhile', async () => {
    const job = await storeJob(ports, 'QUEUED')
    const jobs = preceded(ports.jobs, 'replace', () => moveJob(ports, job, () => STATES.CANCELLED))
    await expect(moveJob({ ...ports, jobs }, job, () => STATES.PROCESSING)).rejects.toThrow(
      'illegal move from CANCELLED to PROCESSING',
    )
    expect(await stored(ports, job)).toMatchObject({ status: 'CANCELLED' })
  })
})
