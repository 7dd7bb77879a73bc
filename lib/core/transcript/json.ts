import { VerbatimError } from '../errors.ts'
import { Transcript } from './shape.ts'

/**
 * The transcript itself, on one line. Fields that the shape does not know are left out. `internal` when it is not
 * a transcript; the message does not say more, because it would have to quote.
 */
export function writeJson(transcript: Transcript): string {
  const checked = Transcript.safeParse(transcript)
  if (!checked.success) throw new VerbatimError('internal', 'The transcript does not have its own shape.')
  return `${JSON.stringify(checked.data)}\n`
}
