import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import type { StoredKey } from "../ports/key-ring.ts"

/**
 * The life of a signing key: *next* (published, does not sign), *active* (signs), *retiring* (published until the last
 * token it signed is dead), *gone*. Pure: what is stored, and what time it is.
 */
export type KeyState = "next" | "active" | "retiring" | "gone"

/** Clock skew that verifiers are known to forgive, in seconds. */
export const VERIFIER_SKEW_SECONDS = 300
/** How long a key is published before it signs, in seconds: clouds keep a key set for up to a day. */
export const PUBLISH_AHEAD_SECONDS = 24 * 3600

/** Where a key stands in its life at `now`. */
export function stateOf(key: StoredKey, now: Date): KeyState {
  if (key.activatedAt === null) return "next"
  if (key.retiredAt === null) return "active"
  return now.getTime() < lastTokenDiesAt(key.retiredAt) ? "retiring" : "gone"
}

const lastTokenDiesAt = (retiredAt: string) =>
  Date.parse(retiredAt) + (IDENTITY_TOKEN_SECONDS + VERIFIER_SKEW_SECONDS) * 1000

/** The key that signs, if there is one. */
export function activeKey(keys: readonly StoredKey[], now: Date): StoredKey | undefined {
  return keys.find((key) => stateOf(key, now) === "active")
}

/** What the JWKS shows: every key that has signed something still alive, or is about to sign. */
export function publishedKeys(keys: readonly StoredKey[], now: Date): readonly StoredKey[] {
  return keys.filter((key) => stateOf(key, now) !== "gone")
}

/** A ring's first key signs at once: nobody can have cached a key set without it. */
export function first(key: StoredKey, now: Date): readonly StoredKey[] {
  return [{ ...key, activatedAt: now.toISOString(), retiredAt: null }]
}

/** Adds a key that will sign later. One at a time: a second `next` could never be told from the first. */
export function addNext(keys: readonly StoredKey[], key: StoredKey, now: Date): readonly StoredKey[] | null {
  if (keys.some((other) => stateOf(other, now) === "next")) return null
  return [...publishedKeys(keys, now), { ...key, activatedAt: null, retiredAt: null }]
}

/**
 * Makes the next key the active one and retires the old. Null while there is no next key, or while it has not been
 * published for long enough: verifiers that hold an older key set would refuse what it signs.
 */
export function promote(keys: readonly StoredKey[], now: Date): readonly StoredKey[] | null {
  const next = keys.find((key) => stateOf(key, now) === "next")
  if (!next || now.getTime() < Date.parse(next.createdAt) + PUBLISH_AHEAD_SECONDS * 1000) return null
  const at = now.toISOString()
  return publishedKeys(keys, now).map((key) => {
    if (key.kid === next.kid) return { ...key, activatedAt: at }
    return stateOf(key, now) === "active" ? { ...key, retiredAt: at } : key
  })
}
