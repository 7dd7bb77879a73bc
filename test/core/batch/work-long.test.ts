import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { cancelJob } from '../../../lib/core/batch/erase.ts'
import type { DecodeOptions } from '../../../lib/core/ports.ts'
import { createPorts, failing, START, type TestPorts } from '../../support/ports.ts'
import { stored, TENANT } from './jobs.ts'
import { deliver, leftovers, ONE, objectsOf, queueJob, THREE } from './recordings.ts'

// A worker that leaves long recordings to others, as a CPU worker does where there are GPU workers.

/** THREE lasts 16.8 s, ONE 1.2 s. */
const LIMIT_MS = 10_000

let ports: TestPorts
beforeAll(async () => {
  ports = await createPorts()
})
beforeEach(() => ports.reset())
afterAll(() => ports.dispose())

/** The test's queue of uploads stands for that of the long recordings: one queue is like another. */
const limited = (fromMs = LIMIT_MS, queue = ports.uploads) => ({
  ...ports,
  longWork: { queue, fromMs, fromBytes: Number.MAX_SAFE_INTEGER },
})
const sentOn = () => ports.pending('uploads')

/** The recording arrives in the store, which announces it: those announcements are not meant here. */
async function arrived(bytes: Uint8Array) {
  const job = await queueJob(ports, bytes)
  ports.db.sql.exec('DELETE FROM messages')
  return job
}

describe('a recording that is longer than its worker may hear', () => {
  it('is sent on before a word of it is heard, and others bring it to its end', async () => {
    const job = await arrived(THREE)
    expect(await deliver(limited(), job)).toBe('elsewhere')
    expect(sentOn()).toEqual([{ tenant: TENANT, jobId: job.jobId }])
    expect(ports.engine.heard).toEqual([])
    expect(await leftovers(ports)).toEqual([])
    expect(await stored(ports, job)).toMatchObject({ status: 'PROCESSING', failures: 0, progress: 0 })

    expect(await deliver(ports, job)).toBe('completed')
    expect(await objectsOf(ports, job)).toHaveLength(5)
  })

  it('can be taken by them at once', async () => {
    const job = await arrived(THREE)
    await deliver(limited(), job)
    expect(await stored(ports, job)).toMatchObject({ lease: { owner: 'nobody', until: START } })
  })

  it('is decoded no further than to the limit', async () => {
    const job = await arrived(THREE)
    let decodedMs = 0
    const decoder = {
      decode: (path: string, options: DecodeOptions) => {
        expect(options.limits.maxDurationMs).toBe(LIMIT_MS)
        const onPcm = (channel: number, pcm16: Int16Array) => {
          decodedMs += pcm16.length / 16
          options.onPcm?.(channel, pcm16)
        }
        return ports.decoder.decode(path, { ...options, onPcm })
      },
    }
    expect(await deliver({ ...limited(), decoder } as TestPorts, job)).toBe('elsewhere')
    expect(decodedMs).toBeLessThanOrEqual(LIMIT_MS)
  })

  it('is sent on by the next delivery when the queue was out of reach', async () => {
    const job = await arrived(THREE)
    const broken = failing(ports.uploads, 'send', new Error('out of reach'))
    await expect(deliver(limited(LIMIT_MS, broken), job)).rejects.toThrow('out of reach')
    expect(sentOn()).toEqual([])
    expect(await deliver(limited(LIMIT_MS, broken), job)).toBe('elsewhere')
    expect(sentOn()).toHaveLength(1)
  })

  it('is not sent on when it was cancelled meanwhile', async () => {
    const job = await arrived(THREE)
    const decoder = {
      async decode(path: string, options: DecodeOptions) {
        await cancelJob(ports)(TENANT, job.jobId)
        return ports.decoder.decode(path, options)
      },
    }
    const settings = { ...ports.settings, heartbeatMs: 3_600_000 }
    expect(await deliver({ ...limited(), decoder, settings }, job)).toBe('stopped')
    expect(sentOn()).toEqual([])
    expect(await objectsOf(ports, job)).toEqual([])
  })

  it('is given back as it is when the worker is asked to stop at that moment', async () => {
    const job = await arrived(THREE)
    expect(await deliver(limited(), job, AbortSignal.abort())).toBe('again')
    expect(sentOn()).toEqual([])
  })

  it('fails where it is too long for everybody', async () => {
    const job = await arrived(THREE)
    const settings = { ...ports.settings, maxDurationMs: LIMIT_MS }
    expect(await deliver({ ...limited(), settings }, job)).toBe('failed')
    expect(await stored(ports, job)).toMatchObject({ status: 'FAILED', error: { code: 'too-long' } })
    expect(sentOn()).toEqual([])
  })
})

describe('a recording of the limit’s length or less', () => {
  it.each([
    ['shorter', ONE, LIMIT_MS],
    ['as long', THREE, 16_800],
  ])('is heard here: %s', async (_, bytes, fromMs) => {
    const job = await arrived(bytes)
    expect(await deliver(limited(fromMs), job)).toBe('completed')
    expect(sentOn()).toEqual([])
  })
})
