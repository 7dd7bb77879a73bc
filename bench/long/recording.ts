import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Timed } from '../live/align.ts'
import { makeRecording } from '../seams/recording.ts'

export interface LongRecording {
  /** FLAC, 16 kHz mono. */
  readonly path: string
  readonly durationMs: number
  /** All that is said, with the times of the synthesizer. */
  readonly words: readonly Timed[]
}

/** Made and encoded so much at a time: hours of samples are not kept in memory. */
const PIECE_S = 600

/** About so many minutes of talk with pauses, the same for the same length; made once and kept in the temp folder. */
export async function longRecording(minutes: number): Promise<LongRecording> {
  const folder = join(tmpdir(), 'verbatim-bench-long')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `talk-${minutes}.flac`)
  const known = join(folder, `talk-${minutes}.json`)
  if (!existsSync(known)) {
    const spoken = await speak(minutes * 60, `${path}.part`)
    renameSync(`${path}.part`, path)
    writeFileSync(known, JSON.stringify(spoken))
  }
  return { path, ...(JSON.parse(readFileSync(known, 'utf8')) as Omit<LongRecording, 'path'>) }
}

async function speak(seconds: number, path: string): Promise<Omit<LongRecording, 'path'>> {
  const raw = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0']
  const args = ['-v', 'error', '-y', ...raw, '-f', 'flac', path]
  const encoder = spawn('ffmpeg', args, { stdio: ['pipe', 'inherit', 'inherit'] })
  const ended = once(encoder, 'close')
  const words: Timed[] = []
  let samples = 0
  for (let left = seconds, seed = 1; left > 0; left -= PIECE_S, seed++) {
    const piece = makeRecording(seed, 'talk', Math.min(left, PIECE_S))
    const fromMs = samples / 16
    words.push(
      ...piece.words.map(({ text, startMs, endMs }) => ({
        ...{ text, startMs: Math.round(startMs + fromMs), endMs: Math.round(endMs + fromMs) },
      })),
    )
    const { buffer, byteOffset, byteLength } = piece.pcm16
    if (!encoder.stdin.write(new Uint8Array(buffer, byteOffset, byteLength)))
      await once(encoder.stdin, 'drain')
    samples += piece.pcm16.length
  }
  encoder.stdin.end()
  const [code] = await ended
  if (code !== 0) throw new Error('ffmpeg could not encode the recording')
  return { durationMs: Math.floor(samples / 16), words }
}
