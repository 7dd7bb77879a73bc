import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Client, createClient } from '../../client-cli/client.ts'
import { cleanUp, type RunningService, startService, tempFolder } from '../support/service.ts'
import { createFaultyProxy, type FaultyProxy } from './faulty-proxy.ts'
import { runCli, sample } from './run-cli.ts'

// The command line as a user meets it: processes, files, pipes, signals, against the real service.

let service: RunningService
let client: Client
let folder: string
let proxy: FaultyProxy

beforeAll(async () => {
  service = await startService({ data: await tempFolder() })
  client = createClient(service)
})
afterAll(cleanUp)
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-cli-'))
  proxy = await createFaultyProxy(service.url)
})
afterEach(async () => {
  await proxy.close()
  rmSync(folder, { recursive: true })
})

/** Runs in the test's folder, with the token that `npm start` left in the data folder. */
const verbatim = (args: string[], more: Parameters<typeof runCli>[1] = {}) =>
  runCli(args, { cwd: folder, env: { VERBATIM_URL: proxy.url, VERBATIM_DATA: service.data }, ...more })
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const short = sample('short.wav')

describe('verbatim transcribe', () => {
  it('one recording goes down the pipe, progress does not', async () => {
    const { exit, stdout } = await verbatim(['transcribe', short])
    expect(exit).toBe(0)
    const [job] = (await client.list({ limit: 1 })).jobs
    expect(stdout.trim()).toBe(
      Buffer.from(await client.download(job!.jobId, 'txt'))
        .toString('utf8')
        .trim(),
    )
    expect(stdout).toMatch(/[^\n]\n$/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('a directory becomes files, each path on stdout, and what fails does not stop the rest', async () => {
    mkdirSync(join(folder, 'rec/week'), { recursive: true })
    copyFileSync(short, join(folder, 'rec/a.wav'))
    copyFileSync(short, join(folder, 'rec/week/a.wav'))
    writeFileSync(join(folder, 'rec/broken.wav'), 'no sound at all')
    const { exit, stdout, stderr } = await verbatim(['transcribe', 'rec', '-f', 'txt,srt', '-o', 'out'])
    expect(exit).toBe(5)
    const written = ['out/a.srt', 'out/a.txt', 'out/week/a.srt', 'out/week/a.txt']
    expect(stdout.trim().split('\n').sort()).toEqual(written)
    for (const path of written) expect(readFileSync(join(folder, path), 'utf8')).not.toBe('')
    expect(stderr).toContain('verbatim: broken.wav:')
  })

  it('--json is a document per recording, with the transcript inside for -o -', async () => {
    const { exit, stdout } = await verbatim([
      'transcribe',
      short,
      'gone.wav',
      '--json',
      '-o',
      '-',
      '-f',
      'json,txt',
    ])
    expect(exit).toBe(4)
    const documents = lines(stdout)
    expect(documents).toHaveLength(2)
    const done = documents.find(({ status }) => status === 'COMPLETED')
    expect(done.transcript.json.text).toBe(done.transcript.txt.trim())
    expect(documents.find(({ error }) => error)).toMatchObject({
      file: 'gone.wav',
      error: { code: 'not-found' },
    })
  })

  it('what exists is neither replaced nor uploaded for nothing, unless asked for', async () => {
    writeFileSync(join(folder, 'short.txt'), 'mine')
    const refused = await verbatim(['transcribe', short, '-o', '.'])
    expect(refused).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringContaining('short.txt exists already'),
    })
    expect(await verbatim(['transcribe', short, '-o', '.', '--skip-existing'])).toMatchObject({
      exit: 0,
      stdout: '',
    })
    expect(proxy.seen).toEqual([])
    expect(readFileSync(join(folder, 'short.txt'), 'utf8')).toBe('mine')
    expect(await verbatim(['transcribe', short, '-o', '.', '--overwrite'])).toMatchObject({ exit: 0 })
    expect(readFileSync(join(folder, 'short.txt'), 'utf8')).not.toBe('mine')
  })

  it('stdin is a recording too', async () => {
    const options = { stdin: readFileSync(short) }
    const { exit, stdout } = await verbatim(['transcribe', '-', '--name', 'talk.wav', '-o', 'out'], options)
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'out/talk.txt\n' })
  })

  it('a token never shows, whatever goes wrong', async () => {
    const env = { VERBATIM_URL: proxy.url, VERBATIM_TOKEN: 'vb_hush.hush' }
    const { exit, stdout, stderr } = await verbatim(['transcribe', short, '--json'], { env })
    expect(exit).toBe(3)
    expect(stdout + stderr).not.toContain('hush')
  })
})

