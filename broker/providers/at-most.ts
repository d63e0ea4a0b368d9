/** The maximum number of parallel calls to one store for one exchange. */
export const CALLS_AT_ONCE = 8

/**
 * Runs `act` on every item, at most `limit` at the same time. The results have the order of the items.
 *
 * After the first failure, no further item is started. Running calls are awaited, so that none continues after the exchange
 * was answered.
 *
 * @throws the error of the first failure
 */
export async function atMost<Item, Result>(
  limit: number,
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const entries = items.entries()
  let failure: { readonly error: unknown } | null = null
  const work = async () => {
    for (const [at, item] of entries) {
      if (failure !== null) return
      try {
        results[at] = await act(item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  // The compiler does not see that `work` sets `failure`.
  const failed = failure as { readonly error: unknown } | null
  if (failed !== null) throw failed.error
  return results
}
