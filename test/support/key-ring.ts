import type { KeyRing, StoredKey } from "../../broker/ports/key-ring.ts"

/** A ring whose every answer comes a turn later, so that racing instances really interleave. */
export function ringInMemory(): KeyRing & { stored(): readonly StoredKey[] } {
  let version = 0
  let keys: readonly StoredKey[] = []
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0))
  return {
    stored: () => keys,
    async read() {
      await turn()
      return { version, keys }
    },
    async replace(expected, next) {
      await turn()
      if (expected !== version) return false
      version++
      keys = next
      return true
    },
  }
}
