/** The same adapter; what its methods throw goes through `translate`, which gives an error of the table. */
export function translateErrors<T extends object>(adapter: T, translate: (thrown: unknown) => Error): T {
  const wrap =
    (method: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      try {
        return await method(...args)
      } catch (thrown) {
        throw translate(thrown)
      }
    }
  return Object.fromEntries(Object.entries(adapter).map(([name, method]) => [name, wrap(method)])) as T
}
