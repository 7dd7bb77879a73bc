import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readReference } from '../support/reference.ts'
import { call, cleanUp, type RunningService, startService, tempFolder } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'
import { createFaultyProxy, type FaultyProxy } from './faulty-proxy.ts'
import { runCli, sample } from './run-cli.ts'

// `verbatim live` and its company as a user meets them, against the real service with the mini model.

/** The operator's endpoint for webhooks: it remembers what came. */
const received: Array<{ path: string; type: string | undefined }> = []
const receiver = http.createServer(async (request, response) => {
  let body = ''
  for await (const piece of request) body += piece
  received.push({ path: request.url ?? '', type: JSON.parse(body).type })
  response.writeHead(204).end()
})

let service: RunningService
let proxy: FaultyProxy
let folder: string

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  const env = { ENGINE_API_URL: `http://127.0.0.1:${port}/hook` }
  service = await startService({ data: await tempFolder(), env })
})
afterAll(async () => {
  await cleanUp()
  receiver.closeAllConnections()
  receiver.close()
})
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-live-'))
  proxy = await createFaultyProxy(service.url)
})
afterEach(async () => {
  await proxy.close()
  rmSync(folder, { recursive: true })
})

const verbatim = (args: string[], { env, ...more }: Parameters<typeof runCli>[1] = {}) =>
  runCli(args, {
    cwd: folder,
    env: { VERBATIM_URL: proxy.url, VERBATIM_DATA: service.data, ...env },
    ...more,
  })
const documents = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const chunksSeen = () => proxy.seen.filter((line) => line === 'POST /api/audio/stream').length
const [short, meeting] = [sample('short.wav'), sample('meeting60.wav')]
const said = readReference('short').text

