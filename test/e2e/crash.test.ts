import { spawnSync } from 'node:child_process'
import { access, chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Segment, Transcript } from '../../lib/core/transcript/shape.ts'
import { samplePath } from '../support/reference.ts'
import {
  call,
  cleanUp,
  download,
  ended,
  put,
  type RunningService,
  startService,
  tempFolder,
  until,
  uploadBytes,
} from '../support/service.ts'

// kill -9 at every stage: what was accepted is transcribed after the next start, once, to the same words as ever.

let meeting: Buffer
let undisturbed: Segment[]
let folder: string

beforeAll(async () => {
  folder = await tempFolder()
  meeting = await readFile(samplePath('meeting60'))
  const service = await startService({ data: join(folder, 'undisturbed') })
  undisturbed = await segmentsOf(service, await uploadBytes(service, meeting))
  await service.end()
})
afterAll(cleanUp)

/** The segments of a finished job. */
async function segmentsOf(service: RunningService, jobId: string): Promise<Segment[]> {
  const status = await ended(service, jobId)
  if (status.status !== 'COMPLETED') throw new Error(`the job ended as ${JSON.stringify(status)}`)
  return Transcript.parse(JSON.parse(await download(status, 'json'))).segments
}

/**
 * The same words at the same places, to a tenth of a second: probabilities and hundredths differ with what the
 * engine heard before, as its sums are then made in another order.
 */
async function expectUndisturbed(service: RunningService, jobId: string): Promise<void> {
  const segments = await segmentsOf(service, jobId)
  expect(segments.map(({ text }) => text)).toEqual(undisturbed.map(({ text }) => text))
  const shifts = segments.map(({ startMs }, i) => Math.abs(startMs - undisturbed[i]!.startMs))
  expect(Math.max(...shifts)).toBeLessThanOrEqual(100)
}

/** The objects of a data folder, read beside the running service. */
function keysIn(data: string): string[] {
  const db = new DatabaseSync(join(data, 'verbatim.db'), { readOnly: true })
  try {
    return db
      .prepare('SELECT key FROM objects ORDER BY key')
      .all()
      .map(({ key }) => String(key))
  } finally {
    db.close()
  }
}

const completions = (service: RunningService): number => service.log().split('"code":"finished"').length - 1

async function statusOf(service: RunningService, jobId: string) {
  return (await call(service, 'GET', `/status/${jobId}`)).body
}

/** An ffmpeg that says when it begins and takes its time. */
async function slowFfmpeg(): Promise<{ path: string; began: string }> {
  const path = join(folder, 'slow-ffmpeg')
  const began = join(folder, 'decoding')
  const real = spawnSync('which', ['ffmpeg'], { encoding: 'utf8' }).stdout.trim()
  const script = `#!/bin/sh\n[ "$1" = -version ] && exec ${real} "$@"\ntouch ${began}\nsleep 1\nexec ${real} "$@"\n`
  await writeFile(path, script)
  await chmod(path, 0o755)
  return { path, began }
}

type Stage = [
  stage: string,
  env: () => Promise<Record<string, string>>,
  /** Resolves when the moment to kill has come. */
  moment: (service: RunningService, jobId: string) => Promise<unknown>,
]

const STAGES: Stage[] = [
  ['queue', async () => ({}), async () => {}],
  [
    'decode',
    async () => ({ VERBATIM_FFMPEG: (await slowFfmpeg()).path }),
    async () =>
      until(() =>
        access(join(folder, 'decoding')).then(
          () => true,
          () => undefined,
        ),
      ),
  ],
  [
    'engine',
    async () => ({}),
    async (service) =>
      until(async () => keysIn(service.data).some((key) => key.startsWith('work/')) || undefined),
  ],
  [
    'write',
    async () => ({}),
    async (service) =>
      until(async () => keysIn(service.data).some((key) => key.startsWith('transcripts/')) || undefined),
  ],
]

