import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { policySet } from "../../broker/core/policy/policy-set.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import {
  CURRENT_KEY,
  keyOf,
  PUBLISHED_AHEAD_SECONDS,
  type PublishedCurrent,
  parseCurrent,
  readUnitPolicies,
  revivedCurrent,
  UNIT_KEY_PREFIX,
} from "../../broker/core/policy/published.ts"
import { counted } from "../format.ts"
import { type Publication, placesIn, published } from "./publication.ts"
import type { SignCurrent } from "./sign.ts"
import { type KvStore, MAX_VALUE_BYTES, StoreError } from "./store.ts"

/**
 * How long keys stay after the last `current` that names them. While KV does not answer, instances use a `current` that is
 * up to ten minutes old; and KV itself can return old values for a minute or more.
 */
export const KEEP_RETIRED_SECONDS = 15 * 60

/** A push that stops without a technical failure, because a person must look at the reason. */
export class PushRefusal extends Error {
  override readonly name = "PushRefusal"
}

export interface PushPlan {
  /** The text of `current` from which this plan was made; null when there was none. */
  readonly before: string | null
  /** The readable part of the set in force. */
  readonly older: PolicySet | null
  readonly publication: Publication
  /** The keys of units to write, with their values. */
  readonly writes: ReadonlyMap<string, string>
  /** False when the same set is already published. */
  readonly needed: boolean
  /** Whether keys that were retired before the last push may be deleted. */
  readonly mayDelete: boolean
  /** Keys of the set in force and of the new one. They are never deleted. */
  readonly kept: ReadonlySet<string>
  readonly notes: readonly string[]
}

export interface PushOptions {
  readonly providers: ProviderSchemaTable
  readonly now: Date
  readonly sign: SignCurrent
  /** Writes every key, even if it exists: this repairs damage. */
  readonly all: boolean
}

/** Reads the set in force, and plans what a push of this set writes. Changes nothing. @throws {PushRefusal | StoreError} */
export async function planPush(store: KvStore, set: PolicySet, options: PushOptions): Promise<PushPlan> {
  const before = await readCurrentText(store)
  const parsed = before === null ? null : parseCurrent(before)
  if (parsed !== null && !parsed.ok && !options.all) throw new PushRefusal(parsed.fault)
  const current = parsed?.ok === true ? parsed.value : null

  const unsigned = published(set, publishedAt(current, options))
  const publication = { ...unsigned, current: options.sign(unsigned.current) }
  refuseWhatIsTooLarge(publication)
  const named = new Set(current === null ? [] : placesIn(current).map(keyOf))
  const writes = new Map([...publication.entries].filter(([key]) => options.all || !named.has(key)))
  const same = current !== null && alike(current, publication.current)
  const { older, notes } =
    current === null ? { older: null, notes: [] } : await readSet(store, current, publication, options.providers)
  const age = options.now.getTime() - Date.parse(current?.published_at ?? "")
  return {
    before,
    older,
    publication,
    writes,
    needed: options.all || !same,
    mayDelete: age >= KEEP_RETIRED_SECONDS * 1000,
    kept: new Set([...named, ...publication.entries.keys()]),
    notes: parsed !== null && !parsed.ok ? [parsed.fault] : notes,
  }
}

export interface Pushed {
  readonly written: number
  readonly deleted: number
  /** Why old keys could not be deleted. They are harmless, and a later push deletes them. */
  readonly leftover: StoreError | null
}

/**
 * Publishes a plan: first the keys that the new `current` names, then `current` itself. If a step before the last fails,
 * the old `current` stays in force. @throws {PushRefusal | StoreError}
 */
export async function publish(store: KvStore, plan: PushPlan, progress: (text: string) => void): Promise<Pushed> {
  // Listed before anything is written: keys that another push writes now are not on this list, so they are not deleted.
  const there = plan.mayDelete ? await store.list(UNIT_KEY_PREFIX) : []
  const retired = there.filter((key) => !plan.kept.has(key))
  if (plan.writes.size > 0) {
    progress(`Writing the policies of ${counted(plan.writes.size, "unit", "units")} ...`)
    await store.putAll(plan.writes)
    progress("Reading them back ...")
    await verify(store, plan.writes)
  }
  if ((await readCurrentText(store)) !== plan.before) throw new PushRefusal(CHANGED_MEANWHILE)
  await putCurrent(store, plan.publication.current)
  const leftover = retired.length === 0 ? null : await failureOf(store.deleteAll(retired))
  return { written: plan.writes.size + 1, deleted: leftover === null ? retired.length : 0, leftover }
}

