import { InvalidArgumentError } from 'commander'
import { FORMATS, Format } from '../lib/core/job.ts'
import { languageCode } from '../lib/core/languages.ts'
import { inOrder } from './names.ts'

// What option values may look like. Each throws InvalidArgumentError, which commander turns into a usage error.

/** `txt,srt`, repeatable; `all`. Commander hands the default in as `before` the first time. */
export function formats(text: string, before: Format[] | undefined, seed: Format[]): Format[] {
  const wanted = text.split(',').map((part) => part.trim())
  if (wanted.includes('all')) return [...FORMATS]
  const parsed = wanted.map((part) => {
    const format = Format.safeParse(part)
    if (!format.success) throw new InvalidArgumentError(`Choose from ${FORMATS.join(', ')} or all.`)
    return format.data
  })
  return inOrder([...(before === undefined || before === seed ? [] : before), ...parsed])
}

/** Seconds, or a number with ms, s, m or h; in milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim())
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's']
  if (!match || unit === undefined) throw new InvalidArgumentError('Write it like 90, 90s, 15m or 2h.')
  // A timer takes no more than 2^31 - 1 ms, which is over 24 days.
  return Math.min(Math.round(Number(match[1]) * unit), 2 ** 31 - 1)
}

export function language(text: string): string {
  const code = text.trim().toLowerCase() === 'auto' ? 'auto' : languageCode(text)
  if (!code) throw new InvalidArgumentError('Use a code that whisper knows (en, de, …), or auto.')
  return code
}

/** `key=value`, repeatable. */
export function metadata(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write it like key=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

export function wholeNumber(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < low || value > high || text.trim() === '')
      throw new InvalidArgumentError(`A whole number from ${low} to ${high}.`)
    return value
  }
}
