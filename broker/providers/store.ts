import * as z from "zod"
import type { ConnectionAudiences, FileName, ProviderFiles } from "../core/policy/provider-schemas.ts"
import { duration } from "../core/policy/schema-words.ts"
import { Secret } from "../core/secret.ts"
import type { SubjectLimit } from "../wire/subject.ts"
import type { OtherSide } from "./call.ts"
import { jsonTextOf, mapOfJson } from "./field.ts"
import type { Minted, MintRequest, Provider, ProviderIo } from "./provider.ts"
import { type Members, membersOf, type ReadAll, readAllField, spread, wholeIn, wholeText } from "./read-all.ts"
import {
  type Located,
  located,
  locatorsOf,
  locatorsOnly,
  type ParseLocator,
  type ReadField,
  readField,
  wantedOf,
} from "./read-grant.ts"
import { delivered, type StoredValue } from "./stored-value.ts"

/** The longest caching that a connection may set, so that a rotated secret arrives after at most 10 minutes. */
const MAX_CACHE_SECONDS = 600
/** The longest lease of a stored secret. The secret itself does not end with it. */
const MAX_TTL_SECONDS = 12 * 3600

/** Settings of every store's connection; spread into its schema. */
export const storeSettings = {
  cache: duration
    .refine((seconds) => seconds <= MAX_CACHE_SECONDS, "a cache may keep values for at most 10m")
    .optional()
    .meta({ description: "How long values stay sealed in the broker's memory. Left out: no caching." }),
}

interface StoreSettings {
  readonly cache?: number | undefined
}

/** The fields of every store's grant: one of them, or both. */
export interface StoreGrant {
  readonly read?: ReadField | undefined
  readonly read_all?: ReadAll | undefined
}

/** How a store is read: the values of these locators, all of them, and the values of one item or folder. */
export interface Reader {
  locators(locators: readonly string[]): Promise<ReadonlyMap<string, StoredValue>>
  members(all: ReadAll): Promise<Members>
}

/** How a store gives several values at once, for `read_all`. */
export interface Whole<Connection, Place> {
  /** The grammar of items. Left out: folders end with a slash, and every other text names a JSON object. */
  readonly parse?: ParseLocator<Place>
  /** @throws {BrokerError} as `read` */
  read(
    one: Located<Place>,
    request: MintRequest<Connection, StoreGrant>,
    side: OtherSide,
    io: ProviderIo,
  ): Promise<Members>
}

/** The differences between stores. `storeProvider` adds the rest of a provider, which all stores share. */
export interface Store<Connection extends StoreSettings, Place> {
  readonly name: string
  readonly summary: string
  /** Its name in errors: `AWS Secrets Manager`. */
  readonly title: string
  readonly connection: z.ZodType<Connection>
  readonly parse: ParseLocator<Place>
  /** Left out for a store that reads only one secret at a time: then `read_all` gives the members of a JSON object. */
  readonly whole?: Whole<Connection, Place>
  /** Why a grant's locators do not fit its connection; null when they fit. */
  check?(wanted: readonly Located<Place>[], connection: Connection): string | null
  /** Present when its locators name files in the policy folder: how a file is read, and which file a locator names. */
  readonly files?: Pick<ProviderFiles, "read"> & { named: NamedIn<Connection, Place> }
  /**
   * The caller that the store sees. `job`: the store knows the job and may decide on its claims. `connection`: all jobs are
   * the same caller. A value that was read for one job is never cached for another job that the store can distinguish.
   */
  readonly asks: "job" | "connection"
  /** The audiences of the identity tokens for the broker's login; left out when it uses none. */
  audiences?(connection: Connection): ConnectionAudiences
  /** Present when it logs in at a vendor that limits the `sub` of the broker's tokens. */
  readonly subjectLimit?: SubjectLimit
  /** @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*` */
  read(
    wanted: readonly Located<Place>[],
    request: MintRequest<Connection, StoreGrant>,
    side: OtherSide,
    io: ProviderIo,
  ): Promise<ReadonlyMap<string, StoredValue>>
}

