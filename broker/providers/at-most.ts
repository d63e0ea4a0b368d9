/** Calls to one store that may be under way for one exchange at the same time. */
export const CALLS_AT_ONCE = 8

/**
 * Acts on every item, on at most `limit` of them at the same time, and answers in the order of the items.
 *
 * After the first failure no further item is begun. What is under way is waited for, so that nothing goes on behind an
 * exchange that has been answered already.
 *
 * @throws what the first failure threw
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
  // The compiler does not see that `work` sets it.
  const failed = failure as { readonly error: unknown } | null
  if (failed !== null) throw failed.error
  return results
}
