import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { VerbatimError } from '../../core/errors.ts'
import type { Backend, Findings } from './findings.ts'

/**
 * Demuxers for files that hold their own sound. Left out on purpose: whatever makes ffmpeg open another file or an
 * address (concat, hls, dash, sdp, rtsp, image2, lavfi, tee), text, pictures, and raw formats that fit any bytes.
 */
export const DEMUXERS = [
  'aac',
  'ac3',
  'aiff',
  'amr',
  'amrnb',
  'amrwb',
  'ape',
  'asf',
  'au',
  'avi',
  'caf',
  'dts',
  'eac3',
  'flac',
  'flv',
  'loas',
  'matroska,webm',
  'mov,mp4,m4a,3gp,3g2,mj2',
  'mp3',
  'mpc',
  'mpc8',
  'mpeg',
  'mpegts',
  'ogg',
  'rm',
  'tta',
  'voc',
  'w64',
  'wav',
  'wv',
]

/** Decoders of sound. None of pictures: a video's frames are not even looked at while the file is probed. */
export const DECODERS = [
  ...['aac', 'aac_fixed', 'aac_latm', 'ac3', 'ac3_fixed', 'g722', 'g726', 'g726le'],
  ...['adpcm_ima_apc', 'adpcm_ima_qt', 'adpcm_ima_wav', 'adpcm_ms', 'adpcm_swf', 'adpcm_yamaha', 'alac'],
  ...['amrnb', 'amrwb', 'ape', 'cook', 'dca', 'eac3', 'flac', 'g729', 'gsm', 'gsm_ms', 'mp1', 'mp1float'],
  ...[
    'mp2',
    'mp2float',
    'mp3',
    'mp3float',
    'mpc7',
    'mpc8',
    'mlp',
    'nellymoser',
    'opus',
    'libopus',
    'pcm_alaw',
    'pcm_bluray',
  ],
  ...['pcm_dvd', 'pcm_f16le', 'pcm_f24le', 'pcm_f32be', 'pcm_f32le', 'pcm_f64be', 'pcm_f64le', 'pcm_lxf'],
  ...['pcm_mulaw', 'pcm_s16be', 'pcm_s16le', 'pcm_s24be', 'pcm_s24le', 'pcm_s32be', 'pcm_s32le', 'pcm_s8'],
  ...['pcm_s64be', 'pcm_s64le', 'pcm_u16be', 'pcm_u16le', 'pcm_u24be', 'pcm_u24le', 'pcm_u32be', 'pcm_u32le'],
  ...[
    'pcm_u8',
    'pcm_vidc',
    'real_144',
    'real_288',
    'speex',
    'libspeex',
    'truehd',
    'tta',
    'vorbis',
    'libvorbis',
  ],
  ...['wavpack', 'wmalossless', 'wmapro', 'wmav1', 'wmav2', 'wmavoice'],
]

/** The most that ffmpeg may ask for at once: an index of many hours fits, a size made up by a hostile file not. */
const MAX_ALLOC_BYTES = 256 * 1024 * 1024

/** ffmpeg as a decoder: 16 kHz WAV on stdout with all channels of the track that a player would choose. */
export const ffmpegBackend = (command: string): Backend => ({
  program: (path, { timeoutMs }) => ({
    command,
    args: [
      ...['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'info', '-max_alloc', `${MAX_ALLOC_BYTES}`],
      // CPU seconds; the wall clock is ours. It ends ffmpeg also when nobody is left to kill it.
      ...['-timelimit', `${Math.ceil(timeoutMs / 1000) * 2 + 1}`],
      // Nested files and addresses stay closed twice over: by demuxer and by protocol.
      ...['-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS.join(',')],
      ...['-codec_whitelist', DECODERS.join(','), '-threads', '1'],
      // `file:` takes any name literally: one that begins with a dash or looks like an address.
      ...['-i', `file:${path}`, '-vn', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1'],
      ...['-ar', '16000', '-c:a', 'pcm_s16le', '-bitexact', '-f', 'wav', 'pipe:1'],
    ],
  }),
  read: readLine,
})

/** Understands the lines of ffmpeg 4 to 8 that matter here. */
function readLine(line: string, findings: Findings): void {
  if (/^Input #0, /.test(line)) findings.opened = true
  if (/does not contain any stream|matches no streams/.test(line)) findings.noTrack = true
  if (
    /Decoder .*not found|no decoder found|Could not find codec parameters for stream \d+ \(Audio/.test(line)
  ) {
    findings.unknownEncoding = true
  }
  if (/Stream #0:\d+.*: Video: /.test(line) && !/attached pic/.test(line)) findings.video = true
  if (/partial file|prematurely|Packet corrupt|[Tt]runcat/.test(line)) findings.cutOff = true
  if (/Invalid data|[Ee]rror|corrupt|invalid|partial file/.test(line)) findings.complaints = true
  if (/Estimating duration from bitrate/.test(line)) findings.guessed = true
  const duration = /^ {2}Duration: (\d+):(\d\d):(\d\d)\.(\d\d)/.exec(line)
  if (duration && !findings.guessed && findings.promisedMs === undefined) {
    const [hours, minutes, seconds, hundredths] = duration.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
    ]
    findings.promisedMs = ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10
  }
}

/**
 * Where ffmpeg is: `override` when it is set (`off` means: do as if there were none), else the first one in
 * `searchPath` (PATH's form). Each is asked for its version. Fails with `engine-missing` when the override is not a
 * working ffmpeg: somebody wanted that one.
 */
export async function findFfmpeg(o: {
  override?: string | undefined
  searchPath?: string | undefined
}): Promise<string | null> {
  if (o.override === 'off') return null
  if (o.override) {
    if (isAbsolute(o.override) && (await works(o.override))) return o.override
    throw new VerbatimError('engine-missing', 'The configured ffmpeg does not run.', {
      hint: 'Set VERBATIM_FFMPEG to the full path of an ffmpeg, to `off`, or leave it out.',
    })
  }
  for (const dir of (o.searchPath ?? '').split(delimiter)) {
    if (isAbsolute(dir) && (await works(join(dir, 'ffmpeg')))) return join(dir, 'ffmpeg')
  }
  return null
}

async function works(command: string): Promise<boolean> {
  try {
    await access(command, constants.X_OK)
    const { stdout } = await promisify(execFile)(command, ['-version'], { timeout: 10_000, env: {} })
    return stdout.startsWith('ffmpeg version')
  } catch {
    return false
  }
}
