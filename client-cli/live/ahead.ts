/**
 * Reads on while the reader is busy, up to `mostBytes`: a source that does not wait (a microphone) loses nothing while
 * the network is away.
 */
export async function* ahead<T extends { readonly bytes: Uint8Array }>(
  source: AsyncIterable<T>,
  mostBytes: number,
): AsyncGenerator<T, void> {
  const waiting: T[] = []
  let bytes = 0
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let wake = () => {}
  const change = () => new Promise<void>((resolve) => (wake = resolve))
  let changed = change()
  const tell = () => {
    wake()
    changed = change()
  }
  const reading = (async () => {
    try {
      for await (const item of source) {
        if (ended) return
        waiting.push(item)
        bytes += item.bytes.length
        tell()
        while (bytes > mostBytes && !ended) await changed
      }
    } catch (error) {
      failure = { error }
    } finally {
      ended = true
      tell()
    }
  })()
  try {
    for (;;) {
      const item = waiting.shift()
      if (item) {
        bytes -= item.bytes.length
        tell()
        yield item
      } else if (failure) throw failure.error
      else if (ended) return
      else await changed
    }
  } finally {
    ended = true
    tell()
    reading.catch(() => {})
  }
}
