import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readReference, samplePath } from '../support/reference.ts'
import {
  call,
  cleanUp,
  download,
  ended,
  put,
  type RunningService,
  startService,
  tempFolder,
  uploadBytes,
} from '../support/service.ts'

// What people and attackers really send. Each job must end, with a code that says what to do.

let service: RunningService
let folder: string
let meeting: Buffer

beforeAll(async () => {
  folder = await tempFolder()
  service = await startService({ data: join(folder, 'data'), args: ['--max-hours', '0.02'] })
  meeting = await readFile(samplePath('meeting60'))
})
afterAll(cleanUp)

async function ffmpeg(name: string, ...args: string[]): Promise<Buffer> {
  const path = join(folder, name)
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-y', ...args, path])
  return readFile(path)
}

const sample = () => samplePath('meeting60')
const head = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share))

/** The header of a WAV that promises a minute, and no more. */
const headerOnly = () => Buffer.from(meeting.subarray(0, 44))

const NOT_MEDIA = ['unsupported-audio', 'bad-audio']

const CASES: ReadonlyArray<[name: string, codes: string[], make: () => Buffer | Promise<Buffer>]> = [
  ['a single byte', NOT_MEDIA, () => Buffer.from('x')],
  ['random bytes', NOT_MEDIA, () => randomBytes(100_000)],
  ['zeroes', NOT_MEDIA, () => Buffer.alloc(100_000)],
  ['a text', NOT_MEDIA, () => Buffer.from('This is not a recording.\n'.repeat(100))],
  ['a JSON file', NOT_MEDIA, () => Buffer.from(JSON.stringify({ audio: true }))],
  ['an HTML page', NOT_MEDIA, () => Buffer.from('<!doctype html><p>404 Not Found</p>')],
  [
    'an SVG picture',
    NOT_MEDIA,
    () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'),
  ],
  ['a compressed file', NOT_MEDIA, () => gzipSync(meeting)],
  ['a PNG picture', NOT_MEDIA, () => ffmpeg('a.png', '-f', 'lavfi', '-i', 'testsrc', '-frames:v', '1')],
  [
    'a video without sound',
    ['unsupported-audio'],
    () => ffmpeg('mute.mp4', '-f', 'lavfi', '-i', 'testsrc=d=1', '-an'),
  ],
  [
    'an HLS playlist',
    NOT_MEDIA,
    () => Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:55,\n${sample()}\n#EXT-X-ENDLIST\n`),
  ],
  ['a concat script', NOT_MEDIA, () => Buffer.from(`ffconcat version 1.0\nfile '${sample()}'\n`)],
  ['a playlist of addresses', NOT_MEDIA, () => Buffer.from('#EXTM3U\nhttp://127.0.0.1:9/a.mp3\n')],
  ['a WAV header without sound', ['empty-audio', 'bad-audio'], headerOnly],
  ['half a WAV header', NOT_MEDIA, () => meeting.subarray(0, 20)],
  [
    'a WAV of no samples',
    ['empty-audio', 'bad-audio'],
    () => ffmpeg('none.wav', '-f', 'lavfi', '-i', 'anullsrc', '-t', '0'),
  ],
  ['an MP4 cut before its index', NOT_MEDIA, async () => head(await ffmpeg('cut.m4a', '-i', sample()), 0.5)],
  [
    'a FLAC header and garbage',
    NOT_MEDIA,
    async () => Buffer.concat([(await ffmpeg('a.flac', '-i', sample())).subarray(0, 42), randomBytes(5000)]),
  ],
  [
    'an Ogg cut in its first page',
    NOT_MEDIA,
    async () => (await ffmpeg('a.opus', '-i', sample())).subarray(0, 30),
  ],
  [
    'a WebM header',
    NOT_MEDIA.concat('empty-audio'),
    async () => (await ffmpeg('a.webm', '-i', sample())).subarray(0, 200),
  ],
  [
    'an ID3 tag and garbage',
    NOT_MEDIA,
    () => Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\0'), Buffer.alloc(3000, 0x2e)]),
  ],
  [
    'a recording above the limit',
    ['too-long'],
    () => ffmpeg('long.wav', '-f', 'lavfi', '-i', 'sine', '-t', '80'),
  ],
  [
    'hours of silence in a small file',
    ['too-long'],
    () => ffmpeg('bomb.flac', '-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '7200'),
  ],
]

describe('a job ends as FAILED', () => {
  it.each(CASES)('for %s', async (_, codes, make) => {
    const bytes = await make()
    const status = await ended(
      service,
      await uploadBytes(service, bytes, { filename: 'meeting.wav', contentType: 'audio/wav' }),
    )
    expect(status.status).toBe('FAILED')
    expect(codes).toContain(status.error.code)
    expect(status.error.message).not.toMatch(/\/|\bat\b .*:\d+/)
    expect(status.error.hint).toEqual(expect.any(String))
  })
})

describe('a damaged recording', () => {
  it('that is cut off gives the words it holds and says so', async () => {
    const status = await ended(service, await uploadBytes(service, head(meeting, 0.5)))
    expect(status.status).toBe('COMPLETED')
    const { text, warnings } = JSON.parse(await download(status, 'json'))
    expect(warnings).toEqual(['truncated'])
    expect(readReference('meeting60').text.startsWith(text.slice(0, 100))).toBe(true)
  })

  it('in which nobody speaks is an empty transcript, not an error', async () => {
    const silence = await ffmpeg('silence.wav', '-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', '20')
    const status = await ended(service, await uploadBytes(service, silence))
    expect([status.status, status.durationMs, status.language]).toEqual(['COMPLETED', 20_000, undefined])
    expect(await download(status, 'txt')).toBe('')
    expect(await download(status, 'vtt')).toMatch(/^WEBVTT\s*$/)
    expect(JSON.parse(await download(status, 'json')).segments).toEqual([])
  })
})

describe('an upload', () => {
  const ask = async (extra: object = {}) =>
    (
      await call(service, 'POST', '/upload', {
        filename: 'a.wav',
        sizeBytes: meeting.length,
        contentType: 'audio/wav',
        ...extra,
      })
    ).body

  it('takes exactly what was announced: not less, not more, no other type', async () => {
    const { uploadUrl, headers, jobId } = await ask()
    for (const [bytes, sent] of [
      [meeting.subarray(1), headers],
      [Buffer.concat([meeting, Buffer.from('x')]), headers],
      [meeting, { 'content-type': 'text/html' }],
    ] as const) {
      const { status } = await put(uploadUrl, bytes, sent)
      expect([400, 403]).toContain(status)
    }
    expect((await call(service, 'GET', `/status/${jobId}`)).body.status).toBe('UPLOADING')
    expect((await put(uploadUrl, meeting, headers)).status).toBe(200)
    expect((await ended(service, jobId)).status).toBe('COMPLETED')
  })

  it.each([
    ['expiry', (url: string) => url.replace(/expires=\d+/, 'expires=99999999999999')],
    ['key', (url: string) => url.replace('/uploads/default/', '/uploads/other/')],
    ['length', (url: string) => url.replace(/length=\d+/, 'length=5')],
    ['signature', (url: string) => url.replace(/signature=.../, 'signature=AAA')],
  ])('refuses a URL whose %s was changed', async (_, change) => {
    const { uploadUrl, headers } = await ask()
    const { status } = await put(change(uploadUrl), meeting, headers)
    expect([400, 403, 404]).toContain(status)
  })

  it('does not let its URL read what was uploaded', async () => {
    const { uploadUrl } = await ask()
    expect((await fetch(uploadUrl)).status).toBe(403)
  })

  it('that breaks off leaves nothing behind and can be made again', async () => {
    const { uploadUrl, headers, jobId } = await ask()
    await new Promise<void>((resolve) => {
      const req = request(uploadUrl, {
        method: 'PUT',
        headers: { ...headers, 'content-length': meeting.length },
      })
      req.on('error', () => resolve())
      req.write(meeting.subarray(0, 200_000), () => req.destroy())
    })
    expect((await call(service, 'GET', `/status/${jobId}`)).body.status).toBe('UPLOADING')
    expect((await put(uploadUrl, meeting, headers)).status).toBe(200)
    expect((await ended(service, jobId)).status).toBe('COMPLETED')
  })
})

it('is still in good health after all that', async () => {
  await writeFile(join(folder, 'log'), service.log())
  const status = await ended(service, await uploadBytes(service, meeting))
  expect((await download(status, 'txt')).length).toBeGreaterThan(100)
  expect(service.log()).not.toContain('"code":"internal"')
})
