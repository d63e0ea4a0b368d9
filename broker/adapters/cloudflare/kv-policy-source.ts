import { BrokerError } from "../../core/errors.ts"
import type { Organisation, Policy } from "../../core/policy/model.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import {
  CURRENT_KEY,
  keyOf,
  PUBLISHED_AHEAD_SECONDS,
  type PublishedPlace,
  type PublishedSet,
  parseCurrent,
  readUnitPolicies,
  revivedCurrent,
} from "../../core/policy/published.ts"
import type { Clock } from "../../ports/clock.ts"
import type { HealthCheck } from "../../ports/health.ts"
import type { Log } from "../../ports/log.ts"
import type { PolicySnapshot, PolicySource } from "../../ports/policy-source.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import type { Guards } from "./guards.ts"
import { inTime } from "./in-time.ts"
import { isSignedBy } from "./publisher.ts"

/** The part of a Workers KV namespace that is used here. */
export interface KvReader {
  get(key: string, options: { readonly type: "text"; readonly cacheTtl?: number }): Promise<string | null>
}

/** How long an instance uses a `current` before it reads it again. */
export const POLICIES_FRESH_SECONDS = 30
/** How long the last `current` stays in force while KV does not answer, or answers with an older one. */
export const POLICIES_STALE_SECONDS = 600
/**
 * How long a set that KV goes on showing is used before it is held against the floor again. KV may have been set back after
 * other instances took a newer set, and an instance that still holds the old one would not notice.
 */
export const FLOOR_CHECK_SECONDS = 300
/** The pause after KV did not answer, so that not every job waits for a store that is down. */
export const POLICIES_RETRY_SECONDS = 5

/** How long KV's cache at a location may keep `current`: the minimum that KV allows. */
const CACHE_TTL_SECONDS = 30
const DEADLINE_MS = 3000
/** The limit for cached policies of units, as JSON. An instance has 128 MB for everything. */
const MAX_CACHED_CHARACTERS = 4 * 1024 * 1024
const MAX_CACHED_UNITS = 4096

export interface KvPolicyOptions {
  readonly clock: Clock
  readonly providers: ProviderSchemaTable
  readonly floor: Pick<Guards, "raiseFloor">
  /** Ed25519 public keys, base64 of SPKI. One of them must have signed the set; when the list is empty, anyone may. */
  readonly publishers: readonly string[]
  readonly log: Log
  /** For tests with a store that never answers. */
  readonly deadlineMs?: number
}

/** Its health is what the last request found: a look reads nothing. */
export type KvPolicySource = PolicySource & { readonly health: HealthCheck }

interface Held {
  readonly text: string
  readonly set: PublishedSet
  readonly loadedAt: string
  /** When KV was last asked and confirmed that this set is in force. */
  readonly confirmedAt: number
  /** When it was last found to be no older than the floor. */
  readonly flooredAt: number
  readonly askAgainAt: number
  /** The time since which KV has not confirmed it; null while it is confirmed. */
  readonly staleSince: string | null
}

/** KV's answer to a request for `current`. */
type Answer = { readonly kind: "text"; readonly text: string } | { readonly kind: "none" } | { readonly kind: "failed" }

/**
 * Policies from Workers KV, published there by `daypass push`.
 *
 * The value `current` names the set in force, and carries the digest of its own content. It names everything else by hash,
 * and the hash is checked when a value is read. So one whole set decides, even if KV shows some keys later than others. A
 * missing, damaged, unsigned or unknown value is `policy_unavailable` immediately, for every job. A unit has no policies
 * only when `current` does not name it. When KV does not answer, the last set stays in force for ten minutes.
 *
 * KV may be restored from a backup, and a location may show old values. The floor is the only memory that an instance
 * without a set has, so each set is held against it before it is used, and every five minutes while it is.
 */
