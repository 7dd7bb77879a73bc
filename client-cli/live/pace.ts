import { pauseFor } from '../retry.ts'
import type { Piece } from './cut.ts'

/**
 * Gives each piece when it would have been heard to its end, had it begun at `beginMs` (epoch ms) and run `speed` times
 * as fast as the clock. What is late is given at once. Ends when `stop` is aborted.
 */
export async function* paced(
  pieces: AsyncIterable<Piece>,
  { beginMs, speed, stop }: { beginMs: number; speed: number; stop: AbortSignal },
): AsyncGenerator<Piece, void> {
  for await (const piece of pieces) {
    const waitMs = beginMs + piece.endMs / speed - Date.now()
    if (waitMs > 0) await pauseFor(waitMs, stop).catch(() => {})
    if (stop.aborted) return
    yield piece
  }
}