describe('verbatim live', () => {
  it('prints the finals of a recording line by line and says where the transcript is', async () => {
    const { exit, stdout, stderr } = await verbatim(['live', short, '--speed', '4'])
    expect(exit).toBe(0)
    expect(stdout.trim().replaceAll('\n', ' ')).toBe(said)
    const jobId = /verbatim get (\w+)/.exec(stderr)?.[1]
    expect(await verbatim(['get', jobId ?? ''])).toMatchObject({ exit: 0, stdout: `${said}\n` })
  })

  it('sends what got lost again, in order, and nothing twice', async () => {
    let posts = 0
    proxy.fault = (method, path) => {
      if (method !== 'POST' || path !== '/api/audio/stream') return undefined
      return (['lose-reply', { status: 503 }, 'cut'] as const)[++posts % 5]
    }
    const { exit, stdout } = await verbatim(['live', meeting, '--speed', 'max', '--chunk', '5s', '--json'])
    expect(exit).toBe(0)
    expect(posts).toBeGreaterThan(12)
    const session = documents(stdout).at(-1)
    expect(session).toMatchObject({ state: 'CLOSED', chunks: { received: 12, missing: 0, broken: 0 } })
    expect(session.durationMs).toBeGreaterThan(readReference('meeting60').durationMs - 200)
    expect(session.durationMs).toBeLessThan(readReference('meeting60').durationMs + 200)
  })

  it('--json prints each final as a document, drafts if asked for, revisions, and the session last', async () => {
    const args = ['live', short, '--speed', '4', '--session', 'as-json', '--json', '--drafts']
    const { exit, stdout } = await verbatim(args)
    expect(exit).toBe(0)
    const all = documents(stdout)
    expect(all.pop()).toMatchObject({ sessionId: 'as-json', state: 'CLOSED', revision: 2 })
    const last = new Map(all.filter(({ final }) => final).map((segment) => [segment.id, segment]))
    expect([...last.values()].map(({ text }) => text).join(' ')).toBe(said)
    expect(Math.min(...Array.from(last.values(), ({ revision }) => revision))).toBeGreaterThanOrEqual(2)
  })

  it('fetches the transcript of the second hearing where -f or -o ask for it', async () => {
    const { exit, stdout } = await verbatim(['live', short, '--speed', 'max', '-f', 'srt,txt', '-o', 'out'])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/out\/short\.srt\nout\/short\.txt\n$/)
    expect(readFileSync(join(folder, 'out/short.txt'), 'utf8').trim()).toBe(said)
    const again = await verbatim(['live', short, '--speed', 'max', '-f', 'srt,txt', '-o', 'out'])
    expect(again).toMatchObject({ exit: 2, stderr: expect.stringContaining('exists already') })
  })

  it('-o - prints the transcript alone', async () => {
    const { exit, stdout } = await verbatim(['live', short, '--speed', 'max', '-f', 'vtt', '-o', '-'])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^WEBVTT/)
  })

  it('takes raw sound from stdin', async () => {
    const stdin = readFileSync(short).subarray(44)
    const type = 'audio/pcm;rate=16000'
    const { exit, stdout } = await verbatim(['live', '-', '--speed', 'max', '--content-type', type], {
      stdin,
    })
    expect(exit).toBe(0)
    expect(stdout.trim().replaceAll('\n', ' ')).toBe(said)
  })

  it('tells names at their time', async () => {
    writeFileSync(join(folder, 'names.jsonl'), '{"at": 0, "name": "Ada"}\n\n{"at": 30, "name": "Bob"}\n')
    const { exit, stdout } = await verbatim(['live', short, '--speakers', 'names.jsonl'])
    expect(exit).toBe(0)
    expect(stdout.trim().split('\n').join(' ').replaceAll('Ada: ', '')).toBe(said)
    expect(stdout).toMatch(/^Ada: /)
    const fast = await verbatim(['live', short, '--speakers', 'names.jsonl', '--speed', '2'])
    expect(fast).toMatchObject({ exit: 2, stderr: expect.stringContaining('real pace') })
    writeFileSync(join(folder, 'names.jsonl'), '{"at": 0, "name": "Ada"}\n{"name": "Bob"}\n')
    const bad = await verbatim(['live', short, '--speakers', 'names.jsonl'])
    expect(bad).toMatchObject({ exit: 2, stderr: expect.stringContaining('names.jsonl, line 2') })
  })

  it('the first Ctrl-C ends the sound, closes the session and shows what is left', async () => {
    let session = ''
    const { exit, stdout } = await verbatim(['live', meeting, '--json'], {
      onStart(child) {
        child.stderr?.on('data', (text) => {
          session ||= /Session (\S+)/.exec(String(text))?.[1] ?? ''
        })
        const timer = setInterval(() => {
          if (chunksSeen() < 2) return
          clearInterval(timer)
          child.kill('SIGINT')
        }, 50)
      },
    })
    expect(exit).toBe(130)
    const last = documents(stdout).at(-1)
    expect(last).toMatchObject({ sessionId: session, state: 'CLOSED', revision: 2 })
    expect(last.chunks.received).toBeLessThan(6)
    const heard = (await verbatim(['captions', session])).stdout.trim().replaceAll('\n', ' ')
    const beginning = readReference('meeting60').text.split(' ').slice(0, heard.split(' ').length)
    expect(heard.split(' ').length).toBeGreaterThan(4)
    expect(wordErrors(beginning.join(' '), heard).rate).toBeLessThan(0.35)
  })

  it('Ctrl-C at the microphone sends what has been said until then', async () => {
    // ffmpeg as it is, but for the microphone: that plays a recording at real pace.
    const fake = join(folder, 'ffmpeg')
    const microphone = `s|-f pulse -i default|-re -i ${meeting}|`
    writeFileSync(fake, `#!/bin/sh\nexec ffmpeg $(echo "$@" | sed '${microphone}')\n`, { mode: 0o755 })
    const { exit, stdout } = await verbatim(['live', '--mic', '--json', '-f', 'txt', '-o', 'out'], {
      env: { VERBATIM_FFMPEG: fake },
      onStart(child) {
        const timer = setInterval(() => {
          if (chunksSeen() < 2) return
          clearInterval(timer)
          // In the middle of the third chunk.
          setTimeout(() => child.kill('SIGINT'), 1500)
        }, 50)
      },
    })
    const session = documents(stdout).at(-1)
    expect(session).toMatchObject({ state: 'CLOSED', chunks: { received: 3, missing: 0, broken: 0 } })
    expect(session.durationMs).toBeGreaterThan(6500)
    expect(exit).toBe(0)
    const text = readFileSync(join(folder, session.outputs.txt), 'utf8').trim().replaceAll('\n', ' ')
    expect(text).toMatch(/^Good morning everyone\. Good morning everyone\. Welcome to the meeting\./)
  })

  it('captions go on where they were when their stream breaks', async () => {
    let streams = 0
    proxy.fault = (_, path) => (path.endsWith('/events') && ++streams < 3 ? 'lose-reply' : undefined)
    const { exit, stdout } = await verbatim(['live', short, '--speed', 'max'])
    expect(exit).toBe(0)
    expect(stdout.trim().replaceAll('\n', ' ')).toBe(said)
  })

  it('asks for captions again and again where there is no stream of events', async () => {
    const text = '{"message":"Not Found"}'
    proxy.fault = (_, path) => (path.endsWith('/events') ? { status: 404, text } : undefined)
    const { exit, stdout } = await verbatim(['live', short, '--speed', 'max'])
    expect(exit).toBe(0)
    expect(stdout.trim().replaceAll('\n', ' ')).toBe(said)
  })

  it('does not mix its sound into a session that is there already', async () => {
    await call(service, 'POST', '/api/speaker', { session_id: 'taken', speaker_name: 'Ada' })
    const { exit, stderr } = await verbatim(['live', short, '--session', 'taken'])
    expect({ exit, stderr }).toMatchObject({ exit: 6, stderr: expect.stringContaining('already') })
    expect(chunksSeen()).toBe(0)
  })

  it('without ffmpeg sends WAV as it is, and says what to do about the rest', async () => {
    const env = { VERBATIM_FFMPEG: '/nonexistent/ffmpeg' }
    const wav = await verbatim(['live', short, '--speed', 'max'], { env })
    expect(wav).toMatchObject({ exit: 0 })
    expect(wav.stdout.trim().replaceAll('\n', ' ')).toBe(said)
    const film = join(folder, 'film.mp4')
    execFileSync('ffmpeg', ['-v', 'error', '-i', short, '-c:a', 'aac', film])
    const mp4 = await verbatim(['live', film, '--speed', 'max'], { env })
    expect(mp4).toMatchObject({ exit: 5, stderr: expect.stringContaining('Install ffmpeg') })
    const mic = await verbatim(['live', '--mic'], { env })
    expect(mic).toMatchObject({ exit: 2, stderr: expect.stringContaining('VERBATIM_FFMPEG') })
    expect(await verbatim(['live', film, '--speed', 'max'])).toMatchObject({ exit: 0 })
  })

  it.each([
    [['live'], 2, 'Name one source'],
    [['live', 'a.wav', '--mic'], 2, 'Name one source'],
    [['live', 'gone.wav'], 4, 'no such file'],
    [['live', 'a.wav', '--speed', '0'], 2, 'above 0'],
    [['live', 'a.wav', '--session', 'a/b'], 2, 'letters, digits'],
    [['live', 'a.wav', '--chunk', '1h'], 2, '30s'],
  ])('%j ends with %i', async (args, exit, words) => {
    expect(await verbatim(args)).toMatchObject({ exit, stderr: expect.stringContaining(words) })
    expect(chunksSeen()).toBe(0)
  })

  it('fails with what the service says, and leaves no session open', async () => {
    const env = { VERBATIM_TOKEN: 'vb_wrong' }
    expect(await verbatim(['live', short], { env })).toMatchObject({ exit: 3, stdout: '' })
    let posts = 0
    const text = JSON.stringify({
      error: { code: 'too-large', message: 'Too much.', hint: '', requestId: 'r' },
    })
    proxy.fault = (_, path) =>
      path === '/api/audio/stream' && ++posts === 2 ? { status: 413, text } : undefined
    const args = ['live', short, '--speed', 'max', '--chunk', '1s', '--session', 'broken-off']
    expect(await verbatim(args)).toMatchObject({ exit: 5, stderr: expect.stringContaining('Too much.') })
    const { body } = await call(service, 'GET', '/api/sessions/broken-off')
    expect(body).toMatchObject({ state: 'CLOSED', chunks: { received: 1 } })
  })
})

