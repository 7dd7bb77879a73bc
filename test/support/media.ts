import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { findFfmpeg } from '../../lib/adapters/audio/ffmpeg.ts'
import { env } from '../../lib/adapters/env.ts'

// Media files for tests, made with ffmpeg from a WAV file.

/** Arguments between input and output. Encoders that every common build of ffmpeg has. */
const FORMATS = {
  'wav 8-bit': ['-c:a', 'pcm_u8', '-f', 'wav'],
  'wav 16-bit': ['-c:a', 'pcm_s16le', '-f', 'wav'],
  'wav 24-bit': ['-c:a', 'pcm_s24le', '-f', 'wav'],
  'wav 32-bit': ['-c:a', 'pcm_s32le', '-f', 'wav'],
  'wav float': ['-c:a', 'pcm_f32le', '-f', 'wav'],
  'wav double': ['-c:a', 'pcm_f64le', '-f', 'wav'],
  'wav mu-law 8 kHz': ['-ar', '8000', '-c:a', 'pcm_mulaw', '-f', 'wav'],
  'wav A-law 8 kHz': ['-ar', '8000', '-c:a', 'pcm_alaw', '-f', 'wav'],
  'wav 11025 Hz': ['-ar', '11025', '-f', 'wav'],
  'wav 22050 Hz': ['-ar', '22050', '-f', 'wav'],
  'wav 44100 Hz': ['-ar', '44100', '-f', 'wav'],
  'wav 48 kHz 5.1': ['-ar', '48000', '-ac', '6', '-f', 'wav'],
  'wav 96 kHz 24-bit': ['-ar', '96000', '-c:a', 'pcm_s24le', '-f', 'wav'],
  rf64: ['-rf64', 'always', '-f', 'wav'],
  mp3: ['-ar', '44100', '-c:a', 'libmp3lame', '-f', 'mp3'],
  m4a: ['-ar', '44100', '-c:a', 'aac', '-b:a', '96k', '-f', 'ipod'],
  'm4a, index first': ['-c:a', 'aac', '-movflags', '+faststart', '-f', 'ipod'],
  'm4a, in fragments': [
    '-ar',
    '44100',
    '-c:a',
    'aac',
    '-movflags',
    '+frag_keyframe+empty_moov',
    '-frag_duration',
    '500000',
    '-f',
    'mp4',
  ],
  aac: ['-ar', '44100', '-c:a', 'aac', '-b:a', '96k', '-f', 'adts'],
  flac: ['-ar', '44100', '-c:a', 'flac', '-f', 'flac'],
  'ogg opus': ['-c:a', 'libopus', '-f', 'ogg'],
  'ogg vorbis': ['-ar', '44100', '-c:a', 'libvorbis', '-f', 'ogg'],
  'webm opus': ['-c:a', 'libopus', '-f', 'webm'],
  'webm opus, streamed': ['-c:a', 'libopus', '-live', '1', '-f', 'webm'],
  aiff: ['-f', 'aiff'],
  caf: ['-f', 'caf'],
  au: ['-f', 'au'],
  'wav G.722': ['-c:a', 'g722', '-f', 'wav'],
  'wav ADPCM': ['-c:a', 'adpcm_ima_wav', '-f', 'wav'],
  alac: ['-c:a', 'alac', '-f', 'ipod'],
  ac3: ['-ar', '48000', '-c:a', 'ac3', '-f', 'ac3'],
  'mpeg-ts': ['-c:a', 'mp2', '-f', 'mpegts'],
  wma: ['-ar', '44100', '-c:a', 'wmav2', '-f', 'asf'],
  'mp4 video': ['-c:v', 'mpeg4', '-c:a', 'aac', '-f', 'mp4'],
  'mov video': ['-c:v', 'mpeg4', '-c:a', 'aac', '-f', 'mov'],
  'mkv video': ['-c:v', 'mpeg4', '-c:a', 'libopus', '-f', 'matroska'],
} as const satisfies Record<string, readonly string[]>

