/** Starts `work` on at most `limit` items at a time, in order. One promise an item, in the items' order. */
export function pooled<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R>[] {
  const slots = items.map(() => Promise.withResolvers<R>())
  const waiting = items.entries()
  const worker = async () => {
    for (const [index, item] of waiting) {
      await work(item, index).then(slots[index]!.resolve, slots[index]!.reject)
    }
  }
  for (let n = 0; n < limit; n++) void worker()
  return slots.map(({ promise }) => promise)
}