/** Makes a provider from a store. Its credentials do not end with the lease, and are declared so. */
export function storeProvider<Connection extends StoreSettings, Place>(
  store: Store<Connection, Place>,
): Provider<Connection, StoreGrant> {
  const { name, summary, title, connection, parse, asks, files, subjectLimit, whole } = store
  const parseAll = whole?.parse ?? wholeIn(parse, whole !== undefined)
  const places = ({ read, read_all: all }: StoreGrant) => [
    ...located(locatorsOf(read), parse),
    ...located(all === undefined ? [] : [all.from], parseAll),
  ]
  return {
    name,
    summary,
    ends: "not by itself",
    connection,
    grant: z
      .strictObject({ read: readField(parse).optional(), read_all: readAllField(parseAll).optional() })
      .refine(({ read, read_all: all }) => read !== undefined || all !== undefined, "must have read or read_all"),
    check: (grant, settings) => store.check?.(places(grant), settings) ?? null,
    audiences: (settings) => store.audiences?.(settings) ?? {},
    ...(subjectLimit === undefined ? {} : { subjectLimit }),
    ...(files === undefined ? {} : { files: { read: files.read, namedBy: namedBy(files.named, parse, parseAll) } }),
    minTtlSeconds: 1,
    maxTtlSeconds: MAX_TTL_SECONDS,
    underCeiling: locatorsOnly,
    resource: resourceOf,
    // Reading makes nothing.
    unrecordedSeconds: () => 0,
    mint(request, io) {
      const side = { name: title, connection: request.connectionName }
      const about = { side, asks, cacheSeconds: request.connection.cache ?? 0 }
      return readStored(request.grant, about, io, {
        locators: (locators) => store.read(located(locators, parse), request, side, io),
        async members(all) {
          const [one] = located([all.from], parseAll) as [Located<Place>]
          if (whole !== undefined && (whole.parse || all.from.endsWith("/")))
            return await whole.read(one, request, side, io)
          const json = (await store.read([one], request, side, io)).get(all.from)?.value.reveal() ?? ""
          return membersOf(side, all, mapOfJson(side, all.from, jsonTextOf(json), "is read with read_all"))
        },
      })
    },
  }
}

/** What a grant reads, for the audit trail: its locators, and the item or folder that it reads as a whole. */
export const resourceOf = ({ read, read_all: all }: StoreGrant): string =>
  [...locatorsOf(read), ...(all === undefined ? [] : [wholeText(all)])].join(" ")

type NamedIn<Connection, Place> = (place: Place, connection: Connection) => Omit<FileName, "at">

/** The file of each locator in a grant, with the locator's position. The part of an item ends with a slash. */
const namedBy =
  <Connection, Place>(
    named: NamedIn<Connection, Place>,
    parse: ParseLocator<Place>,
    parseAll: ParseLocator<Place>,
  ): ProviderFiles<Connection, StoreGrant>["namedBy"] =>
  ({ read, read_all: all }, connection) => {
    const parts = wantedOf(read).flatMap(({ variable, locator }) =>
      located([locator], parse).map(({ place }) => ({ ...named(place, connection), at: ["read", variable, "from"] })),
    )
    const items = located(all === undefined ? [] : [all.from], parseAll).map(({ place }) => {
      const { path, part } = named(place, connection)
      return { path, part: `${part}/`, at: ["read_all", "from"] }
    })
    return [...parts, ...items]
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
  const values = wantedOf(read).map((wanted) => {
    const stored = found.get(wanted.locator)
    if (stored === undefined) throw new Error("the store answered without one of the locators")
    return [wanted.variable, delivered(side, wanted, stored)] as const
  })
  if (all !== undefined) {
    // No locator begins with a space. The prefix is in some errors only, so grants with another one share the values.
    const key = ` ${all.from}`
    const kept = await memory?.get(key)
    if (kept !== undefined) hits++
    const members = kept === undefined ? await reader.members(all) : revivedAll(kept)
    values.push(...spread(side, all, members, Object.keys(read ?? {})))
    if (kept === undefined) fresh.set(key, () => writtenAll(members))
  }
  // Cached only when every value could be delivered. An unusable value is read again next time, when it may be corrected.
  for (const [key, text] of fresh) await memory?.keep(key, text(), cacheSeconds)
  return {
    values: Object.fromEntries(values),
    expiresAt: null,
    revocation: "expires-only",
    ...(all === undefined ? {} : { count: values.length }),
    ...(memory === null ? {} : { cache: fresh.size === 0 ? "hit" : hits === 0 ? "miss" : "partly" }),
  }
}

/** The values of an item or folder as one text. */
const writtenAll = (members: Members): Secret<string> =>
  new Secret(JSON.stringify(members.map(([name, stored]) => [name, written(stored).reveal()])))

const revivedAll = (kept: Secret<string>): Members =>
  (JSON.parse(kept.reveal()) as [string, string][]).map(([name, text]) => [name, revived(new Secret(text))])

/** A stored value as one text. */
function written({ value, isPublic = false }: StoredValue): Secret<string> {
  const raw = value.reveal()
  const text = typeof raw === "string" ? { text: raw } : { bytes: Array.from(raw) }
  return new Secret(JSON.stringify({ ...text, isPublic }))
}

function revived(kept: Secret<string>): StoredValue {
  const { text, bytes, isPublic } = JSON.parse(kept.reveal()) as { text?: string; bytes?: number[]; isPublic: boolean }
  return { value: text === undefined ? new Secret(Uint8Array.from(bytes ?? [])) : new Secret(text), isPublic }
}
