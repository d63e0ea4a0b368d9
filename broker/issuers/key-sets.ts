import type { CryptoKey } from "jose"
import { BrokerError } from "../core/errors.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { Clock } from "../ports/clock.ts"
import type { Http } from "../ports/http.ts"
import type { IssuerFamily } from "./family.ts"
import { fetchKeys, type KeySet } from "./fetch-keys.ts"

/** Finds the keys of listed issuers. */
export interface KeySets {
  /**
   * The issuer's key with this id. Null when the issuer's latest key set, at most 30 s old, has no such key.
   * @throws {BrokerError} `issuer_unavailable` when there is no key set that is recent enough to be trusted
   */
  find(issuer: IssuerConfig, family: IssuerFamily, kid: string, alg: string): Promise<CryptoKey | null>
}

const FRESH_MS = 10 * 60_000
/**
 * From this age on, one request in 30 s refreshes the keys and the others use the cached ones, so that a busy broker never
 * waits.
 */
const EARLY_REFRESH_MS = 9 * 60_000
const STALE_MS = 60 * 60_000
/**
 * Pause between two fetches while cached keys are usable: for an unknown `kid`, an early refresh, an issuer that is down.
 */
const COOLDOWN_MS = 30_000
/** Pause between two fetches from an issuer that is down while no usable keys are cached. */
const RETRY_MS = 5_000
/** Without keys, requests fetch in parallel, but at most this many within the time of one slow fetch. */
const MAX_FETCHES = 32
const FETCH_WINDOW_MS = 10_000
const MAX_ISSUERS = 64

/**
 * Keeps the key sets of issuers in this instance's memory: 10 minutes, and up to an hour while the issuer is down.
 *
 * Keeps only values, never a promise: workerd does not allow one request to await the I/O of another, and a cancelled
 * request there leaves its promise pending for ever. So no request waits for another one, and the effects of a cancelled
 * request end after one cooldown.
 *
 * Anyone can send tokens with invented `kid`s. They cost the issuer at most one fetch in 30 s.
 */
export function createKeySets(http: Http, clock: Clock): KeySets {
  const states = new Map<string, State>()

  return {
    async find(issuer, family, kid, alg) {
      const state = stateOf(`${family.name} ${issuer.url}`, states)
      const startedAt = clock.now().getTime()
      if (mayFetch(state, startedAt, kid, alg)) await refresh(state, startedAt, issuer, family)

      const now = clock.now().getTime()
      const key = now - state.fetchedAt < STALE_MS ? (state.keys?.find(kid, alg) ?? null) : null
      if (key || now - state.fetchedAt < COOLDOWN_MS) return key
      throw unavailable(issuer, state, now)
    },
  }

  async function refresh(state: State, startedAt: number, issuer: IssuerConfig, family: IssuerFamily): Promise<void> {
    noteAttempt(state, startedAt)
    const fetched = await fetchKeys(issuer, family, http)
    if (!fetched.ok) {
      state.failedAt = clock.now().getTime()
      state.fault = fetched.fault
    } else if (startedAt >= state.fetchedAt) {
      // A slow fetch that started earlier must not restore keys that a later fetch found withdrawn.
      state.keys = fetched.value
      state.fetchedAt = startedAt
    }
  }
}

/** The cached state of one issuer. Times are Unix milliseconds. */
interface State {
  keys: KeySet | null
  /** When the fetch that returned `keys` began. */
  fetchedAt: number
  attemptedAt: number
  failedAt: number
  fault: string
  /** Fetches begun since `windowStartedAt`. */
  fetches: number
  windowStartedAt: number
}

function stateOf(id: string, states: Map<string, State>): State {
  let state = states.get(id)
  if (!state) {
    const never = Number.NEGATIVE_INFINITY
    state = {
      keys: null,
      fetchedAt: never,
      attemptedAt: never,
      failedAt: never,
      fault: "",
      fetches: 0,
      windowStartedAt: never,
    }
    states.set(id, state)
    const [oldest] = states.keys()
    if (states.size > MAX_ISSUERS && oldest !== undefined) states.delete(oldest)
  }
  return state
}

function mayFetch(state: State, now: number, kid: string, alg: string): boolean {
  const age = now - state.fetchedAt
  const sinceAttempt = now - state.attemptedAt
  if (age < FRESH_MS) {
    const due = age >= EARLY_REFRESH_MS || !state.keys?.find(kid, alg)
    return due && sinceAttempt >= COOLDOWN_MS
  }
  const isDown = state.failedAt > state.fetchedAt
  if (isDown) return sinceAttempt >= (age < STALE_MS ? COOLDOWN_MS : RETRY_MS)
  return state.fetches < MAX_FETCHES || now - state.windowStartedAt >= FETCH_WINDOW_MS
}

function noteAttempt(state: State, now: number): void {
  if (now - state.windowStartedAt >= FETCH_WINDOW_MS) {
    state.windowStartedAt = now
    state.fetches = 0
  }
  state.fetches += 1
  state.attemptedAt = now
}

function unavailable(issuer: IssuerConfig, state: State, now: number): BrokerError {
  const lastAttemptFailed = state.failedAt >= state.attemptedAt
  const pause = now - state.fetchedAt < STALE_MS ? COOLDOWN_MS : RETRY_MS
  const waitMs = lastAttemptFailed ? state.attemptedAt + pause - now : 0
  const why = lastAttemptFailed ? `: ${state.fault}` : " in time"
  return new BrokerError(
    "issuer_unavailable",
    `The keys of the issuer ${issuer.url} could not be fetched${why}. Try again; if the error persists, check that the broker can reach the issuer.`,
    { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
  )
}
