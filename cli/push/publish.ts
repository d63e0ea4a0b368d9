import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { policySet } from "../../broker/core/policy/policy-set.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import {
  CURRENT_KEY,
  keyOf,
  type Publication,
  type PublishedCurrent,
  parseCurrent,
  placesIn,
  published,
  REPOSITORY_KEY_PREFIX,
  readRepository,
  revivedCurrent,
} from "../../broker/core/policy/published.ts"
import { counted } from "../format.ts"
import { type KvStore, MAX_VALUE_BYTES, StoreError } from "./store.ts"

/**
 * How long keys stay that nobody names any more: instances decide by a `current` of up to ten minutes ago while KV is
 * silent, and KV itself shows old values for a minute and more.
 */
export const KEEP_RETIRED_SECONDS = 15 * 60

/** Why a push goes no further although everything works: somebody has to look at it. */
export class PushRefusal extends Error {
  override readonly name = "PushRefusal"
}

export interface PushPlan {
  /** The text of `current` that this plan was made from; null when there was none. */
  readonly before: string | null
  /** The set in force, as far as it can be read. */
  readonly older: PolicySet | null
  readonly publication: Publication
  /** The keys of repositories that are to be written. */
  readonly writes: ReadonlyMap<string, string>
  /** False when all of it is there already. */
  readonly needed: boolean
  /** Whether what was retired before the last push can go. */
  readonly mayDelete: boolean
  /** Keys of the set in force and of the one to be: they stay. */
  readonly kept: ReadonlySet<string>
  readonly notes: readonly string[]
}

export interface PushOptions {
  readonly providers: ProviderSchemaTable
  readonly now: Date
  /** Writes every key, whatever is there: how damage is mended. */
  readonly all: boolean
}

/** Reads what is in force, and says what a push of this set would write. Changes nothing. @throws {PushRefusal | StoreError} */
export async function planPush(store: KvStore, set: PolicySet, options: PushOptions): Promise<PushPlan> {
  const before = await readCurrentText(store)
  const parsed = before === null ? null : parseCurrent(before)
  if (parsed !== null && !parsed.ok && !options.all) throw new PushRefusal(parsed.fault)
  const current = parsed?.ok === true ? parsed.value : null

  const publication = published(set, laterThan(current, options.now))
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
  /** Why old keys could not be deleted; they harm nobody, and a later push deletes them. */
  readonly leftover: StoreError | null
}

/**
 * Carries a plan out: first what `current` is going to name, then `current`. Whatever fails on the way leaves the old
 * `current` in force. @throws {PushRefusal | StoreError}
 */
export async function carryOut(store: KvStore, plan: PushPlan, progress: (text: string) => void): Promise<Pushed> {
  // Before anything is written: what somebody else is writing right now is not on this list.
  const there = plan.mayDelete ? await store.list(REPOSITORY_KEY_PREFIX) : []
  const retired = there.filter((key) => !plan.kept.has(key))
  if (plan.writes.size > 0) {
    progress(`Writing ${counted(plan.writes.size, "repository", "repositories")} ...`)
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
  "Somebody else published policies since this push began, and theirs stay in force: push again. Two pushes at once belong into one concurrency group."

const IN_DOUBT =
  "the last step failed, so that it is not known which policies are in force, the new or the old: push again"

/** Null is a positive answer: that the key is not among the namespace's, too. */
async function readCurrentText(store: KvStore): Promise<string | null> {
  const text = (await store.read([CURRENT_KEY])).get(CURRENT_KEY) ?? null
  if (text === null && (await store.list(CURRENT_KEY)).includes(CURRENT_KEY)) {
    throw new StoreError(`Workers KV lists ${CURRENT_KEY} and does not give its value: try again in a minute`)
  }
  return text
}

/** Instances take the later of two values for the newer one, so it is later even when this machine's clock is behind. */
function laterThan(current: PublishedCurrent | null, now: Date): Date {
  return current === null ? now : new Date(Math.max(now.getTime(), Date.parse(current.published_at) + 1))
}

const alike = (one: PublishedCurrent, other: PublishedCurrent) =>
  JSON.stringify({ ...one, published_at: "" }) === JSON.stringify({ ...other, published_at: "" })

function refuseWhatIsTooLarge({ current, entries }: Publication): void {
  const texts = [[CURRENT_KEY, JSON.stringify(current)] as const, ...entries]
  const [tooLarge] = texts.find(([, text]) => Buffer.byteLength(text) > MAX_VALUE_BYTES) ?? []
  if (tooLarge === undefined) return
  const what =
    tooLarge === CURRENT_KEY
      ? "The organisation file and the policies of several repositories"
      : `The policies under ${tooLarge}`
  throw new PushRefusal(`${what} are larger than a value of Workers KV may be, 25 MiB: say it in fewer words.`)
}

/** The set in force. What did not change is taken from the new set's texts, whose hashes are the same. */
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
    const read = readRepository(texts.get(keyOf(place)) ?? "", place, organisation, providers)
    if (read.ok) policies.push(...read.value)
    else notes.push(`${place.issuer} ${place.repositoryId}: ${read.fault}`)
  }
  return { older: policySet(version, organisation, [...policies, ...wide.policies]), notes }
}

/** Cloudflare may leave some keys of many unwritten and name them in an answer that wrangler does not pass on. */
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
