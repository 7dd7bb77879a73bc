import { execFileSync } from 'node:child_process'
import { DECODERS, DEMUXERS } from '../../lib/adapters/audio/ffmpeg.ts'

// Prints the options of ffmpeg's configure that leave it able to do what lib/adapters/audio/ffmpeg.ts asks for and
// nothing else. `ffmpeg-flags.ts <ffmpeg>` checks that this is how it came out: configure only warns of names that it
// does not know.

/** configure goes by the names of source files, where those of the program differ. */
const OTHER_NAMES: Record<string, string> = {
  ...{ g722: 'adpcm_g722', g726: 'adpcm_g726', g726le: 'adpcm_g726le' },
  ...{ real_144: 'ra_144', real_288: 'ra_288', mpeg: 'mpegps' },
}

/** Both lists name decoders of other libraries (lib…) beside ffmpeg's own of the same format. */
const own = (names: readonly string[]) => names.filter((name) => !name.startsWith('lib'))

const enable = (kind: string, names: readonly string[]) =>
  names.map((name) => `--enable-${kind}=${OTHER_NAMES[name] ?? name}`)

function flags(): string[] {
  return [
    ...enable('decoder', own(DECODERS)),
    // `mov,mp4,m4a,…` is one demuxer by all its names; configure knows the first.
    ...enable(
      'demuxer',
      DEMUXERS.map((names) => names.split(',')[0]!),
    ),
    ...enable('parser', [
      ...['aac', 'aac_latm', 'ac3', 'adx', 'amr', 'cook', 'dca', 'flac', 'g729', 'gsm', 'mlp'],
      ...['mpegaudio', 'opus', 'vorbis'],
    ]),
    ...enable('protocol', ['file', 'pipe']),
    ...enable('encoder', ['pcm_s16le']),
    ...enable('muxer', ['wav']),
    ...enable('filter', ['aresample', 'aformat', 'anull']),
  ]
}

/** The second column of a list such as `ffmpeg -decoders`. */
function listed(ffmpeg: string, what: string): Set<string> {
  const text = execFileSync(ffmpeg, ['-hide_banner', `-${what}`], { encoding: 'utf8' })
  return new Set(text.split('\n').flatMap((line) => line.trim().split(/\s+/)[1]?.split(',') ?? []))
}

/** Older releases lack these and decode the format by another of the list, or know the demuxer by another name. */
const OPTIONAL = new Set(['amrnb', 'amrwb'])

function check(ffmpeg: string): void {
  const decoders = listed(ffmpeg, 'decoders')
  const demuxers = listed(ffmpeg, 'demuxers')
  const missing = [
    ...own(DECODERS).filter((name) => !decoders.has(name)),
    ...DEMUXERS.flatMap((names) => names.split(',')).filter(
      (name) => !demuxers.has(name) && !OPTIONAL.has(name),
    ),
  ]
  if (missing.length > 0) throw new Error(`This ffmpeg came out without ${missing.join(', ')}.`)
}

const [built] = process.argv.slice(2)
if (built) check(built)
else process.stdout.write(`${flags().join('\n')}\n`)
