import type { Clock, Log, LogFields } from '../core/ports.ts'

const LEVELS = ['info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LEVELS)[number]

export interface LogOptions {
  /** Takes one line without its end. Left out: stderr. */
  readonly write?: (line: string) => void
  /** The least that is written. */
  readonly level: LogLevel
  readonly clock?: Clock
}

/** The list of the port once more: types are gone at run time, and a cast must not let speech through. */
const FIELDS = {
  requestId: true,
  jobId: true,
  tenant: true,
  tokenId: true,
  messageId: true,
  queue: true,
  route: true,
  method: true,
  status: true,
  code: true,
  attempt: true,
  count: true,
  bytes: true,
  ms: true,
  audioMs: true,
  words: true,
  pid: true,
  model: true,
  signal: true,
  stack: true,
} as const satisfies Record<keyof LogFields, true>

/** One JSON object a line: `{time, level, event, …fields}`. */
export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const { write = toStderr, level: least, clock = Date.now } = options
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      write(
        JSON.stringify({
          time: new Date(clock()).toISOString(),
          level,
          event,
          ...allowedFields({ ...bound, ...fields }),
        }),
      )
    }
  return {
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  }
}

/** What may be written of `fields`: the names on the list, and of a stack only its frames. */
export function allowedFields(fields: LogFields): Record<string, string | number> {
  const entries = Object.entries(fields).filter(
    (entry): entry is [string, string | number] =>
      Object.hasOwn(FIELDS, entry[0]) && ['string', 'number'].includes(typeof entry[1]),
  )
  return Object.fromEntries(entries.map(([name, value]) => [name, name === 'stack' ? frames(value) : value]))
}

/** The frames of a stack. The lines above them are the error's message, which may quote anything. */
function frames(stack: unknown): string {
  return String(stack)
    .split('\n')
    .filter((line) => /^\s+at .*(:\d+:\d+|<anonymous>|native)\)?$/.test(line))
    .map((line) => line.trim())
    .join('\n')
}

const toStderr = (line: string): void => {
  process.stderr.write(`${line}\n`)
}
