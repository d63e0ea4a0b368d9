import { Secret } from "../core/secret.ts"
import type { OtherSide } from "./call.ts"
import { splitField } from "./field.ts"
import type { Minted, ProviderIo } from "./provider.ts"
import { type Members, type ReadAll, type StoreGrant, spread } from "./read-all.ts"
import { locatorsOf, wantedOf } from "./read-grant.ts"
import { delivered, type StoredValue } from "./stored-value.ts"

/** How a store is read: the values of these locators, all of them, and the values of one item or folder. */
export interface Reader {
  locators(locators: readonly string[]): Promise<ReadonlyMap<string, StoredValue>>
  members(all: ReadAll): Promise<Members>
}

/**
 * The credential of a grant with `read` or `read_all`: everything is read once, from memory if the connection caches values,
 * and delivered in the form that the grant names. All values or none.
 */
export async function readStored(
  { read, read_all: all }: StoreGrant,
  about: { readonly side: OtherSide; readonly asks: "job" | "connection"; readonly cacheSeconds: number },
  io: ProviderIo,
  reader: Reader,
): Promise<Minted> {
  const { side, asks, cacheSeconds } = about
  const memory = cacheSeconds > 0 ? io.kept(asks) : null
  const fresh = new Map<string, () => Secret<string>>()
  const found = new Map<string, StoredValue>()
  const locators = locatorsOf(read)
  for (const locator of memory === null ? [] : locators) {
    const kept = await memory?.get(locator)
    if (kept !== undefined) found.set(locator, revived(kept))
  }
  let hits = found.size
  const missing = locators.filter((locator) => !found.has(locator))
  if (missing.length > 0) for (const [locator, value] of await reader.locators(missing)) found.set(locator, value)
  for (const locator of missing) {
    const stored = found.get(locator)
    if (stored !== undefined) fresh.set(locator, () => written(stored))
  }
  const versions = new Map<string, string>()
  const keys = new Map<string, string>()
  const note = (place: string, { version, openedBy }: StoredValue) => {
    if (version !== undefined) versions.set(place, version)
    if (openedBy !== undefined) keys.set(splitField(place).place, openedBy)
  }
  const values = wantedOf(read).map((wanted) => {
    const stored = found.get(wanted.locator)
    if (stored === undefined) throw new Error("the store answered without one of the locators")
    note(splitField(wanted.locator).place, stored)
    return [wanted.variable, delivered(side, wanted, stored)] as const
  })
  if (all !== undefined) {
    // No locator begins with a space. The prefix is in some errors only, so grants with another one share the values.
    const key = ` ${all.from}`
    const kept = await memory?.get(key)
    if (kept !== undefined) hits++
    const members = kept === undefined ? await reader.members(all) : revivedAll(kept)
    values.push(...spread(side, all, members, Object.keys(read ?? {})))
    // An item is one place. In a folder, each name is one.
    for (const [name, stored] of members) note(all.from.endsWith("/") ? `${all.from}${name}` : all.from, stored)
    if (kept === undefined) fresh.set(key, () => writtenAll(members))
  }
  // Cached only when every value could be delivered. An unusable value is read again next time, when it may be corrected.
  for (const [key, text] of fresh) await memory?.keep(key, text(), cacheSeconds)
  return {
    values: Object.fromEntries(values),
    expiresAt: null,
    revocation: "expires-only",
    ...(all === undefined ? {} : { count: values.length }),
    ...(versions.size === 0 ? {} : { versions: Object.fromEntries(versions) }),
    ...(keys.size === 0 ? {} : { keys: Object.fromEntries(keys) }),
    ...(memory === null ? {} : { cache: fresh.size === 0 ? "hit" : hits === 0 ? "miss" : "partly" }),
  }
}

/** The values of an item or folder as one text. */
const writtenAll = (members: Members): Secret<string> =>
  new Secret(JSON.stringify(members.map(([name, stored]) => [name, written(stored).reveal()])))

const revivedAll = (kept: Secret<string>): Members =>
  (JSON.parse(kept.reveal()) as [string, string][]).map(([name, text]) => [name, revived(new Secret(text))])

/** A stored value as one text. */
function written({ value, isPublic = false, version }: StoredValue): Secret<string> {
  const raw = value.reveal()
  const text = typeof raw === "string" ? { text: raw } : { bytes: Array.from(raw) }
  return new Secret(JSON.stringify({ ...text, isPublic, version }))
}

interface Written {
  readonly text?: string
  readonly bytes?: readonly number[]
  readonly isPublic: boolean
  readonly version?: string
}

function revived(kept: Secret<string>): StoredValue {
  const { text, bytes, isPublic, version } = JSON.parse(kept.reveal()) as Written
  return {
    value: text === undefined ? new Secret(Uint8Array.from(bytes ?? [])) : new Secret(text),
    isPublic,
    ...(version === undefined ? {} : { version }),
  }
}