describe('verbatim session and captions', () => {
  it('a session is listed, shown, closed and erased', async () => {
    const sent = await verbatim(['live', short, '--speed', 'max', '--session', 'mine', '--no-wait'])
    expect(sent).toMatchObject({ exit: 0, stderr: expect.stringContaining('captions mine --follow') })
    const followed = await verbatim(['captions', 'mine', '--follow'])
    expect(followed).toMatchObject({ exit: 0 })
    expect(followed.stdout.trim().replaceAll('\n', ' ')).toBe(said)
    const lines = followed.stdout.trim().split('\n')
    const later = await verbatim(['captions', 'mine', '--after', '0'])
    expect(later.stdout.trim()).toBe(lines.slice(1).join('\n'))

    const { sessions } = JSON.parse((await verbatim(['session', 'list', '--all', '--json'])).stdout)
    expect(sessions).toContainEqual(expect.objectContaining({ sessionId: 'mine', state: 'CLOSED' }))
    expect((await verbatim(['session', 'ls', '--limit', '1'])).stdout).toMatch(/^SESSION +STATE[^\n]*\n\S+ /)
    expect((await verbatim(['session', 'show', 'mine'])).stdout).toMatch(
      /^mine {2}CLOSED\n {2}sound +0:03 in/,
    )
    expect(await verbatim(['session', 'close', 'mine'])).toMatchObject({ exit: 0, stdout: 'mine  CLOSED\n' })
    expect(await verbatim(['session', 'rm', 'mine'])).toMatchObject({ exit: 2 })
    expect(await verbatim(['session', 'rm', 'mine', '-y'])).toMatchObject({ exit: 0 })
    const gone = await verbatim(['session', 'show', 'mine', '--json'])
    expect(gone.exit).toBe(4)
    expect(JSON.parse(gone.stdout)).toMatchObject({ sessionId: 'mine', error: { code: 'unknown-session' } })
    expect(await verbatim(['captions', 'mine'])).toMatchObject({ exit: 4 })
    expect(await verbatim(['captions', 'mine', '--follow'])).toMatchObject({ exit: 4 })
  })
})

