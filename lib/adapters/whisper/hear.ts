import type { Form } from './post.ts'
import { lengthMs, SAMPLE_RATE, wavFile } from './wav.ts'

// The two forms that the engine is asked with (whisper.cpp v1.9.3, examples/server/server.cpp).

/** Whisper listens to 30 s at a time, and one look is all that detection takes. */
const DETECTION_SAMPLES = 30 * SAMPLE_RATE

/** Whisper's encoder looks at 30 s in 1,500 places, silence included; 0 leaves it at that. */
const WHOLE_CONTEXT = 0
const PLACES = 1_500
const PLACES_PER_S = PLACES / 30

/** What a short look has after the sound's end, in places. Measured: docs/adr/0011-live-settling.md. */
const MARGIN_PLACES = 64
const LEAST_PLACES = 256

/** How many places short sound needs: the encoder's price is more than proportional to them. */
function briefContext(pcm16: Int16Array): number {
  const needed = Math.ceil((pcm16.length / SAMPLE_RATE) * PLACES_PER_S) + MARGIN_PLACES
  return needed < PLACES ? Math.max(LEAST_PLACES, needed) : WHOLE_CONTEXT
}

/** Half of the decoder's 448 positions: the longest prompt whisper can use. */
const PROMPT_TOKENS = 224

/** Every field is always sent, so that no request depends on what the one before it set. */
const ALWAYS = {
  response_format: 'verbose_json',
  temperature: '0.0',
  temperature_inc: '0.2',
  // In characters; 0 would be replaced by 60.
  max_len: '1000000',
}

export interface TranscriptionOptions {
  readonly language: string
  readonly prompt?: string | undefined
  readonly brief?: boolean | undefined
}

export function transcriptionForm(
  pcm16: Int16Array,
  { language, prompt, brief = false }: TranscriptionOptions,
): Form {
  const fields = {
    ...ALWAYS,
    language,
    audio_ctx: String(brief ? briefContext(pcm16) : WHOLE_CONTEXT),
    // Computing them would cost a second encoder pass.
    no_language_probabilities: 'true',
    // The server's own 64 tokens of context would cut the prompt off as well.
    ...(prompt ? { prompt, max_context: String(PROMPT_TOKENS) } : {}),
  }
  return { fields, file: wavFile(pcm16) }
}

/**
 * With a `duration` under 100 ms whisper returns before it listens, and the server then computes the language
 * probabilities over the whole clip: one encoder pass in all, where `language=auto` would also transcribe.
 */
export function detectionForm(pcm16: Int16Array): Form {
  const fields = {
    ...ALWAYS,
    language: 'en',
    audio_ctx: String(WHOLE_CONTEXT),
    duration: '10',
    no_language_probabilities: 'false',
  }
  return { fields, file: wavFile(pcm16.subarray(0, DETECTION_SAMPLES)) }
}

export interface TimeLimits {
  /** For loading the model. */
  readonly startMs: number
  /** For a request of no length … */
  readonly requestMs: number
  /** … and so many times the sound's length more. */
  readonly perAudio: number
}

export const TIME_LIMITS: TimeLimits = { startMs: 600_000, requestMs: 60_000, perAudio: 30 }

/** How long the engine may take over this sound. */
export const timeLimitMs = (pcm16: Int16Array, limits: TimeLimits): number =>
  Math.round(limits.requestMs + limits.perAudio * lengthMs(pcm16))