describe('Ctrl-C', () => {
  /** Interrupts the CLI when the first request of that kind arrives. */
  const interruptedAt = (args: string[], method: string, path: RegExp, hang: boolean) =>
    verbatim(args, {
      onStart: (child) => {
        proxy.fault = (m, p) => {
          if (m !== method || !path.test(p)) return undefined
          setTimeout(() => child.kill('SIGINT'), 100)
          return hang ? 'hang' : undefined
        }
      },
    })
  const newest = async () => (await client.list({ limit: 1 })).jobs[0]!

  it('while uploading cancels the job', async () => {
    const { exit, stderr } = await interruptedAt(['transcribe', short, '-o', 'out'], 'PUT', /./, true)
    expect(exit).toBe(130)
    expect(stderr).toContain('upload cancelled')
    expect((await newest()).status).toBe('CANCELLED')
    expect(readdirSync(folder)).toEqual([])
  })

  it('while waiting leaves the job running and says how to go on', async () => {
    const args = ['transcribe', sample('meeting60.wav'), '-o', 'out']
    const { exit, stderr } = await interruptedAt(args, 'GET', /^\/status/, false)
    const { jobId } = await newest()
    expect({ exit, stderr }).toEqual({
      exit: 130,
      stderr: expect.stringContaining(`verbatim get ${jobId} --wait`),
    })
    proxy.fault = () => undefined
    const resumed = await verbatim(['get', jobId, '--wait', '-o', 'out'])
    expect(resumed).toMatchObject({ exit: 0, stdout: 'out/meeting60.txt\n' })
  })
})

describe('jobs', () => {
  it('upload, status, get, list, cancel and rm work on ids', async () => {
    // The first one is long enough not to end before it is cancelled.
    const uploaded = await verbatim(['upload', sample('meeting180.flac'), short])
    const ids = uploaded.stdout.trim().split('\n')
    expect(ids).toHaveLength(2)
    const found = await verbatim(['status', ...ids, 'NOSUCHJOB', '--json'])
    expect(found.exit).toBe(4)
    expect(lines(found.stdout).map(({ jobId }) => jobId)).toEqual([...ids, 'NOSUCHJOB'])
    const names = lines(found.stdout).map(({ filename }) => filename)
    const [a, b] = [ids[names.indexOf('short.wav')]!, ids[names.indexOf('meeting180.flac')]!]

    expect(await verbatim(['cancel', b])).toMatchObject({ exit: 0, stdout: `${b}  CANCELLED\n` })
    expect(await verbatim(['get', a, '--wait', '-f', 'vtt'])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^WEBVTT/),
    })
    expect(await verbatim(['get', b])).toMatchObject({ exit: 6 })
    const cancelled = await verbatim(['list', '--status', 'cancelled', '--json'])
    expect(JSON.parse(cancelled.stdout).jobs.map(({ jobId }: { jobId: string }) => jobId)).toContain(b)

    expect(await verbatim(['rm', a, b])).toMatchObject({ exit: 2 })
    expect(await verbatim(['rm', a, b, '--yes'])).toMatchObject({ exit: 0 })
    expect(await verbatim(['rm', a, '--yes'])).toMatchObject({ exit: 4 })
  })

  it('a list longer than a page is read to its end', async () => {
    const before = (await client.list({ limit: 100 })).jobs.length
    await Promise.all(Array.from({ length: 3 }, () => client.upload(short)))
    const some = JSON.parse((await verbatim(['list', '--limit', '2', '--json'])).stdout)
    expect(some).toMatchObject({ jobs: { length: 2 }, more: true })
    const all = JSON.parse((await verbatim(['list', '--all', '--json'])).stdout)
    expect(all).toMatchObject({ jobs: { length: before + 3 }, more: false })
  })
})

describe('local administration', () => {
  it('a token works from its making to its revocation, and is listed without its secret', async () => {
    const made = JSON.parse((await verbatim(['token', 'create', '--name', 'test', '--json'])).stdout)
    const env = { VERBATIM_URL: proxy.url, VERBATIM_TOKEN: made.token, VERBATIM_DATA: service.data }
    expect(await verbatim(['list'], { env })).toMatchObject({ exit: 0 })
    const listed = await verbatim(['token', 'list'])
    expect(listed.stdout).toContain(made.tokenId)
    expect(listed.stdout).not.toContain(made.token)
    expect(await verbatim(['token', 'revoke', made.tokenId])).toMatchObject({ exit: 0 })
    expect(await verbatim(['list'], { env })).toMatchObject({ exit: 3 })
    expect(await verbatim(['token', 'revoke', made.tokenId])).toMatchObject({ exit: 4 })
  })

  it('login keeps what works, for later calls without options', async () => {
    const env = { XDG_CONFIG_HOME: join(folder, 'config') }
    const bad = await verbatim(['login', '--url', proxy.url], { env, stdin: Buffer.from('vb_wrong\n') })
    expect(bad.exit).toBe(3)
    const stdin = Buffer.from(`${service.token}\n`)
    expect(await verbatim(['login', '--url', proxy.url], { env, stdin })).toMatchObject({ exit: 0 })
    expect(await verbatim(['list'], { env })).toMatchObject({ exit: 0 })
  })

  it('model list and doctor answer in JSON', async () => {
    const { models } = JSON.parse((await verbatim(['model', 'list', '--json'])).stdout)
    expect(models).toContainEqual(expect.objectContaining({ name: 'mini', installed: true }))
    const { findings } = JSON.parse((await verbatim(['doctor', '--json'])).stdout)
    expect(findings).toContainEqual(expect.objectContaining({ check: 'token', ok: true }))
  })
})
