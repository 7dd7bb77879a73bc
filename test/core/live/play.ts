import { isTonal } from '../../../lib/core/audio/tonal.ts'
import { createVoiceGate } from '../../../lib/core/audio/voice.ts'
import { type LiveWindow, nextWindow, type Voice, voiceFromMs } from '../../../lib/core/live/4-window.ts'
import { settle } from '../../../lib/core/live/5-settle.ts'
import { LIVE_DEFAULTS } from '../../../lib/core/live/settings.ts'
import { BEGINNING, HearingState } from '../../../lib/core/live/state.ts'
import type { Engine } from '../../../lib/core/ports.ts'
import type { Word } from '../../../lib/core/transcript/shape.ts'
import { slice } from '../../support/speak.ts'

export interface PlayedWord extends Word {
  /** Session time at which it became final, when hearing takes no time. */
  readonly finalMs: number
}

/** What the gate says when sound up to `endMs` has come. */
function voiceAt(pcm16: Int16Array, fromMs: number, endMs: number): Voice {
  const gate = createVoiceGate()
  gate.push(slice(pcm16, fromMs, endMs))
  const regions = gate
    .end()
    .regions.map((region) => ({ startMs: region.startMs + fromMs, endMs: region.endMs + fromMs }))
  return { regions, endMs }
}

/**
 * Hears a recording as a session does, in chunks of these lengths (the last again and again), and gives its final
 * words. Between two requests the state goes through JSON, as it does between two processes.
 */
export async function play(
  engine: Pick<Engine, 'hear'>,
  pcm16: Int16Array,
  chunksMs: readonly number[] = [3000],
): Promise<{ finals: PlayedWord[]; requests: number }> {
  const lengthMs = Math.floor(pcm16.length / 16)
  const finals: PlayedWord[] = []
  let hearing = BEGINNING.hearing
  let requests = 0

  async function advance(endMs: number, closing: boolean): Promise<void> {
    for (;;) {
      const voice = voiceAt(pcm16, voiceFromMs(hearing), endMs)
      const next = nextWindow(hearing, voice, { closing, settings: LIVE_DEFAULTS })
      if (next.what === 'wait') return
      if (next.what === 'hear') requests++
      const done = next.what === 'hear' ? await hear(next.window, voice) : next
      finals.push(...done.finals.map((word) => ({ ...word, finalMs: endMs })))
      hearing = HearingState.parse(JSON.parse(JSON.stringify(done.hearing)))
    }
    async function hear(window: LiveWindow, voice: Voice) {
      const { startMs, endMs, brief, prompt } = window
      const sound = slice(pcm16, startMs, endMs)
      const options = { language: 'en', brief, ...(prompt !== undefined && { prompt }) }
      const heard = isTonal(sound) ? [] : await engine.hear(sound, options)
      return settle(hearing, window, heard, voice)
    }
  }

  let endMs = 0
  for (let n = 0; endMs < lengthMs; n++) {
    endMs = Math.min(lengthMs, endMs + (chunksMs[n] ?? chunksMs.at(-1)!))
    await advance(endMs, false)
  }
  await advance(endMs, true)
  return { finals, requests }
}
