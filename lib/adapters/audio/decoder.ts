import { type FileHandle, open } from 'node:fs/promises'
import { toVerbatimError, VerbatimError } from '../../core/errors.ts'
import type { DecodeOptions, Decoder, Recording } from '../../core/ports.ts'
import { type Ending, runProgram } from './child.ts'
import { fallbackBackend } from './fallback/backend.ts'
import { ffmpegBackend } from './ffmpeg.ts'
import { type Backend, type Findings, noFindings } from './findings.ts'
import { type Container, sniff } from './sniff.ts'
import { SAMPLES_PER_MS } from './spool.ts'
import { Tape } from './tape.ts'
import { readWavHeader } from './wav.ts'

/** Less sound than this in front of a failure is noise of the decoder, not a recording. */
const WORTH_KEEPING_MS = 100

export interface DecoderOptions {
  /** Path of ffmpeg; null where there is none, then fewer formats work. */
  readonly ffmpeg: string | null
  /** For decoded sound: 115 MB an hour and channel. */
  readonly scratchDir: string
}

/**
 * Decodes media files in a process of its own, so that a hostile or broken file can neither block, crash nor fill
 * this one. Memory does not grow with the recording.
 *
 * `separate` keeps up to eight channels apart; a file with more is mixed.
 */
export function createDecoder({ ffmpeg, scratchDir }: DecoderOptions): Decoder {
  const backend = ffmpeg === null ? fallbackBackend() : ffmpegBackend(ffmpeg)
  return {
    async decode(path, options) {
      const file = await look(path)
      const findings = noFindings()
      const tape = new Tape(scratchDir, options)
      try {
        const ending = await run(backend, path, options, tape, findings)
        const recording = await tape.end()
        judge(tape.samples / SAMPLES_PER_MS, ending, findings, file)
        return withTruncation(recording, ending, findings, file)
      } catch (thrown) {
        await tape.dispose()
        throw thrown
      }
    },
  }
}

/** What can be told before anything is decoded. */
interface FileFacts {
  readonly container: Container | undefined
  readonly wav: { promisedMs: number; cutOff: boolean } | undefined
}

/** Fails with `empty-audio`. */
async function look(path: string): Promise<FileFacts> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const { size } = await file.stat()
    if (size === 0) throw new VerbatimError('empty-audio', 'The file is empty.')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(65536), 0, 65536, 0)
    const container = sniff(buffer.subarray(0, bytesRead))
    return { container, wav: container === 'wav' ? await wavPromise(file, size) : undefined }
  } catch (thrown) {
    throw toVerbatimError(thrown)
  } finally {
    await file?.close()
  }
}

/** ffmpeg takes a cut WAV for a short one, so its header is read here. */
async function wavPromise(file: FileHandle, size: number): Promise<FileFacts['wav']> {
  const header = await readWavHeader(async (at, length) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
    return buffer.subarray(0, bytesRead)
  })
  if (typeof header === 'string' || header.dataBytes === undefined) return undefined
  const promisedMs = (header.dataBytes / header.frameBytes / header.sampleRate) * 1000
  return { promisedMs, cutOff: header.dataStart + header.dataBytes > size }
}

async function run(
  backend: Backend,
  path: string,
  options: DecodeOptions,
  tape: Tape,
  findings: Findings,
): Promise<Ending> {
  const { timeoutMs } = options.limits
  const program = backend.program(path, { timeoutMs, keepChannels: options.channels === 'separate' })
  const ending = await runProgram(program, {
    timeoutMs,
    signal: options.signal,
    onOutput: (piece) => tape.push(piece),
    onLine: (line) => backend.read(line, findings),
  }).catch((thrown: unknown) => {
    throw toVerbatimError(thrown)
  })
  // The CPU limit that the program was given.
  if (ending.signal === 'SIGXCPU')
    throw new VerbatimError('decode-timeout', 'Decoding the file took too long.')
  return ending
}

/** Says why there is no sound, if there is none. Believes the sound, not the exit code. */
function judge(soundMs: number, ending: Ending, findings: Findings, file: FileFacts): void {
  const failed = ending.exitCode !== 0
  if (soundMs > 0 && (!failed || soundMs >= WORTH_KEEPING_MS)) return
  if (findings.noTrack) throw new VerbatimError('unsupported-audio', 'There is no sound track in the file.')
  if (findings.unknownEncoding) {
    throw new VerbatimError('unsupported-audio', 'The sound is in an encoding that is not known here.')
  }
  if (!findings.opened && file.container === undefined) {
    throw new VerbatimError('unsupported-audio', 'This is not an audio or video file.')
  }
  const promisedMs = file.wav?.promisedMs ?? findings.promisedMs ?? 0
  if (failed || findings.complaints || promisedMs >= WORTH_KEEPING_MS) {
    throw new VerbatimError('bad-audio', 'The file is damaged: no sound could be decoded.')
  }
  throw new VerbatimError('empty-audio', 'There is no sound in the file.')
}

function withTruncation(
  recording: Recording,
  ending: Ending,
  findings: Findings,
  file: FileFacts,
): Recording {
  const promisedMs = file.wav?.promisedMs ?? findings.promisedMs ?? 0
  const lostMs = promisedMs - recording.durationMs
  const lost = lostMs > Math.max(1000, promisedMs * 0.02)
  // In a video the pictures may simply go on longer than the sound.
  const truncated =
    ending.exitCode !== 0 || file.wav?.cutOff === true || (lost && (!findings.video || findings.cutOff))
  return { ...recording, truncated }
}
