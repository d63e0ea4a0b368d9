/** Values by key, in this instance's memory only. What was asked for longest ago goes first when there is no more room. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined
  /** `weight` counts against the cache's; a value heavier than all of it is not kept. */
  set(key: string, value: Value, weight?: number): void
  delete(key: string): void
}

/** Makes an empty one. Holds values, never promises: workerd forbids one request to await the I/O of another. */
export function createBoundedCache<Value>(maxEntries: number, maxWeight = 0): BoundedCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly weight: number }>()
  let total = 0

  function remove(key: string): void {
    total -= entries.get(key)?.weight ?? 0
    entries.delete(key)
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      // A Map keeps the order of insertion: to be asked for is to become the youngest.
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, weight = 0) {
      remove(key)
      if (weight > maxWeight) return
      entries.set(key, { value, weight })
      total += weight
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && total <= maxWeight) break
        remove(oldest)
      }
    },
    delete: remove,
  }
}
