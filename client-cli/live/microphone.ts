import { execFile } from 'node:child_process'
import { VerbatimError } from '../../lib/core/errors.ts'
import { toWebm } from './ffmpeg.ts'

export interface MicrophoneOptions {
  readonly command: string
  /** As the system names it; left out: the default one. */
  readonly device?: string | undefined
  readonly platform?: NodeJS.Platform
  readonly stop: AbortSignal
}

/**
 * How ffmpeg reads the microphone on each system, the likeliest way first: PulseAudio (PipeWire speaks it too) before
 * ALSA. https://ffmpeg.org/ffmpeg-devices.html
 */
export function microphoneInputs(platform: NodeJS.Platform, device: string | undefined): string[][] {
  if (platform === 'darwin') return [['-f', 'avfoundation', '-i', `:${device ?? 'default'}`]]
  if (platform === 'win32') return device === undefined ? [] : [['-f', 'dshow', '-i', `audio=${device}`]]
  return ['pulse', 'alsa'].map((system) => ['-f', system, '-i', device ?? 'default'])
}

/** Sound from the microphone as a WebM stream, until `stop`. Throws `bad-request` when there is none. */
export async function* microphone(options: MicrophoneOptions): AsyncGenerator<Buffer, void> {
  const { command, stop, platform = process.platform } = options
  const named = options.device ?? (platform === 'win32' ? await firstDevice(command) : undefined)
  let last: unknown
  for (const input of microphoneInputs(platform, named)) {
    let any = false
    try {
      for await (const bytes of toWebm({ command, input, stop })) {
        any = true
        yield bytes
      }
      return
    } catch (error) {
      if (any) throw error
      last = error
    }
  }
  throw new VerbatimError('bad-request', 'No microphone can be opened.', {
    hint:
      last instanceof Error ? `${last.message}. Name another one with --device.` : 'Name one with --device.',
    cause: last,
  })
}

/** DirectShow has no default device: the first one that ffmpeg lists. */
function firstDevice(command: string): Promise<string | undefined> {
  const args = ['-hide_banner', '-list_devices', 'true', '-f', 'dshow', '-i', 'dummy']
  return new Promise((resolve) => {
    execFile(command, args, { windowsHide: true }, (_error, _stdout, stderr) => {
      resolve(/"([^"]+)" \(audio\)/.exec(stderr)?.[1])
    })
  })
}
