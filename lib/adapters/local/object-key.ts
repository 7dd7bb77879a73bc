import { VerbatimError } from '../../core/errors.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/** S3's limit, in bytes of UTF-8. */
const MAX_BYTES = 1024

/** Keys never become paths, so only what has no one-to-one form in UTF-8 or SQL text has to be refused. */
export function checkKey(key: string): string {
  const ok = key !== '' && key.isWellFormed() && !CONTROL.test(key) && Buffer.byteLength(key) <= MAX_BYTES
  if (!ok) throw new VerbatimError('bad-request', 'The object key is not valid.')
  return key
}
