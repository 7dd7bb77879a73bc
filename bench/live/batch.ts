import { download, uploadBytes } from '../../test/support/service.ts'
import { wavBytes } from '../../test/support/wav.ts'
import { wordErrors } from '../../test/support/wer.ts'
import type { LiveRecording } from './recording.ts'
import { done, type ServiceOptions, withService } from './serve.ts'
import { type Cpu, cpuOf, cpuSince } from './usage.ts'

export interface BatchFigures {
  readonly cpu: Cpu
  readonly errors: number
  readonly said: number
}

/** What the batch lane needs for the recording, which it decodes once, and how well it hears it. */
export const batchOnce = ({ pcm16, text }: LiveRecording, options: ServiceOptions): Promise<BatchFigures> =>
  withService(options, async (service) => {
    const before = cpuOf(service.process.pid!)
    const status = await done(service, await uploadBytes(service, wavBytes(pcm16)))
    const cpu = cpuSince(service.process.pid!, before)
    const { errors, words } = wordErrors(text, await download(status, 'txt'))
    return { cpu, errors, said: words }
  })
