/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * What a Range header asks of `size` bytes. Undefined: answer with everything, as RFC 9110 section 14.2 allows for
 * several ranges, other units and what cannot be read.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match) return undefined
  const [, first, last] = match
  if (first === '') return suffix(last!, size)
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start < size ? { start, end } : 'unsatisfiable'
}

/** `bytes=-500`: the last 500. */
function suffix(length: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  if (length === '') return undefined
  if (Number(length) === 0 || size === 0) return 'unsatisfiable'
  return { start: Math.max(size - Number(length), 0), end: size - 1 }
}
