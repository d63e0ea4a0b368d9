/** A value of a bounded map; null where it was left out. */
export type BoundedMap<Value> = Readonly<Record<string, Value | null>>

export interface Bounded<Value> {
  /** At most `maxBytes` as canonical JSON. */
  readonly map: BoundedMap<Value>
  /** How many entries are missing, name and all. */
  readonly leftOut: number
}

const encoder = new TextEncoder()

/**
 * Keeps as much of a map as `maxBytes` of canonical JSON can hold. The longest values become null first: so a reader still
 * sees that there was one. Only when the names alone are too long, the longest entries are left out and counted.
 *
 * The same entries give the same map, whatever their order.
 */
export function boundedMap<Value extends string | readonly string[]>(
  entries: Iterable<readonly [name: string, value: Value | null]>,
  maxBytes: number,
): Bounded<Value> {
  const sized = [...entries].map(([name, value]) => ({ name, value, bytes: bytesOf(name) + bytesOf(value) + 2 }))
  // Two braces, and no comma after the last entry.
  let total = 1 + sized.reduce((sum, { bytes }) => sum + bytes, 0)
  const byLength = sized.toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1))
  for (const one of byLength) {
    if (total <= maxBytes) break
    const without = bytesOf(one.name) + bytesOf(null) + 2
    total -= one.bytes - without
    one.value = null
    one.bytes = without
  }
  const kept = new Set(sized)
  for (const one of byLength.toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1))) {
    if (total <= maxBytes) break
    total -= one.bytes
    kept.delete(one)
  }
  return {
    map: Object.fromEntries([...kept].map(({ name, value }) => [name, value])),
    leftOut: sized.length - kept.size,
  }
}

const bytesOf = (value: string | readonly string[] | null): number => encoder.encode(JSON.stringify(value)).length
