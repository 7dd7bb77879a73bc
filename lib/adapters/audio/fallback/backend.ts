import { fileURLToPath } from 'node:url'
import type { Backend, Findings } from '../findings.ts'

const PROGRAM = fileURLToPath(new URL('./main.ts', import.meta.url))
/** The codecs' own memory lies outside of this heap; main.ts watches the whole. */
const HEAP_MB = 256

/**
 * The decoder for machines without ffmpeg: our own program around npm's `audio-decode`, in a process of its own for
 * the same reasons as ffmpeg. Knows WAV, MP3, FLAC, Ogg (Opus, Vorbis), WebM, M4A/MP4, AAC, AIFF, CAF and AMR.
 */
export const fallbackBackend = (): Backend => ({
  program: (path, { timeoutMs, keepChannels }) => {
    const node = [`--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning', PROGRAM]
    const seconds = Math.ceil(timeoutMs / 1000) * 2 + 1
    return {
      command: '/bin/sh',
      // The shell only sets the limit of CPU seconds, which ends a stuck decoder also when nobody is left to kill it.
      args: [
        ...['-c', 'ulimit -t "$0" 2>/dev/null; exec "$@"', `${seconds}`, process.execPath, ...node],
        ...[keepChannels ? 'separate' : 'mix', path],
      ],
    }
  },
  read: readLine,
})

const FLAGS = {
  opened: 'opened',
  'no-track': 'noTrack',
  'unknown-encoding': 'unknownEncoding',
  damaged: 'complaints',
  video: 'video',
} as const satisfies Record<string, keyof Findings>

/** What main.ts says on stderr. */
export type Remark = keyof typeof FLAGS

function readLine(line: string, findings: Findings): void {
  const [word = '', value = ''] = line.split(' ')
  if (Object.hasOwn(FLAGS, word)) findings[FLAGS[word as Remark]] = true
  if (word === 'promised-ms' && /^\d{1,15}$/.test(value)) findings.promisedMs = Number(value)
}
