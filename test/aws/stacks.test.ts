import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sqsClient } from '../../lib/adapters/aws/clients.ts'
import { createQueue } from '../../lib/adapters/aws/queue.ts'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { resolveModel } from '../../lib/adapters/whisper/models.ts'
import type { WorkMessage } from '../../lib/core/batch/messages.ts'
import { runCli } from '../client-cli/run-cli.ts'
import { readReference, samplePath } from '../support/reference.ts'
import { call, cleanUp, download, ended, put, tempFolder, until, uploadBytes } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'
import { whyNotDeployable } from './cloudformation.ts'
import { deployStacks, type Stacks } from './stacks.ts'

// The templates of `npm run synth`, deployed and used over HTTP. Functions are run by the endpoint from the bundles
// that were deployed. The worker is an image there, which takes docker: its program runs here instead, with the
// variables that the template gives it, and the template's own source of jobs for it is switched off.

const reason = await whyNotDeployable()
if (reason) process.stderr.write(`Not run: the deployed stacks; ${reason}.\n`)

const POLLER = fileURLToPath(new URL('../../lambdas/aws/poller.ts', import.meta.url))
const FORMATS = ['json', 'srt', 'txt', 'vtt']

;(reason ? describe.skip : describe)('the deployed stacks of dev', () => {
  let stacks: Stacks
  let worker: ChildProcess
  let service: { url: string; token: string }
  const cli = (...args: string[]) =>
    runCli(args, {
      env: { ...awsVariables(), VERBATIM_URL: service.url, VERBATIM_TOKEN: service.token },
    })

  beforeAll(async () => {
    stacks = await deployStacks('dev', join(await tempFolder(), 'cdk.out'))
    const made = await runCli(['token', 'create', '--quiet', '--table', stacks.table], {
      env: awsVariables(),
    })
    expect(made).toMatchObject({ exit: 0 })
    service = { url: await answering(stacks.url), token: made.stdout.trim() }
    worker = await startWorker(stacks.variablesOf('Worker'))
  }, 300_000)

  afterAll(async () => {
    if (worker) await stopped(worker)
    await stacks?.dispose()
    await cleanUp()
  })

  it('make transcripts of what the CLI sends', async () => {
    const folder = await tempFolder()
    const done = await cli('transcribe', samplePath('meeting60'), '--out', folder)
    expect(done).toMatchObject({ exit: 0 })
    const text = await readFile(join(folder, 'meeting60.txt'), 'utf8')
    expect(wordErrors(readReference('meeting60').text, text).rate).toBeLessThanOrEqual(0.1)
    const { jobs } = JSON.parse((await cli('list', '--json')).stdout)
    expect(jobs[0]).toMatchObject({ status: 'COMPLETED', filename: 'meeting60.wav' })
    // Cut, and its shards sent through their queue.
    expect(jobs[0].usage.shards).toBeGreaterThan(1)
  })

  it('make transcripts of what another client sends, and erase all of it', async () => {
    const bytes = await readFile(samplePath('short'))
    const jobId = await uploadBytes(service, bytes, { filename: 'grüße & mehr.wav', language: 'en' })
    const job = await ended(service, jobId, 90_000)
    expect(job).toMatchObject({ status: 'COMPLETED', progress: 1, filename: 'grüße & mehr.wav' })
    expect(Object.keys(job.downloads).sort()).toEqual(FORMATS)
    expect(wordErrors(readReference('short').text, await download(job, 'txt')).rate).toBe(0)

    expect(await call(service, 'DELETE', `/jobs/${jobId}`)).toMatchObject({ status: 204 })
    expect(await call(service, 'GET', `/status/${jobId}`)).toMatchObject({ status: 404 })
    expect((await fetch(job.downloads.txt)).status).toBe(404)
  })

  it('join a recording that comes in parts', async () => {
    const sound = await readFile(samplePath('short'))
    const bytes = Buffer.concat([sound, Buffer.alloc(16 * 1024 ** 2)])
    const request = { filename: 'parts.wav', sizeBytes: bytes.length, multipart: true }
    const { body } = await call(service, 'POST', '/upload', request)
    const { jobId, partUrls, partSizeBytes, headers } = body
    expect(partUrls).toHaveLength(2)
    for (const [index, url] of partUrls.entries()) {
      const part = bytes.subarray(index * partSizeBytes, (index + 1) * partSizeBytes)
      expect(await put(url, part, headers)).toMatchObject({ status: 200 })
    }
    expect(await call(service, 'POST', `/upload/${jobId}/complete`)).toMatchObject({ status: 200 })
    expect(await ended(service, jobId, 90_000)).toMatchObject({ status: 'COMPLETED' })
  })

  it('make captions of a session, and its transcript when it is closed', async () => {
    const sessionId = 'standup'
    const posted = await fetch(`${service.url}/api/audio/stream`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${service.token}`, 'x-session-id': sessionId },
        'content-type': 'application/octet-stream',
      },
      body: new Uint8Array(await readFile(samplePath('short'))),
    })
    expect([posted.status, await posted.json()]).toEqual([200, { sessionId, seq: 0 }])
    const path = `/api/sessions/${sessionId}`
    const closing = await call(service, 'POST', `${path}/close`)
    const events = new URL(`api/transcriptions/${sessionId}/events`, stacks.eventsUrl).href
    expect(closing).toMatchObject({ status: 200, body: { eventsUrl: events } })
    await until(async () => {
      const { body } = await call(service, 'GET', path)
      return body.state === 'CLOSED' && body.revision === 2 ? true : undefined
    }, 120_000)
    const { body } = await call(service, 'GET', `/api/transcriptions/${sessionId}`)
    const text = body.segments.map((it: { text: string }) => it.text).join(' ')
    expect(wordErrors(readReference('short').text, text).rate).toBeLessThanOrEqual(0.2)
    expect((await call(service, 'DELETE', path)).status).toBe(204)
  })

  it('say what is wrong with a recording', async () => {
    const jobId = await uploadBytes(service, Buffer.alloc(5000, 'no sound'), { filename: 'x.mp3' })
    const job = await ended(service, jobId, 90_000)
    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'unsupported-audio' } })
  })

  it('make a job once for one idempotency key, and stop it', async () => {
    const request = { filename: 'a.wav', sizeBytes: 10 }
    const key = { 'idempotency-key': 'same' }
    const { jobId } = (await call(service, 'POST', '/upload', request, key)).body
    expect((await call(service, 'POST', '/upload', request, key)).body).toMatchObject({ jobId })
    const other = await call(service, 'POST', '/upload', { ...request, sizeBytes: 11 }, key)
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'idempotency-conflict' } } })

    const stopped = await call(service, 'POST', `/jobs/${jobId}/cancel`)
    expect(stopped).toMatchObject({ status: 200, body: { status: 'CANCELLED' } })
  })

  it('list jobs page by page, newest first', async () => {
    for (const filename of ['1.wav', '2.wav', '3.wav']) {
      await call(service, 'POST', '/upload', { filename, sizeBytes: 10 })
    }
    const ids: string[] = []
    for (let cursor = ''; cursor !== undefined; ) {
      const query = `limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
      const { body } = await call(service, 'GET', `/jobs?${query}`)
      ids.push(...body.jobs.map((it: { jobId: string }) => it.jobId))
      cursor = body.cursor
    }
    expect(ids.length).toBeGreaterThanOrEqual(3)
    expect(ids).toEqual([...new Set(ids)].sort().reverse())
  })

  it.each([
    ['GET', '/jobs', undefined, { authorization: '' }, 401, 'unauthorized'],
    ['GET', '/jobs', undefined, { authorization: 'Bearer nobody' }, 401, 'unauthorized'],
    ['GET', '/status/01K00000000000000000000000', undefined, {}, 404, 'unknown-job'],
    ['POST', '/upload', { filename: '', sizeBytes: -1 }, {}, 400, 'bad-request'],
    ['POST', '/upload', '{', {}, 400, 'bad-request'],
    ['GET', '/jobs?limit=0', undefined, {}, 400, 'bad-request'],
  ])('refuse %s %s (%j, %j) as the contract says', async (method, path, body, headers, status, code) => {
    const reply = await call(service, method, path, body, headers as Record<string, string>)
    expect(reply).toMatchObject({ status, body: { error: { code } } })
    expect(reply.body.error.requestId).toEqual(expect.any(String))
  })

  it('are watched by alarms', () => {
    const names = [
      'api-errors',
      'work-backlog',
      'uploads-dead-letters',
      'shards-waiting',
      'worker-log-errors',
      'transcripts-empty',
    ]
    expect(stacks.alarms).toEqual(expect.arrayContaining(names))
  })

  it('describe themselves to whoever asks', async () => {
    const { body } = await call(service, 'GET', '/openapi.json', undefined, { authorization: '' })
    expect(body).toMatchObject({ openapi: '3.1.0' })
  })

  it('fail a job whose message has died', async () => {
    await stopped(worker)
    const jobId = await uploadBytes(service, await readFile(samplePath('short')))
    await until(async () => {
      const { body } = await call(service, 'GET', `/status/${jobId}`)
      return body.status === 'QUEUED' ? true : undefined
    })
    const deadLetters = createQueue(sqsClient(), { url: stacks.held('WorkDeadLetters') })
    await deadLetters.send(JSON.stringify({ tenant: 'default', jobId } satisfies WorkMessage))
    expect(await ended(service, jobId)).toMatchObject({ status: 'FAILED', error: { code: 'engine-crashed' } })
  })
})

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

