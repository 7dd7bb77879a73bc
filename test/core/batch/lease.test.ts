import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Hold, holdJob, type Lost, takeJob } from '../../../lib/core/batch/lease.ts'
import { VerbatimError } from '../../../lib/core/errors.ts'
import type { Job } from '../../../lib/core/job.ts'
import { moveJob } from '../../../lib/core/move.ts'
import { createPorts, eventually, failing, preceded, START, type TestPorts } from '../../support/ports.ts'
import { LEASED_UNTIL, OWNER, STATES, stored, storeJob, TENANT } from './jobs.ts'

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

const SECOND = 'worker-2/b'

describe('taking a job', () => {
  it('that is QUEUED makes it PROCESSING, with a lease and nothing done', async () => {
    const job = await storeJob(ports, 'QUEUED')
    const taken = await takeJob(ports, job, SECOND)
    const lease = { owner: SECOND, until: START + ports.settings.leaseMs }
    const begun = { status: 'PROCESSING', startedAt: START, attempt: 1, failures: 0, progress: 0, lease }
    expect(taken).toMatchObject({ outcome: 'taken', job: begun })
    expect(await stored(ports, job)).toMatchObject(begun)
  })

  it.each([
    // outcome, when, whose worker is known to be dead
    ['a running job', 'busy', START, []],
    ['a running job 1 ms before its lease runs out', 'busy', LEASED_UNTIL - 1, []],
    ['a job whose lease has run out', 'taken', LEASED_UNTIL, []],
    ['a running job whose owner is dead', 'taken', START, [OWNER]],
    ['a running job when somebody else is dead', 'busy', START, [SECOND]],
  ] as const)('%s is %s for a second worker', async (_, outcome, now, dead) => {
    const before = { ...STATES.PROCESSING, failures: 2, progress: 0.4, durationMs: 7000, language: 'fr' }
    const job = await storeJob(ports, before)
    ports.time.now = now
    const ownerIsDead = (owner: string) => dead.some((it) => it === owner)
    const taken = await takeJob({ ...ports, ownerIsDead }, job, SECOND)
    expect(taken.outcome).toBe(outcome)
    const lease = { owner: SECOND, until: now + ports.settings.leaseMs }
    // What the first worker found out is kept, and a take-over is no failure.
    const after = outcome === 'taken' ? { ...before, attempt: 2, lease } : before
    expect(await stored(ports, job)).toMatchObject(after)
  })

  it.each(['UPLOADING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const)(
    'that is %s is past, and changes nothing',
    async (status) => {
      const job = await storeJob(ports, status)
      expect(await takeJob(ports, job, SECOND)).toEqual({ outcome: 'past', job })
      expect(await stored(ports, job)).toEqual(job)
    },
  )

  it('that has been erased finds it gone', async () => {
    expect(await takeJob(ports, { tenant: TENANT, jobId: 'none' }, SECOND)).toEqual({ outcome: 'gone' })
  })

  it('at the same moment as others makes one worker its owner', async () => {
    const job = await storeJob(ports, 'QUEUED')
    const owners = ['a', 'b', 'c', 'd']
    const taken = await Promise.all(owners.map((owner) => takeJob(ports, job, owner)))
    expect(taken.map(({ outcome }) => outcome).toSorted()).toEqual(['busy', 'busy', 'busy', 'taken'])
    const winner = owners[taken.findIndex(({ outcome }) => outcome === 'taken')]
    expect(await stored(ports, job)).toMatchObject({ attempt: 1, lease: { owner: winner } })
  })

  it('in a race that a cancellation wins is past', async () => {
    const job = await storeJob(ports, 'QUEUED')
    const jobs = preceded(ports.jobs, 'replace', () => moveJob(ports, job, () => STATES.CANCELLED))
    expect(await takeJob({ ...ports, jobs }, job, SECOND)).toMatchObject({
      outcome: 'past',
      job: { status: 'CANCELLED' },
    })
  })
})

/** A PROCESSING job of OWNER and its hold. */
async function held(over: Partial<TestPorts> = {}): Promise<{ job: Job; hold: Hold }> {
  const job = await storeJob(ports, 'PROCESSING')
  const hold = holdJob({ ...ports, ...over }, job, OWNER)
  open.push(hold)
  return { job, hold }
}
const open: Hold[] = []
afterEach(() => {
  for (const hold of open.splice(0)) hold.drop()
})

const processing = async (job: Job) => {
  const now = await stored(ports, job)
  return now?.status === 'PROCESSING' ? now : undefined
}

/** Waits until the hold has been renewed twice from now, so that all that was noted before is written. */
async function renewedTwice(job: Job) {
  const { version } = (await stored(ports, job))!
  return eventually(async () => {
    const now = await processing(job)
    return now && now.version >= version + 2 && now
  })
}

/** What can happen to a job under a worker's hands. */
const LOSSES: ReadonlyArray<readonly [string, (job: Job) => Promise<unknown>, Lost]> = [
  ['it was cancelled', (job) => moveJob(ports, job, () => STATES.CANCELLED), 'stopped'],
  ['it was erased', (job) => ports.jobs.remove(TENANT, job.jobId), 'stopped'],
  [
    'a second worker took it',
    async (job) => {
      ports.time.now += ports.settings.leaseMs * 2
      await takeJob({ ...ports, ownerIsDead: () => true }, job, SECOND)
    },
    'taken-over',
  ],
  // Whoever ended it has published it: its files are not ours to delete.
  ['a second worker has completed it', (job) => moveJob(ports, job, () => STATES.COMPLETED), 'ended'],
  ['somebody failed it', (job) => moveJob(ports, job, () => STATES.FAILED), 'ended'],
]

describe('a hold', () => {
  it('renews the lease as time goes by', async () => {
    const { job } = await held()
    ports.time.now = START + 10_000
    const renewed = await eventually(async () => {
      const now = await processing(job)
      return now && now.lease.until > LEASED_UNTIL && now
    })
    expect(renewed.lease).toEqual({ owner: OWNER, until: START + 10_000 + ports.settings.leaseMs })
    expect(renewed.attempt).toBe(1)
  })

  it('writes what was found out, and never lowers the progress', async () => {
    const { job, hold } = await held()
    hold.note({ durationMs: 9000, progress: 0.5 })
    hold.note({ language: 'fr' })
    expect(await renewedTwice(job)).toMatchObject({ progress: 0.5, durationMs: 9000, language: 'fr' })
    hold.note({ progress: 0.2 })
    expect(await renewedTwice(job)).toMatchObject({ progress: 0.5, durationMs: 9000, language: 'fr' })
    hold.note({ progress: 0.6 })
    expect(await renewedTwice(job)).toMatchObject({ progress: 0.6 })
  })

  it('keeps the progress of an earlier attempt until it is further', async () => {
    const job = await storeJob(ports, { ...STATES.PROCESSING, progress: 0.8 })
    const hold = holdJob(ports, job, OWNER)
    open.push(hold)
    hold.note({ progress: 0.1 })
    expect(await renewedTwice(job)).toMatchObject({ progress: 0.8 })
  })

  it.each(LOSSES)('notices that %s', async (_, happen, lost) => {
    const { job, hold } = await held()
    expect(hold.lost).toBeUndefined()
    await happen(job)
    if (!hold.signal.aborted) await once(hold.signal, 'abort')
    expect(hold.lost).toBe(lost)
    expect(hold.signal.reason).toBeInstanceOf(VerbatimError)
    expect(hold.signal.reason).toMatchObject({ code: 'cancelled' })
  })

  it('tries again when a renewal fails', async () => {
    const broken = new VerbatimError('storage-unavailable', 'The database is busy.')
    const { job, hold } = await held({ jobs: failing(ports.jobs, 'replace', broken, { times: 3 }) })
    await renewedTwice(job)
    expect(hold.signal.aborted).toBe(false)
  })

  it('that is dropped renews no more', async () => {
    const { job, hold } = await held()
    hold.drop()
    await new Promise((resolve) => setTimeout(resolve, ports.settings.heartbeatMs * 5))
    expect(await stored(ports, job)).toEqual(job)
  })
})

describe('finishing', () => {
  it('ends the hold with the next state and all that was found out', async () => {
    const { job, hold } = await held()
    hold.note({ progress: 1, durationMs: 4000, language: 'en' })
    let seen: unknown
    const outcome = await hold.finish((now) => {
      seen = now
      return STATES.COMPLETED
    })
    expect(outcome).toBe('finished')
    expect(seen).toMatchObject({ status: 'PROCESSING', progress: 1, durationMs: 4000, language: 'en' })
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED' })
    expect(hold.signal.aborted).toBe(false)
  })

  it('waits for a renewal on its way, and does not take that for a lost race', async () => {
    let arrived = () => {}
    let letGo = () => {}
    const renewing = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const blocked = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const jobs = preceded(ports.jobs, 'replace', () => {
      arrived()
      return blocked
    })
    const { job, hold } = await held({ jobs })
    await renewing
    const finished = hold.finish(() => STATES.COMPLETED)
    letGo()
    expect(await finished).toBe('finished')
    expect(await stored(ports, job)).toMatchObject({ status: 'COMPLETED', version: 3 })
  })

  it.each(LOSSES)('when %s changes nothing and says so', async (_, happen, lost) => {
    // So slow a heart that only the end notices.
    const { job, hold } = await held({ settings: { ...ports.settings, heartbeatMs: 3_600_000 } })
    await happen(job)
    const before = await stored(ports, job)
    expect(await hold.finish(() => STATES.COMPLETED)).toBe(lost)
    expect(await stored(ports, job)).toEqual(before)
  })

  it('in a race that a cancellation wins is stopped', async () => {
    const job = await storeJob(ports, 'PROCESSING')
    const jobs = preceded(ports.jobs, 'replace', () => moveJob(ports, job, () => STATES.CANCELLED))
    const hold = holdJob(
      { ...ports, jobs, settings: { ...ports.settings, heartbeatMs: 3_600_000 } },
      job,
      OWNER,
    )
    open.push(hold)
    expect(await hold.finish(() => STATES.COMPLETED)).toBe('stopped')
    expect(await stored(ports, job)).toMatchObject({ status: 'CANCELLED' })
  })
})
