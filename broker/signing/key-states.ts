import { OPERATOR_TOKEN_SECONDS } from "../core/operator-rights.ts"
import type { StoredKey } from "../ports/key-ring.ts"
import type { KeyState } from "../wire/keys.ts"

/** Clock skew that verifiers are known to accept, in seconds. */
export const VERIFIER_SKEW_SECONDS = 300
/** How long an instance may go on with the keys that it has read, in seconds: much shorter than a key is published ahead. */
export const KEYS_FRESH_SECONDS = 60
/**
 * How long a key is published before it signs, in seconds. The longest cache of a key set that is known is shorter: see
 * `docs/keys.md`. No cloud promises how long it keeps one, so a day it is.
 */
export const PUBLISH_AHEAD_SECONDS = 24 * 3600
/**
 * How long a key stays published after the ring has another active one, in seconds. Operators' tokens live longest of those
 * that it signs.
 */
export const PUBLISH_AFTER_SECONDS = KEYS_FRESH_SECONDS + OPERATOR_TOKEN_SECONDS + VERIFIER_SKEW_SECONDS

/** The state of a key at `now`. */
export function stateOf(key: StoredKey, now: Date): KeyState {
  if (key.activatedAt === null) return "next"
  if (key.retiredAt === null) return "active"
  return now.getTime() < lastTokenDiesAt(key.retiredAt) ? "retiring" : "gone"
}

const lastTokenDiesAt = (retiredAt: string) => Date.parse(retiredAt) + PUBLISH_AFTER_SECONDS * 1000

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
  if (!next || now.getTime() < signsFrom(next)) return null
  const at = now.toISOString()
  return publishedKeys(keys, now).map((key) => {
    if (key.kid === next.kid) return { ...key, activatedAt: at }
    return stateOf(key, now) === "active" ? { ...key, retiredAt: at } : key
  })
}

const signsFrom = (next: StoredKey) => Date.parse(next.createdAt) + PUBLISH_AHEAD_SECONDS * 1000

/**
 * Takes a key out of the key set at once: tokens that it signed are refused from then on, as soon as a verifier reads the
 * keys again. `signing`: it is the active one, and without it nothing could be signed. `unknown`: the ring has no such key.
 */
export function retire(
  keys: readonly StoredKey[],
  kid: string,
  now: Date,
): readonly StoredKey[] | "signing" | "unknown" {
  const published = publishedKeys(keys, now)
  const key = published.find((each) => each.kid === kid)
  if (!key) return "unknown"
  return stateOf(key, now) === "active" ? "signing" : published.filter((each) => each !== key)
}

/** When a key enters its next state, and which. Null for an active key without a successor or a schedule. */
export interface NextState {
  readonly state: KeyState
  readonly at: Date
}

export function nextStateOf(key: StoredKey, keys: readonly StoredKey[], now: Date): NextState | null {
  const state = stateOf(key, now)
  if (state === "next") return { state: "active", at: new Date(signsFrom(key)) }
  if (key.retiredAt !== null) return { state: "gone", at: new Date(lastTokenDiesAt(key.retiredAt)) }
  const next = keys.find((each) => stateOf(each, now) === "next")
  return next ? { state: "retiring", at: new Date(signsFrom(next)) } : null
}

/**
 * When a schedule publishes the next key: so that the active one signs for `rotateEverySeconds`. Null while there is a next
 * key, or no key.
 */
export function publishesNextAt(keys: readonly StoredKey[], now: Date, rotateEverySeconds: number): Date | null {
  const active = activeKey(keys, now)
  if (!active?.activatedAt || keys.some((key) => stateOf(key, now) === "next")) return null
  return new Date(Date.parse(active.activatedAt) + (rotateEverySeconds - PUBLISH_AHEAD_SECONDS) * 1000)
}
