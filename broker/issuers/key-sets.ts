import { BrokerError } from "../core/errors.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { PublicKey } from "../core/public-key.ts"
import { fail, type Result } from "../core/result.ts"
import type { Clock } from "../ports/clock.ts"
import type { Cryptography, VerifyingKey } from "../ports/cryptography.ts"
import type { Http } from "../ports/http.ts"
import type { IssuerFamily } from "./family.ts"
import { fetchKeys, importKeys, KEY_REQUEST_TIMEOUT_MS, type KeySet } from "./fetch-keys.ts"

/** Finds the keys of listed issuers. */
export interface KeySets {
  /**
   * The issuer's key with this id. Null when the issuer's latest key set, at most 30 s old, has no such key, or the
   * organisation file lists its keys and this one is not among them.
   * @throws {BrokerError} `issuer_unavailable` when there is no key set that is recent enough to be trusted
   */
  find(issuer: IssuerConfig, family: IssuerFamily, kid: string, alg: string): Promise<VerifyingKey | null>
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
/** For how long a request waits while those fetch, and how often it looks. As long as one request of a fetch may take. */
const WAIT_MS = KEY_REQUEST_TIMEOUT_MS
const LOOK_MS = 20

/**
 * Keeps the key sets of issuers in this instance's memory: 10 minutes, and up to an hour while the issuer is down.
 *
 * Ages are measured with `elapsed`, so setting the wall clock changes none of them: a withdrawn key does not verify for
 * longer, and a good one does not expire. Where a platform's `elapsed` goes back, ages are unknown, and everything that is
 * cached counts as stale.
 *
 * Keeps only values, never a promise: workerd does not allow one request to await the I/O of another, and a cancelled
 * request there leaves its promise pending for ever. So no request awaits another one, and the effects of a cancelled request
 * end after one cooldown. Without keys, requests beyond the limit of fetches look again and again whether some have arrived:
 * refused at once, 224 of 256 jobs that began together after a quiet hour were answered with 503.
 *
 * Anyone can send tokens with invented `kid`s. They cost the issuer at most one fetch in 30 s. Keys that the organisation
 * file lists are never fetched.
 */
export function createKeySets(http: Http, clock: Clock, cryptography: Cryptography, waitMs = WAIT_MS): KeySets {
  const states = new Map<string, State>()
  /** Keys that the organisation file lists, imported. A new version of the file has a new list. */
  const listed = new WeakMap<readonly PublicKey[], KeySet>()

  return {
    async find(issuer, family, kid, alg) {
      if (issuer.keys?.by === "list") return (await importedList(issuer.keys.list, family)).find(kid, alg)
      // Also where the organisation file names a place.
      if (family.keys.by === "nowhere") return null
      const state = stateOf(placeOf(issuer, family), states)
      if (mayFetch(state, readingFor(state), kid, alg)) await refresh(state, issuer, family)
      else await firstKeys(state)

      const now = readingFor(state)
      const age = now - state.fetchedAt
      const key = age < STALE_MS ? (state.keys?.find(kid, alg) ?? null) : null
      if (key || age < COOLDOWN_MS) return key
      throw unavailable(issuer, state, now)
    },
  }

  /** Returns when there are usable keys, a fetch has failed, or the time is over. */
  async function firstKeys(state: State): Promise<void> {
    for (let waited = 0; waited < waitMs; waited += LOOK_MS) {
      if (state.failed || readingFor(state) - state.fetchedAt < STALE_MS) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  async function importedList(list: readonly PublicKey[], family: IssuerFamily): Promise<KeySet> {
    const known = listed.get(list)
    if (known !== undefined) return known
    const keys = await importKeys(list, family.algorithms, cryptography)
    listed.set(list, keys)
    return keys
  }

  /** The time in milliseconds. A clock that went back makes the state as good as new. */
  function readingFor(state: State): number {
    const now = clock.elapsed()
    if (now < state.readAt) Object.assign(state, NEVER)
    state.readAt = now
    return now
  }

  async function refresh(state: State, issuer: IssuerConfig, family: IssuerFamily): Promise<void> {
    const startedAt = state.readAt
    const attempt = noteAttempt(state, startedAt)
    const fetched = believable(await fetchKeys(issuer, family, http, cryptography), state, readingFor(state))
    if (!fetched.ok) {
      state.failed = true
      state.fault = fetched.fault
    } else if (attempt > state.fetchedBy && startedAt <= state.readAt) {
      // A slow fetch that started earlier must not restore keys that a later fetch found withdrawn. A fetch during which the
      // clock went back has no known age.
      state.keys = fetched.value
      state.fetchedAt = startedAt
      state.fetchedBy = attempt
      state.failed = false
    }
  }
}

/** What a cached key set is found by. It includes where the keys are, so that no keys of a former place count. */
function placeOf({ url, keys }: IssuerConfig, { facts }: IssuerFamily): string {
  return `${facts.name} ${url} ${keys?.by === "url" ? keys.url : ""}`
}

/** The cached state of one issuer. Times are milliseconds of `elapsed`. */
interface State {
  keys: KeySet | null
  /** When the fetch that returned `keys` began. */
  fetchedAt: number
  /** The number of that fetch. */
  fetchedBy: number
  /** The latest reading of the clock. */
  readAt: number
  attemptedAt: number
  /** How many fetches have begun. */
  attempts: number
  /** Whether the latest fetch that ended failed. */
  failed: boolean
  fault: string
  /** Fetches begun since `windowStartedAt`. */
  fetches: number
  windowStartedAt: number
}

const LONG_AGO = Number.NEGATIVE_INFINITY
const NEVER = {
  keys: null,
  fetchedAt: LONG_AGO,
  attemptedAt: LONG_AGO,
  failed: false,
  fault: "",
  fetches: 0,
  windowStartedAt: LONG_AGO,
}

function stateOf(id: string, states: Map<string, State>): State {
  let state = states.get(id)
  if (!state) {
    state = { ...NEVER, readAt: LONG_AGO, attempts: 0, fetchedBy: 0 }
    states.set(id, state)
    const [oldest] = states.keys()
    if (states.size > MAX_ISSUERS && oldest !== undefined) states.delete(oldest)
  }
  return state
}

/**
 * Refuses a set without a usable key while keys are known that are not stale yet. An issuer that works has keys, so
 * `{"keys":[]}` is the answer of a proxy, or of an issuer that has not finished starting.
 */
function believable(fetched: Result<KeySet, string>, { keys, fetchedAt }: State, now: number): Result<KeySet, string> {
  if (!fetched.ok || fetched.value.size > 0) return fetched
  const knowsKeys = keys !== null && keys.size > 0 && now - fetchedAt < STALE_MS
  return knowsKeys ? fail("its key set has no key that can be used") : fetched
}

function mayFetch(state: State, now: number, kid: string, alg: string): boolean {
  const age = now - state.fetchedAt
  const sinceAttempt = now - state.attemptedAt
  if (age < FRESH_MS) {
    const due = age >= EARLY_REFRESH_MS || !state.keys?.find(kid, alg)
    return due && sinceAttempt >= COOLDOWN_MS
  }
  if (state.failed) return sinceAttempt >= (age < STALE_MS ? COOLDOWN_MS : RETRY_MS)
  return state.fetches < MAX_FETCHES || now - state.windowStartedAt >= FETCH_WINDOW_MS
}

/** Returns the number of the attempt. */
function noteAttempt(state: State, now: number): number {
  if (now - state.windowStartedAt >= FETCH_WINDOW_MS) {
    state.windowStartedAt = now
    state.fetches = 0
  }
  state.fetches += 1
  state.attemptedAt = now
  state.attempts += 1
  return state.attempts
}

function unavailable(issuer: IssuerConfig, state: State, now: number): BrokerError {
  const pause = now - state.fetchedAt < STALE_MS ? COOLDOWN_MS : RETRY_MS
  const waitMs = state.failed ? state.attemptedAt + pause - now : 0
  const why = state.failed ? `: ${state.fault}` : " in time"
  return new BrokerError(
    "issuer_unavailable",
    `The keys of the issuer ${issuer.url} could not be fetched${why}. Try again; if the error persists, check that the broker can reach the issuer.`,
    { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
  )
}