export function createKvPolicySource(store: KvReader, options: KvPolicyOptions): KvPolicySource {
  const { clock, providers, floor, publishers, log, deadlineMs = DEADLINE_MS } = options
  // Holds values, never a promise: one request must not await the I/O of another.
  let held: Held | null = null
  let lastRefusal: { readonly reason: string; readonly since: string } | null = null
  const units = createBoundedCache<{ text: string; organisation: Organisation; policies: readonly Policy[] }>(
    MAX_CACHED_UNITS,
    MAX_CACHED_CHARACTERS,
  )
  const iso = () => clock.now().toISOString()
  /** A negative age, which a platform without a monotonic clock may show, is stale. */
  const countsAt = ({ confirmedAt }: Held, now: number) =>
    now >= confirmedAt && now - confirmedAt <= POLICIES_STALE_SECONDS * 1000

  async function ask(): Promise<Answer> {
    try {
      const text = await inTime(store.get(CURRENT_KEY, { type: "text", cacheTtl: CACHE_TTL_SECONDS }), deadlineMs)
      return text === null ? { kind: "none" } : { kind: "text", text }
    } catch {
      return { kind: "failed" }
    }
  }

  /** Keeps using the held set although KV did not confirm it; null when there is none, or when it is too old. */
  function bridge(): Held | null {
    const now = clock.elapsed()
    if (held === null || !countsAt(held, now)) return null
    const staleSince = held.staleSince ?? iso()
    held = { ...held, staleSince, askAgainAt: now + POLICIES_RETRY_SECONDS * 1000 }
    return held
  }

  function refuse(reason: string): never {
    held = null
    // Once, and not with every job that asks.
    if (reason !== lastRefusal?.reason) log({ event: "policies.refused", detail: reason })
    lastRefusal = { reason, since: lastRefusal?.since ?? iso() }
    throw unavailable(reason)
  }

  /** The set in force: confirmed by KV within `POLICIES_FRESH_SECONDS`, or else the last confirmed one. */
  async function inForce(): Promise<Held> {
    const askedAt = clock.elapsed()
    if (held !== null && askedAt < held.askAgainAt && countsAt(held, askedAt)) return held
    const answer = await ask()
    if (answer.kind === "none") return refuse(NOTHING_PUBLISHED)
    if (answer.kind === "failed") return bridge() ?? refuse(NO_ANSWER)

    const confirmed = { confirmedAt: askedAt, askAgainAt: askedAt + POLICIES_FRESH_SECONDS * 1000, staleSince: null }
    // Another request may have updated `held` while this one waited, so it is compared only now.
    if (held?.text === answer.text) {
      let { flooredAt } = held
      if (askedAt - flooredAt >= FLOOR_CHECK_SECONDS * 1000) {
        const isNewest = await floor.raiseFloor(held.set.publishedAt).catch(() => null)
        if (held?.text !== answer.text) return held ?? refuse(NO_ANSWER)
        if (!isNewest) return bridge() ?? refuse(isNewest === null ? NO_FLOOR : OLDER)
        flooredAt = askedAt
      }
      held = { ...held, ...confirmed, flooredAt }
      return held
    }
    const parsed = parseCurrent(answer.text)
    if (!parsed.ok) return refuse(parsed.fault)
    const current = parsed.value
    // KV may return an older value again. A deny that was already in force must not disappear because of that.
    if (held !== null && current.published_at < held.set.publishedAt) return bridge() ?? refuse(OLDER)
    if (Date.parse(current.published_at) > clock.now().getTime() + PUBLISHED_AHEAD_SECONDS * 1000) return refuse(AHEAD)
    const set = revivedCurrent(current, providers)
    if (!set.ok) return refuse(set.fault)
    if (publishers.length > 0 && !(await isSignedBy(publishers, current))) return refuse(NOT_SIGNED)
    const isNewest = await floor.raiseFloor(current.published_at).catch(() => null)
    if (isNewest === null) return bridge() ?? refuse(NO_FLOOR)
    if (!isNewest) return bridge() ?? refuse(OLDER)
    // Another request may have taken a newer set while this one waited for the floor.
    if (held !== null && held.set.publishedAt > current.published_at) return held
    held = { text: answer.text, set: set.value, loadedAt: iso(), flooredAt: askedAt, ...confirmed }
    lastRefusal = null
    log({ event: "policies.loaded", detail: `${set.value.count} policies, version ${set.value.version}` })
    return held
  }

  async function ownPolicies(place: PublishedPlace, organisation: Organisation): Promise<readonly Policy[]> {
    const key = keyOf(place)
    const cached = units.get(key)
    if (cached?.organisation === organisation) return cached.policies
    let text: string | null
    try {
      text = cached?.text ?? (await inTime(store.get(key, { type: "text" }), deadlineMs))
    } catch {
      throw unavailable(NO_ANSWER)
    }
    if (text === null) throw unavailable(NOT_THERE_YET)
    const policies = readUnitPolicies(text, place, organisation, providers)
    if (!policies.ok) throw unavailable(policies.fault)
    units.set(key, { text, organisation, policies: policies.value }, text.length)
    return policies.value
  }

  function snapshotOf({ set, staleSince }: Held): PolicySnapshot {
    const { version, organisation } = set
    const notes =
      staleSince === null
        ? []
        : [`The policies are from the last successful read: Workers KV has not confirmed them since ${staleSince}.`]
    return {
      version,
      organisation,
      units: () => set.units(),
      async policiesOf(identity) {
        const place = set.placeOf(identity)
        const own = place === null ? [] : await ownPolicies(place, organisation)
        return { policies: [...own, ...set.wide.policiesOf(identity)], version, notes }
      },
    }
  }

  return {
    snapshot: async () => snapshotOf(await inForce()),
    status() {
      if (held === null || !countsAt(held, clock.elapsed())) return { version: null, policies: 0, loaded_at: null }
      const { set, loadedAt, staleSince } = held
      const stale = staleSince === null ? {} : { stale: { since: staleSince, faults: 0 } }
      return { version: set.version, policies: set.count, loaded_at: loadedAt, ...stale }
    },
    health: {
      part: "policies",
      async look() {
        if (held === null || !countsAt(held, clock.elapsed())) {
          return { state: "unavailable", ...(lastRefusal ?? { reason: NO_ANSWER, since: iso() }) }
        }
        if (held.staleSince === null) return { state: "ok" }
        return { state: "degraded", reason: NOT_CONFIRMED, since: held.staleSince }
      },
    },
  }
}

const NO_ANSWER = "The policies cannot be read: Workers KV does not answer."
const NOT_CONFIRMED = `Workers KV does not confirm the published policies. The last good set is used for ${POLICIES_STALE_SECONDS / 60} minutes, then nothing is granted.`
const NOTHING_PUBLISHED = "Workers KV has no published policies: publish them with daypass push."
const OLDER =
  "Workers KV shows policies that are older than those in force: an instance that starts within a minute of a push waits until it shows the new ones. To go back, publish the older policies anew."
const AHEAD =
  "The published policies are from the future: set the clock of the machine that publishes, and push again, with --all."
const NOT_SIGNED =
  "The published policies are not signed with a key in DAYPASS_POLICY_PUBLISHER: publish them with daypass push --sign."
const NO_FLOOR =
  "The published policies cannot be compared with the newest that were in force: the key ring's object does not answer."
const NOT_THERE_YET =
  "The published policies of a unit cannot be read yet: Workers KV shows them about a minute after a push. If the error persists, push again, with --all."

const unavailable = (reason: string) =>
  new BrokerError("policy_unavailable", reason, { retryAfterSeconds: POLICIES_RETRY_SECONDS })