function awsVariables(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))
  return { AWS_REGION: 'us-east-1', ...(Object.fromEntries(own) as Record<string, string>) }
}

/** Where the API answers: emulators have its host name, or paths of their own for programs that can't resolve it. */
async function answering(url: string): Promise<string> {
  const { host } = new URL(url)
  const id = host.split('.')[0]
  const places = [url, `${process.env.AWS_ENDPOINT_URL}/_aws/execute-api/${id}/$default`]
  for (const place of places) {
    // Some answer this path themselves, with something else.
    const reply = await fetch(`${place}/health`).catch(() => undefined)
    if (/"status":"ok".*"model"/.test((await reply?.text()) ?? '')) return place
  }
  throw new Error(
    `The endpoint has taken the templates, but runs no function behind the API: no answer at ${places.join(' or ')}.`,
  )
}

/** The worker's program with the variables of its image, and the small model. Its metrics go to stdout: nowhere. */
async function startWorker(variables: Record<string, string>): Promise<ChildProcess> {
  const model = await resolveModel('mini')
  const engine = await ensureEngine()
  const ofImage = { ENGINE_PATH: engine.serverPath, ENGINE_VERSION: engine.version, MODEL_PATH: model.path }
  // Both lanes in one program, as on a GPU.
  const here = {
    ...{ MODEL: 'mini', THREADS: '2', SCRATCH_DIR: await tempFolder(), LOG_LEVEL: 'error', TAKES: 'both' },
    // A minute is more than one shard then.
    SHARD_MS: '20000',
  }
  const env = { ...process.env, ...variables, ...ofImage, ...here }
  return spawn(process.execPath, [POLLER], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}