export type MediaFormat = keyof typeof FORMATS
export const MEDIA_FORMATS = Object.keys(FORMATS) as MediaFormat[]

/** Path of ffmpeg. Without it these tests fail; they are never skipped. */
export async function needFfmpeg(): Promise<string> {
  const found = await findFfmpeg({ searchPath: env().PATH })
  if (found) return found
  throw new Error(
    'These tests need ffmpeg: `apt-get install ffmpeg`, `brew install ffmpeg` or `dnf install ffmpeg`.',
  )
}

/** Runs ffmpeg; fails with what it says. */
export async function ffmpeg(...args: string[]): Promise<void> {
  execFileSync(await needFfmpeg(), ['-nostdin', '-v', 'error', '-y', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** Encodes a WAV file; video formats get a moving test picture. */
export async function encode(srcWav: string, format: MediaFormat, outPath: string): Promise<string> {
  const picture = format.endsWith('video') ? ['-f', 'lavfi', '-i', 'testsrc=s=160x120:r=5', '-shortest'] : []
  // -shortest is an option of the output, so it follows both inputs.
  const inputs = picture.length ? [...picture.slice(0, 4), '-i', srcWav, '-shortest'] : ['-i', srcWav]
  await ffmpeg(...inputs, ...FORMATS[format], outPath)
  return outPath
}

/** Two channels of the same length, one after the other in each frame. */
export function withStereo(left: Int16Array, right: Int16Array): Int16Array {
  const frames = new Int16Array(Math.min(left.length, right.length) * 2)
  for (let i = 0; i < frames.length; i += 2) {
    frames[i] = left[i / 2]!
    frames[i + 1] = right[i / 2]!
  }
  return frames
}

/** A sine at 16 kHz. */
export function tone(hz: number, ms: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: ms * 16 }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / 16_000)),
  )
}

/** A copy of the first `share` of a file. */
export function cutFile(from: string, to: string, share: number): string {
  const bytes = readFileSync(from)
  writeFileSync(to, bytes.subarray(0, Math.floor(bytes.length * share)))
  return to
}

/** A copy with noise instead of its bytes from one share of the length to another; the same noise every time. */
export function damageFile(from: string, to: string, start: number, end: number): string {
  const bytes = readFileSync(from)
  let state = 1
  for (let i = Math.floor(bytes.length * start); i < bytes.length * end; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = state >>> 16
  }
  writeFileSync(to, bytes)
  return to
}

/**
 * An AMR-NB file (RFC 4867, section 5) of `ms`: frames of 12.2 kbit/s with made-up bits, so noise. Few builds of ffmpeg
 * can encode AMR; all can decode it.
 */
export function writeAmr(path: string, ms: number): string {
  const frame = (n: number) =>
    Buffer.from([0x3c, ...Array.from({ length: 31 }, (_, i) => (n * 31 + i * 97) & 255)])
  writeFileSync(
    path,
    Buffer.concat([Buffer.from('#!AMR\n'), ...Array.from({ length: ms / 20 }, (_, n) => frame(n))]),
  )
  return path
}

/** The highest normalised cross-correlation of two sounds over shifts of up to `maxLagMs`, heard on the middle second. */
export function likeness(a: Int16Array, b: Int16Array, maxLagMs = 60): number {
  const from = Math.floor(a.length / 2) - 8000
  const excerpt = a.subarray(from, from + 16_000)
  let best = 0
  for (let lag = -maxLagMs * 16; lag <= maxLagMs * 16; lag++) {
    let ab = 0
    let aa = 0
    let bb = 0
    for (let i = 0; i < excerpt.length; i++) {
      const x = excerpt[i]!
      const y = b[from + lag + i] ?? 0
      ab += x * y
      aa += x * x
      bb += y * y
    }
    best = Math.max(best, ab / Math.sqrt(aa * bb || 1))
  }
  return best
}
