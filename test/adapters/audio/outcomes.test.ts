import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'
import type { Decoder } from '../../../lib/core/ports.ts'
import {
  cutFile,
  damageFile,
  encode,
  ffmpeg,
  type MediaFormat,
  needFfmpeg,
  tone,
} from '../../support/media.ts'
import { samplePath } from '../../support/reference.ts'
import { wavBytes, writeWav } from '../../support/wav.ts'

const OPTIONS = { channels: 'mix', limits: { maxDurationMs: 3_600_000, timeoutMs: 60_000 } } as const
const dir = mkdtempSync(join(tmpdir(), 'verbatim-outcomes-'))
const source = samplePath('meeting60')
const media = (format: MediaFormat): string => join(dir, format.replaceAll(/\W/g, '-'))
let decoders: Record<string, Decoder>
let files = 0

const USED = ['m4a', 'm4a, index first', 'flac', 'ogg opus', 'webm opus', 'mp3'] as const

beforeAll(async () => {
  decoders = {
    with: createDecoder({ ffmpeg: await needFfmpeg(), scratchDir: dir }),
    without: createDecoder({ ffmpeg: null, scratchDir: dir }),
  }
  for (const format of USED) await encode(source, format, media(format))
})
afterAll(() => rmSync(dir, { recursive: true }))

/** A new file with this content, under a name that promises sound. */
function fileOf(content: string | Buffer, name = `file ${++files}.wav`): string {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}

