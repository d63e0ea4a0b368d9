/**
 * The same function, which makes the value of a key once. A map keeps them; give a `WeakMap` for keys that may go, such as
 * policies that are replaced.
 */
export function memoized<Key, Value>(
  make: (key: Key) => Value,
  made: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown } = new Map<Key, Value>(),
): (key: Key) => Value {
  return (key) => {
    const before = made.get(key)
    if (before !== undefined) return before
    const value = make(key)
    made.set(key, value)
    return value
  }
}
