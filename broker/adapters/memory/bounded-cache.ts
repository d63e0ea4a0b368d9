/** Values by key, only in this instance's memory. When the cache is full, the least recently used value is removed. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined
  /** `weight` counts towards the cache's limit. A value that is heavier than the limit is not stored. */
  set(key: string, value: Value, weight?: number): void
  delete(key: string): void
}

/**
 * Makes an empty cache. It holds values, never promises: workerd does not allow one request to await the I/O of another.
 */
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
      // A Map keeps the order of insertion, so inserting again makes this the most recently used value.
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
