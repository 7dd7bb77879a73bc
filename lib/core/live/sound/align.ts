const SAMPLES_PER_MS = 16

/** How far the times of containers and the habits of decoders may be off: MP3 with its table and delay is 77 ms. */
const RANGE = 120 * SAMPLES_PER_MS
/** What is compared at most. */
export const COMPARED_MS = 300
const COMPARED = COMPARED_MS * SAMPLES_PER_MS
/** What a decoder needs until it gives the same sound as if it had begun earlier: Opus 80 ms (RFC 7845, section 4.6). */
const SETTLING = 80 * SAMPLES_PER_MS
/** Mean of the samples below which there is nothing to compare. */
const AUDIBLE = 4
/** Of the sound itself: a difference below is the same sound. */
const ALIKE = 0.4
/** A place further off must be so much better, or a steady tone would fit anywhere. */
const BETTER = 0.8

/**
 * Where in `decoded` the sound that ends `taken` ends: the seam. `expected` is the place that times tell; the sound
 * itself tells it to the sample, as both come from the same bytes. All in samples. Where nothing can be compared
 * (silence, too little overlap) it is `expected`, and `sure` is false.
 */
export function findSeam(
  taken: Int16Array,
  decoded: Int16Array,
  expected: number,
): { at: number; sure: boolean } {
  const overlap = expected - SETTLING
  const length = Math.min(COMPARED, taken.length, Math.max(0, overlap))
  const tail = taken.subarray(taken.length - length)
  const loudness = tail.reduce((sum, sample) => sum + Math.abs(sample), 0)
  if (length < 10 * SAMPLES_PER_MS || loudness < AUDIBLE * length) return { at: expected, sure: false }
  let best = { at: expected, difference: Number.POSITIVE_INFINITY }
  for (let step = 0; step <= 2 * RANGE; step++) {
    const at = expected + (step % 2 === 0 ? -step / 2 : (step + 1) / 2)
    if (at - length < 0 || at > decoded.length) continue
    const difference = differenceAt(tail, decoded, at - length, best.difference * BETTER)
    if (difference < best.difference * BETTER) best = { at, difference }
  }
  return best.difference < ALIKE * loudness ? { at: best.at, sure: true } : { at: expected, sure: false }
}

/** Sum of the differences, or infinity as soon as it is above `limit`. */
function differenceAt(tail: Int16Array, decoded: Int16Array, from: number, limit: number): number {
  let sum = 0
  for (let i = 0; i < tail.length; i++) {
    sum += Math.abs(tail[i]! - decoded[from + i]!)
    if (sum > limit) return Number.POSITIVE_INFINITY
  }
  return sum
}
