import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import type { StoredKey } from "../ports/key-ring.ts"

/**
 * The states of a signing key: *next* (published, does not sign), *active* (signs), *retiring* (published until its last
 * token has expired), *gone*. Pure: depends only on the stored key and the time.
 */
export type KeyState = "next" | "active" | "retiring" | "gone"

/** Clock skew that verifiers are known to accept, in seconds. */
export const VERIFIER_SKEW_SECONDS = 300
/** How long a key is published before it signs, in seconds: clouds cache a key set for up to a day. */
export const PUBLISH_AHEAD_SECONDS = 24 * 3600

/** The state of a key at `now`. */
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

/** The keys of the JWKS: those whose tokens may still be valid, and the next one. */
export function publishedKeys(keys: readonly StoredKey[], now: Date): readonly StoredKey[] {
  return keys.filter((key) => stateOf(key, now) !== "gone")
}

/** The first key of a ring signs immediately: no verifier can have cached an older key set. */
export function first(key: StoredKey, now: Date): readonly StoredKey[] {
  return [{ ...key, activatedAt: now.toISOString(), retiredAt: null }]
}

/** Adds a key that will sign later. Null when there is a `next` key already: two of them could not be distinguished. */
export function addNext(keys: readonly StoredKey[], key: StoredKey, now: Date): readonly StoredKey[] | null {
  if (keys.some((other) => stateOf(other, now) === "next")) return null
  return [...publishedKeys(keys, now), { ...key, activatedAt: null, retiredAt: null }]
}

/**
 * Makes the next key the active one and retires the old one. Null when there is no next key, or when it was not published
 * long enough: verifiers with an older key set would refuse its tokens.
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