describe.each(['with', 'without'])('decoding %s ffmpeg', (kind) => {
  const decode = (path: string) => decoders[kind]!.decode(path, OPTIONS)
  const failure = async (path: string): Promise<string> => {
    const outcome = await decode(path).catch((error: { code: string }) => error.code)
    if (typeof outcome === 'string') return outcome
    await outcome.dispose()
    return `${outcome.durationMs} ms`
  }
  /** Duration and truncation of what could be saved. */
  const saved = async (path: string) => {
    const recording = await decode(path)
    await recording.dispose()
    return { durationMs: recording.durationMs, truncated: recording.truncated }
  }

  it('finds an empty file, and a WAV file without sound, empty', async () => {
    expect(await failure(fileOf(''))).toBe('empty-audio')
    expect(await failure(fileOf(wavBytes(new Int16Array(0))))).toBe('empty-audio')
  })

  it.each([
    ['text', 'Just a few words.\n'.repeat(500)],
    ['HTML', '<!doctype html><html><body><audio src="file:///etc/hostname"></audio></body></html>'],
    ['JSON', JSON.stringify({ audio: 'x'.repeat(5000) })],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/hostname"/></svg>'],
    [
      'PNG',
      Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        'base64',
      ),
    ],
    ['PDF', '%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'],
    [
      'zip',
      Buffer.concat([
        Buffer.from('PK\x03\x04\x14\0\0\0\x08\0', 'latin1'),
        deflateSync(Buffer.alloc(3000, 7)),
      ]),
    ],
    ['zeros', Buffer.alloc(100_000)],
  ])('finds %s called .wav unsupported', async (_, content) => {
    expect(await failure(fileOf(content))).toBe('unsupported-audio')
  })

  it('finds a video without a sound track unsupported, and says so', async () => {
    for (const name of ['silent.mp4', 'silent.webm']) {
      const path = join(dir, name)
      await ffmpeg('-f', 'lavfi', '-i', 'testsrc=d=2:s=160x120:r=5', path)
      await expect(decode(path)).rejects.toMatchObject({
        code: 'unsupported-audio',
        message: 'There is no sound track in the file.',
      })
    }
  })

  it('never opens a file that an uploaded one names', async () => {
    const secret = join(dir, 'secret.wav')
    writeWav(secret, tone(440, 2000))
    const playlists = [
      `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
      `#EXTM3U\n#EXTINF:9,\n${secret}\n`,
      `ffconcat version 1.0\nfile '${secret}'\n`,
      `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="audio/wav"><Representation id="1" bandwidth="1"><BaseURL>${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n`,
      `[playlist]\nFile1=${secret}\nNumberOfEntries=1\n`,
    ]
    for (const [i, playlist] of playlists.entries()) {
      for (const ending of ['wav', 'm3u8', 'mpd', 'ffconcat', 'sdp']) {
        expect(await failure(fileOf(playlist, `list ${kind} ${i}.${ending}`))).toBe('unsupported-audio')
      }
    }
  })

  it.each([
    '-i.wav',
    'http:evil.wav',
    'a%03d*?.wav',
    'new\nline "quotes" $(id).wav',
    'concat:a|b.wav',
    'ünïcode.wav',
  ])('takes the file name %j literally', async (name) => {
    expect(await saved(fileOf(wavBytes(tone(300, 500)), name))).toEqual({ durationMs: 500, truncated: false })
  })

  it('keeps the sound of a WAV file that was cut off, and marks it', async () => {
    const cut = await saved(cutFile(source, join(dir, `cut ${kind}.wav`), 0.5))
    expect(cut.truncated).toBe(true)
    expect(cut.durationMs).toBeGreaterThan(27_000)
    expect(cut.durationMs).toBeLessThan(28_500)
  })

  it.each([0, 0xffffffff])(
    'reads a WAV stream whose sizes were never filled in (%d) as complete',
    async (size) => {
      const bytes = wavBytes(tone(300, 1500))
      bytes.writeUInt32LE(size, 4)
      bytes.writeUInt32LE(size, 40)
      expect(await saved(fileOf(bytes))).toEqual({ durationMs: 1500, truncated: false })
    },
  )

  it('steps over chunks of odd size in front of the sound', async () => {
    const bytes = wavBytes(tone(300, 700))
    const list = Buffer.concat([Buffer.from('LIST\x05\0\0\0INFOx\0', 'latin1')])
    const path = fileOf(Buffer.concat([bytes.subarray(0, 36), list, bytes.subarray(36)]))
    expect(await saved(path)).toEqual({ durationMs: 700, truncated: false })
  })

  it.each(['m4a, index first', 'flac'] as const)(
    'keeps the sound of a %s file that was cut off, and marks it',
    async (format) => {
      const cut = await saved(cutFile(media(format), join(dir, `cut ${kind} ${format}`), 0.5))
      expect(cut.truncated).toBe(true)
      expect(cut.durationMs).toBeGreaterThan(20_000)
      expect(cut.durationMs).toBeLessThan(35_000)
    },
  )

  it('finds an MP4 file bad whose index is cut off', async () => {
    expect(await failure(cutFile(media('m4a'), join(dir, `noindex ${kind}`), 0.7))).toBe('bad-audio')
  })

  // Not MP3: it has next to no checks, so that decoders find sound in noise.
  it.each(USED.filter((format) => format !== 'mp3'))(
    'finds a %s file bad of which only the beginning is more than noise',
    async (format) => {
      const path = damageFile(media(format), join(dir, `noise ${kind} ${format}`), 0, 1)
      const start = readFileSync(media(format)).subarray(0, 12)
      const noise = readFileSync(path)
      start.copy(noise)
      writeFileSync(path, noise)
      expect(['bad-audio', 'unsupported-audio']).toContain(await failure(path))
    },
  )

  it.each(['flac', 'ogg opus', 'mp3', 'm4a', 'webm opus'] as const)(
    'keeps most of a %s file with a damaged stretch',
    async (format) => {
      const hurt = await saved(damageFile(media(format), join(dir, `hurt ${kind} ${format}`), 0.4, 0.42))
      expect(hurt.durationMs).toBeGreaterThan(20_000)
      expect(hurt.durationMs).toBeLessThan(57_000)
    },
  )

  it('does not mind cover art', async () => {
    const [cover, path] = [join(dir, 'cover.png'), join(dir, `covered ${kind}.mp3`)]
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=600x600', '-frames:v', '1', cover)
    await ffmpeg(
      '-i',
      source,
      '-i',
      cover,
      '-map',
      '0',
      '-map',
      '1',
      '-c:v',
      'png',
      '-disposition:v',
      'attached_pic',
      path,
    )
    const { durationMs, truncated } = await saved(path)
    expect(Math.abs(durationMs - 55_385)).toBeLessThan(100)
    expect(truncated).toBe(false)
  })

  it('ends on a file that only claims to be large', async () => {
    const path = fileOf(wavBytes(tone(300, 1000)))
    truncateSync(path, 44)
    expect(await failure(path)).toBe('bad-audio')
  })
})