describe('verbatim webhook', () => {
  it('a test is sent and logged, finals are logged too, and all can be sent again', async () => {
    const tested = await verbatim(['webhook', 'test', '--json'])
    expect(tested.exit).toBe(0)
    const delivery = JSON.parse(tested.stdout)
    expect(delivery).toMatchObject({ type: 'webhook.test', status: 'DELIVERED', lastStatus: 204 })
    expect(received).toContainEqual({ path: '/hook', type: 'webhook.test' })

    await verbatim(['live', short, '--speed', 'max', '--session', 'hooked'])
    const args = ['webhook', 'log', '--status', 'delivered', '--all', '--json']
    const { deliveries } = JSON.parse((await verbatim(args)).stdout)
    const ours = deliveries.filter((it: { sessionId?: string }) => it.sessionId === 'hooked')
    expect(ours.length).toBeGreaterThan(0)
    const before = received.filter(({ path }) => path === '/hook/hooked').length
    const again = await verbatim(['webhook', 'replay', ours[0].deliveryId, 'msg_nothing'])
    expect(again.exit).toBe(4)
    expect(again.stdout).toBe(`${ours[0].deliveryId}  PENDING\n`)
    for (let tries = 0; tries < 500; tries++) {
      if (received.filter(({ path }) => path === '/hook/hooked').length > before) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(received.filter(({ path }) => path === '/hook/hooked')).toHaveLength(before + 1)
    expect((await verbatim(['webhook', 'ls'])).stdout).toMatch(/^WEBHOOK +STATUS/)
  })

  it('nothing is sent to an address that is not public', async () => {
    const { exit, stderr } = await verbatim(['webhook', 'test', 'http://127.0.0.1:1/x'])
    expect({ exit, stderr }).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('not sent to this URL'),
    })
  })
})
