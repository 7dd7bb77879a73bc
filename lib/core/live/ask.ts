import { isTonal } from '../audio/tonal.ts'
import { createVoiceGate, voicedMs } from '../audio/voice.ts'
import { pickVoiced } from '../audio/voiced.ts'
import { toVerbatimError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { HeardSegment, Word } from '../transcript/shape.ts'
import { type LiveWindow, nextWindow, type Voice, voiceFromMs } from './4-window.ts'
import { settle } from './5-settle.ts'
import { changeSession } from './change.ts'
import type { LivePorts } from './ports.ts'
import { readSound } from './sound/pieces.ts'
import type { LiveState } from './state.ts'

export type AskPorts = Pick<LivePorts, 'sessions' | 'objects' | 'engine' | 'clock' | 'log' | 'liveSettings'>

/** What a step has found: the state after it, and words on the session's clock. */
export interface Found {
  readonly live: LiveState
  readonly finals: readonly Word[]
  readonly drafts: readonly Word[]
}

/** A window that failed so often is given up, so that the session goes on. */
const MOST_FAILURES = 3
/** Less speech than this does not tell a language for good. */
const SURE_MS = 5_000
const SURE = 0.8

/** Hears what is to be heard next, with at most one request. Undefined: nothing is, for now. */
export async function hearNext(
  ports: AskPorts,
  session: Session,
  live: LiveState,
  { closing, signal }: { closing: boolean; signal: AbortSignal },
): Promise<Found | undefined> {
  const { ingest, hearing } = live
  if (ingest.endMs === 0) return undefined
  const sound = await soundFrom(ports, session, live, voiceFromMs(hearing))
  const next = nextWindow(hearing, sound.voice, {
    ...{ closing, settings: ports.liveSettings, glossary: session.prompt },
  })
  if (next.what === 'wait') return undefined
  if (next.what === 'silence') {
    return { live: { ...live, hearing: next.hearing }, finals: next.finals, drafts: [] }
  }
  const { window } = next
  const { heard, language } = await ask(ports, session, live, window, sound, signal)
  const settled = settle(hearing, window, heard, sound.voice)
  return {
    live: {
      ...{ ...live, hearing: settled.hearing, failures: 0 },
      ...(language && { language }),
    },
    ...{ finals: settled.finals, drafts: settled.drafts },
  }
}

interface Sound {
  readonly voice: Voice
  cut(startMs: number, endMs: number): Int16Array
}

/** The sound from `fromMs` on, and what the gate says of it. */
async function soundFrom(
  ports: AskPorts,
  session: Session,
  { ingest }: LiveState,
  fromMs: number,
): Promise<Sound> {
  const { endMs } = ingest
  const firstMs = Math.max(0, fromMs, ingest.pieces[0]?.startMs ?? 0)
  const pcm16 = await readSound(ports.objects, session, ingest, firstMs, endMs)
  const gate = createVoiceGate()
  gate.push(pcm16)
  const regions = gate.end().regions.map((region) => ({
    startMs: region.startMs + firstMs,
    endMs: Math.min(endMs, region.endMs + firstMs),
  }))
  return {
    voice: { regions, endMs },
    cut: (from, to) => pcm16.subarray(Math.max(0, (from - firstMs) * 16), (to - firstMs) * 16),
  }
}

interface Answer {
  readonly heard: readonly HeardSegment[]
  /** Only where it was found out now, for good. */
  readonly language?: LiveState['language']
}

async function ask(
  ports: AskPorts,
  session: Session,
  live: LiveState,
  window: LiveWindow,
  sound: Sound,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const { code, pin } = await languageOf(ports, session, live, sound, signal)
    const { prompt, brief } = window
    const options = { language: code, brief, signal, ...(prompt !== undefined && { prompt }) }
    const pcm16 = sound.cut(window.startMs, window.endMs)
    // Whisper makes words of music.
    const heard = isTonal(pcm16) ? [] : await ports.engine.hear(pcm16, options)
    return { heard, ...(pin && { language: pin }) }
  } catch (thrown) {
    signal.throwIfAborted()
    return await giveUp(ports, session, live, thrown)
  }
}

/** The language asked for, else detected; pinned once there was speech enough to be sure. */
async function languageOf(
  { engine }: AskPorts,
  session: Session,
  { language }: LiveState,
  { voice, cut }: Sound,
  signal: AbortSignal,
): Promise<{ code: string; pin?: LiveState['language'] }> {
  if (language) return { code: language.code }
  if (session.language !== undefined) {
    return { code: session.language, pin: { code: session.language, detected: false } }
  }
  const voiced = pickVoiced(voice.regions)
  if (!voiced) return { code: 'en' }
  const found = await engine.detectLanguage(cut(voiced.startMs, voiced.endMs), { signal })
  const sure = voicedMs(voice.regions, voiced.startMs, voiced.endMs) >= SURE_MS || found.probability >= SURE
  return { code: found.language, ...(sure && { pin: { code: found.language, detected: true } }) }
}

/** Counts the failure and throws it on, for another try; after too many nothing is taken to be said there. */
async function giveUp(
  { sessions, clock, log }: AskPorts,
  session: Session,
  live: LiveState,
  thrown: unknown,
): Promise<Answer> {
  const { code } = toVerbatimError(thrown)
  const failures = live.failures + 1
  if (failures < MOST_FAILURES) {
    await sessions.commit(session, { ...live, failures, step: live.step + 1, at: clock() }, [])
    throw thrown
  }
  log.error('live window given up', { tenant: session.tenant, code, attempt: failures })
  await changeSession({ sessions, clock }, session, () => ({ lastError: code }))
  return { heard: [] }
}
