/**
 * Every way the service can say no, with what each host needs to know about it.
 *
 * `http`  status of the REST reply (for job errors: of a request that asks for what such a job does not have)
 * `retry` the same work may succeed later without anybody changing anything
 * `exit`  exit code of the CLI (docs/cli.md prints this table)
 * `hint`  what the reader should do next
 */
export const ERRORS = {
  // Requests
  'bad-request': { http: 400, retry: false, exit: 2, hint: 'Compare the request with /openapi.json.' },
  'unknown-language': {
    http: 400,
    retry: false,
    exit: 2,
    hint: 'Use a two-letter code that whisper knows (en, de, …), or leave the language out to detect it.',
  },
  unauthorized: {
    http: 401,
    retry: false,
    exit: 3,
    hint: 'Send Authorization: Bearer <token>; an administrator makes one with `verbatim token create`.',
  },
  forbidden: { http: 403, retry: false, exit: 3, hint: 'Ask for a new URL: this one does not allow that.' },
  'not-found': { http: 404, retry: false, exit: 4, hint: 'Check the id and whose token is sent.' },
  'unknown-job': {
    http: 404,
    retry: false,
    exit: 4,
    hint: 'Check the job id and whose token is sent; `verbatim list` shows the jobs of this token.',
  },
  'unknown-session': {
    http: 404,
    retry: false,
    exit: 4,
    hint: 'Check the session id and whose token is sent; a session begins with its first chunk.',
  },
  'session-closed': {
    http: 409,
    retry: false,
    exit: 6,
    hint: 'Choose a new session id for what follows.',
  },
  'method-not-allowed': { http: 405, retry: false, exit: 2, hint: 'See /openapi.json.' },
  'idempotency-conflict': {
    http: 409,
    retry: false,
    exit: 2,
    hint: 'This Idempotency-Key was used for another request: choose a new key.',
  },
  'wrong-state': { http: 409, retry: false, exit: 6, hint: 'Look at the job with GET /status/<jobId>.' },
  'upload-incomplete': {
    http: 409,
    retry: false,
    exit: 6,
    hint: 'Send the missing parts again, then complete the upload.',
  },
  'too-large': {
    http: 413,
    retry: false,
    exit: 5,
    hint: 'Send a compressed file (FLAC, Opus), or ask for a higher limit.',
  },
  'too-many-requests': { http: 429, retry: true, exit: 7, hint: 'Wait a moment and send it again.' },
  internal: {
    http: 500,
    retry: true,
    exit: 1,
    hint: 'Try again; if it stays, look for the requestId in the log.',
  },
  unavailable: { http: 503, retry: true, exit: 7, hint: 'Try again in a moment.' },

  // What can be wrong with a recording
  'empty-audio': {
    http: 422,
    retry: false,
    exit: 5,
    hint: 'The file holds no sound: record or export it again.',
  },
  'bad-audio': {
    http: 422,
    retry: false,
    exit: 5,
    hint: 'The file is damaged or cut off: export it again and check that it plays.',
  },
  'unsupported-audio': {
    http: 422,
    retry: false,
    exit: 5,
    hint: 'Convert it to WAV, FLAC, MP3, M4A or Opus; with ffmpeg on the server more formats work.',
  },
  'too-long': { http: 422, retry: false, exit: 5, hint: 'Split the recording, or ask for a higher limit.' },
  'decode-timeout': {
    http: 422,
    retry: false,
    exit: 5,
    hint: 'The file takes too long to decode: convert it to WAV or FLAC first.',
  },
  'upload-expired': {
    http: 410,
    retry: false,
    exit: 6,
    hint: 'Ask for a new upload; the URL was not used in time.',
  },
  cancelled: { http: 409, retry: false, exit: 6, hint: 'The job was cancelled; upload the recording again.' },

  // What can be wrong with us
  'engine-missing': {
    http: 503,
    retry: false,
    exit: 8,
    hint: 'Run `verbatim doctor`: it says which tool the engine needs and how to install it.',
  },
  'engine-crashed': {
    http: 503,
    retry: true,
    exit: 7,
    hint: 'Upload it again; if it stays, try a smaller model.',
  },
  'engine-timeout': {
    http: 503,
    retry: true,
    exit: 7,
    hint: 'Give the service more threads or a smaller model.',
  },
  'model-missing': {
    http: 503,
    retry: false,
    exit: 8,
    hint: 'Run `verbatim model get <name>` on the server.',
  },
  'model-corrupt': {
    http: 503,
    retry: false,
    exit: 8,
    hint: 'Delete the model file and run `verbatim model get <name>` again.',
  },
  'disk-full': {
    http: 507,
    retry: true,
    exit: 7,
    hint: 'Free some disk space on the server, then upload it again.',
  },
  'storage-unavailable': { http: 503, retry: true, exit: 7, hint: 'Try again in a moment.' },
  'recording-missing': { http: 410, retry: false, exit: 6, hint: 'The recording is gone: upload it again.' },

  // Only on the client's side
  network: {
    http: 0,
    retry: true,
    exit: 7,
    hint: 'Check the URL and that the service runs (`verbatim doctor`).',
  },
  timeout: {
    http: 0,
    retry: true,
    exit: 7,
    hint: 'Wait on: `verbatim get <jobId>` picks it up where it is.',
  },
} as const satisfies Record<string, ErrorTraits>

export interface ErrorTraits {
  readonly http: number
  readonly retry: boolean
  readonly exit: number
  readonly hint: string
}

export type ErrorCode = keyof typeof ERRORS

/** An error with a code from the table. `message` is for people and never holds speech, names or paths of audio. */
export class VerbatimError extends Error {
  readonly code: ErrorCode
  /** Replaces the table's hint where the place that throws knows better. */
  readonly hint: string

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'VerbatimError'
    this.code = code
    this.hint = options.hint ?? ERRORS[code].hint
  }

  get traits(): ErrorTraits {
    return ERRORS[this.code]
  }
}

/** Errno codes that mean there is no room left: disk, quota, file size. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Turns anything thrown into an error of the table; what nobody foresaw becomes `internal`. */
export function toVerbatimError(thrown: unknown): VerbatimError {
  if (thrown instanceof VerbatimError) return thrown
  const code = errnoOf(thrown)
  if (code && NO_ROOM.has(code)) {
    return new VerbatimError('disk-full', 'No space left on the server.', { cause: thrown })
  }
  return new VerbatimError('internal', 'Something went wrong on our side.', { cause: thrown })
}

function errnoOf(thrown: unknown): string | undefined {
  if (thrown === null || typeof thrown !== 'object') return undefined
  const { code, cause } = thrown as { code?: unknown; cause?: unknown }
  return typeof code === 'string' ? code : errnoOf(cause)
}
