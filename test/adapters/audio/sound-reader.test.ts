import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'
import { createSoundReader } from '../../../lib/adapters/audio/sound-reader.ts'
import { encode, likeness, needFfmpeg, tone, withStereo } from '../../support/media.ts'
import { wavBytes, writeWav } from '../../support/wav.ts'

describe.each(['ffmpeg', 'fallback'] as const)('the sound reader over %s', (backend) => {
  const folder = mkdtempSync(join(tmpdir(), 'verbatim-reader-'))
  const scratchDir = join(folder, 'scratch')
  const sound = tone(440, 3_000)
  const wav = join(folder, 'in.wav')
  let ffmpeg: string | null = null
  beforeAll(async () => {
    if (backend === 'ffmpeg') ffmpeg = await needFfmpeg()
    writeWav(wav, sound)
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const read = (bytes: Uint8Array, dir = scratchDir) =>
    createSoundReader({ decoder: createDecoder({ ffmpeg, scratchDir }), scratchDir: dir }).read(bytes)

  it.each(['webm opus', 'flac', 'mp3'] as const)('decodes %s and leaves no file behind', async (format) => {
    const pcm16 = await read(readFileSync(await encode(wav, format, join(folder, 'out'))))
    expect(Math.abs(pcm16.length - 48_000)).toBeLessThan(100 * 16)
    expect(likeness(sound, pcm16)).toBeGreaterThan(0.98)
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('gives the very samples of a WAV file that is as the engine wants it', async () => {
    expect(await read(wavBytes(sound))).toEqual(sound)
    const endless = wavBytes(sound)
    endless.writeUInt32LE(0xffffffff, 40)
    expect(await read(endless)).toEqual(sound)
    expect(await read(endless.subarray(0, 45))).toEqual(new Int16Array(0))
    const tagged = Buffer.concat([wavBytes(sound), Buffer.from('LIST\x04\0\0\0INFO')])
    expect(await read(tagged)).toEqual(sound)
  })

  it('decodes a WAV file of any other kind', async () => {
    const stereo = await read(wavBytes(withStereo(sound, sound), { channels: 2 }))
    expect(likeness(sound, stereo)).toBeGreaterThan(0.98)
    expect(await read(wavBytes(sound, { sampleRate: 8_000 }))).toHaveLength(96_000)
  })

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['text', Buffer.from('hello '.repeat(1000))],
    ['half a header', Buffer.from('\x1aE\xdf\xa3', 'latin1')],
    ['a WAV file without sound', wavBytes(new Int16Array(0), { sampleRate: 8_000 })],
  ])('gives no sound for %s', async (_, bytes) => {
    expect(await read(bytes)).toEqual(new Int16Array(0))
  })

  it('fails when it can’t work, so that nobody takes that for silence', async () => {
    writeFileSync(join(folder, 'file'), '')
    const bytes = wavBytes(sound, { sampleRate: 8_000 })
    await expect(read(bytes, join(folder, 'file'))).rejects.toMatchObject({ code: 'internal' })
  })
})