describe('after a kill -9 of the service', () => {
  it.each(STAGES)('in its %s stage the recording is transcribed all the same', async (stage, env, moment) => {
    const data = join(folder, stage)
    const extra = await env()
    const service = await startService({ data, env: extra })
    const jobId = await uploadBytes(service, meeting)
    await moment(service, jobId)
    await service.end('SIGKILL')

    const again = await startService({ data, env: extra })
    await expectUndisturbed(again, jobId)
    expect(completions(again)).toBeLessThanOrEqual(1)
    // Only the recording and the transcript are left: no work files, no message, no decoded sound.
    await until(async () => (keysIn(data).some((key) => key.startsWith('work/')) ? undefined : true))
    expect(keysIn(data).map((key) => key.replace(jobId, 'ID'))).toEqual([
      ...['json', 'srt', 'txt', 'vtt'].map((format) => `transcripts/default/ID.${format}`),
      'uploads/default/ID',
    ])
    expect(await readdir(join(data, 'scratch'))).toEqual([])
    await again.end()
  })

  it('in the middle of an upload the same URL takes it again', async () => {
    const data = join(folder, 'upload')
    const service = await startService({ data })
    const { body } = await call(service, 'POST', '/upload', { filename: 'a.wav', sizeBytes: meeting.length })
    await new Promise<void>((resolve) => {
      const req = request(body.uploadUrl, {
        method: 'PUT',
        headers: { ...body.headers, 'content-length': meeting.length },
      })
      req.on('error', () => resolve())
      req.write(meeting.subarray(0, 500_000), () => void service.end('SIGKILL').then(() => req.destroy()))
    })
    const port = new URL(service.url).port
    const again = await startService({ data, args: ['--port', port] })
    expect((await statusOf(again, body.jobId)).status).toBe('UPLOADING')
    expect((await put(body.uploadUrl, meeting, body.headers)).status).toBe(200)
    await expectUndisturbed(again, body.jobId)
    await again.end()
  })

  it('again and again, at any moment, with several jobs under way, none is lost and none is done twice', async () => {
    const data = join(folder, 'again')
    let service = await startService({ data })
    const jobs: string[] = []
    let done = 0
    for (const pauseMs of [40, 350, 900, 150, 1500, 600]) {
      jobs.push(await uploadBytes(service, meeting))
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      done += completions(service)
      await service.end('SIGKILL')
      service = await startService({ data })
    }
    for (const jobId of jobs) await expectUndisturbed(service, jobId)
    expect(done + completions(service)).toBeLessThanOrEqual(jobs.length)
    await service.end()
  }, 120_000)
})

describe('after a kill -9 of the engine', () => {
  it('in the middle of a job nobody notices', async () => {
    const service = await startService({ data: join(folder, 'engine-killed') })
    const jobId = await uploadBytes(service, meeting)
    const pid = await until(async () => enginePid(service))
    await until(async () => ((await statusOf(service, jobId)).language ? true : undefined))
    process.kill(pid, 'SIGKILL')
    await expectUndisturbed(service, jobId)
    await service.end()
  })

  it('each time it starts the job ends as FAILED and says so', async () => {
    const service = await startService({ data: join(folder, 'engine-dying') })
    const jobId = await uploadBytes(service, meeting)
    const killed = new Set<number>()
    const status = await until(async () => {
      const pid = enginePid(service)
      if (pid !== undefined && !killed.has(pid)) {
        killed.add(pid)
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has gone by itself.
        }
      }
      const now = await statusOf(service, jobId)
      return now.status === 'PROCESSING' || now.status === 'QUEUED' ? undefined : now
    })
    expect([status.status, status.error.code]).toEqual(['FAILED', 'engine-crashed'])
    await service.end()
  })

  /** The newest engine of this service, by its own log. */
  function enginePid(service: RunningService): number | undefined {
    const pids = [...service.log().matchAll(/"event":"engine started".*?"pid":(\d+)/g)]
    return pids.length > 0 ? Number(pids.at(-1)![1]) : undefined
  }
})

describe('Ctrl-C', () => {
  it('lets the running job go and the next start takes it up, with no engine left behind', async () => {
    const data = join(folder, 'ctrl-c')
    const service = await startService({ data, args: ['--drain-seconds', '0'] })
    const jobId = await uploadBytes(service, meeting)
    await until(async () => ((await statusOf(service, jobId)).language ? true : undefined))
    expect(await service.end('SIGINT')).toBe(0)
    const pids = [...service.log().matchAll(/"event":"engine started".*?"pid":(\d+)/g)].map(([, pid]) =>
      Number(pid),
    )
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow()

    const again = await startService({ data })
    await expectUndisturbed(again, jobId)
    await again.end()
  })
})

describe('a data folder', () => {
  it('is used by one service at a time', async () => {
    const data = join(folder, 'shared')
    const service = await startService({ data })
    await expect(startService({ data })).rejects.toThrow(/in use by process \d+/)
    await service.end()
  })
})