const CHANGED_MEANWHILE =
  "Another push published policies since this push began, and those stay in force. Push again. Put workflows that push into one concurrency group."

const IN_DOUBT =
  "the last step failed, so it is not known which policies are in force, the new or the old ones: push again"

/** Null means that KV confirmed twice that there is no `current`: its value is missing, and so is its key in the list. */
async function readCurrentText(store: KvStore): Promise<string | null> {
  const text = (await store.read([CURRENT_KEY])).get(CURRENT_KEY) ?? null
  if (text === null && (await store.list(CURRENT_KEY)).includes(CURRENT_KEY)) {
    throw new StoreError(`Workers KV lists ${CURRENT_KEY} and does not give its value: try again in a minute`)
  }
  return text
}

/**
 * Brokers never go back to a set with an earlier time. So the new time is later, even if this machine's clock is a little
 * behind. A set from the future is not outbid: no broker takes it, nor one that is later still.
 */
function publishedAt(current: PublishedCurrent | null, { now, all }: PushOptions): Date {
  if (current === null) return now
  const ahead = Date.parse(current.published_at) - now.getTime()
  if (ahead < PUBLISHED_AHEAD_SECONDS * 1000) return new Date(now.getTime() + Math.max(0, ahead + 1))
  if (all) return now
  throw new PushRefusal(
    `The published policies are from ${current.published_at}, which is later than this machine's clock by more than ${PUBLISHED_AHEAD_SECONDS / 60} minutes. Set the clock if it is wrong. If those policies are from a wrong clock, push again with --all.`,
  )
}

/** Whether both say the same and are both signed or both unsigned. With a new key, push with --all. */
const alike = (one: PublishedCurrent, other: PublishedCurrent) =>
  one.version === other.version && (one.signature === undefined) === (other.signature === undefined)

function refuseWhatIsTooLarge({ current, entries }: Publication): void {
  const texts = [[CURRENT_KEY, JSON.stringify(current)] as const, ...entries]
  const [tooLarge] = texts.find(([, text]) => Buffer.byteLength(text) > MAX_VALUE_BYTES) ?? []
  if (tooLarge === undefined) return
  const what =
    tooLarge === CURRENT_KEY
      ? "The organisation file and the policies of several units"
      : `The policies under ${tooLarge}`
  throw new PushRefusal(
    `${what} are larger than 25 MiB, the limit of a value in Workers KV. Write fewer or shorter policies.`,
  )
}

/** Reads the set in force. Unchanged values are taken from the new set, because their hashes are the same. */
async function readSet(
  store: KvStore,
  current: PublishedCurrent,
  { entries }: Publication,
  providers: ProviderSchemaTable,
): Promise<Pick<PushPlan, "older" | "notes">> {
  const revived = revivedCurrent(current, providers)
  if (!revived.ok) return { older: null, notes: [revived.fault] }
  const { version, organisation, wide } = revived.value
  const places = placesIn(current)
  const texts = new Map([...entries, ...(await store.read(places.map(keyOf).filter((key) => !entries.has(key))))])
  const policies: Policy[] = []
  const notes: string[] = []
  for (const place of places) {
    const read = readUnitPolicies(texts.get(keyOf(place)) ?? "", place, organisation, providers)
    if (read.ok) policies.push(...read.value)
    else notes.push(`${place.issuer} ${place.unitId}: ${read.fault}`)
  }
  return { older: policySet(version, organisation, [...policies, ...wide.policies]), notes }
}

/** In a bulk write, Cloudflare may skip some keys and name them in its answer, which wrangler does not show. */
async function verify(store: KvStore, writes: ReadonlyMap<string, string>): Promise<void> {
  const found = await store.read([...writes.keys()])
  const missing = [...writes].filter(([key, text]) => found.get(key) !== text)
  if (missing.length === 0) return
  throw new StoreError(
    `${missing.length} of ${counted(writes.size, "key")} cannot be read back: push again in a minute`,
  )
}

async function putCurrent(store: KvStore, current: PublishedCurrent): Promise<void> {
  try {
    await store.put(CURRENT_KEY, JSON.stringify(current))
  } catch (error) {
    throw error instanceof StoreError ? new StoreError(`${error.message}; ${IN_DOUBT}`, error.said) : error
  }
}

async function failureOf(work: Promise<void>): Promise<StoreError | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}
