import * as z from "zod"
import type { ConnectionAudiences, FileName, ProviderFiles } from "../core/policy/provider-schemas.ts"
import { duration } from "../core/policy/schema-words.ts"
import { Secret } from "../core/secret.ts"
import type { SubjectLimit } from "../wire/subject.ts"
import type { OtherSide } from "./call.ts"
import type { Minted, MintRequest, Provider, ProviderIo } from "./provider.ts"
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

/** The fields of every store's grant. */
export interface StoreGrant {
  readonly read: ReadField
}

/** Reads all of these locators. A result without one of them is a fault in the store's code. */
export type ReadLocators = (locators: readonly string[]) => Promise<ReadonlyMap<string, StoredValue>>

/** The differences between stores. `storeProvider` adds the rest of a provider, which all stores share. */
export interface Store<Connection extends StoreSettings, Place> {
  readonly name: string
  readonly summary: string
  /** Its name in errors: `AWS Secrets Manager`. */
  readonly title: string
  readonly connection: z.ZodType<Connection>
  readonly parse: ParseLocator<Place>
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
  const { name, summary, title, connection, parse, asks, files, subjectLimit } = store
  return {
    name,
    summary,
    ends: "not by itself",
    connection,
    grant: z.strictObject({ read: readField(parse) }),
    check: (grant, settings) => store.check?.(located(locatorsOf(grant.read), parse), settings) ?? null,
    audiences: (settings) => store.audiences?.(settings) ?? {},
    ...(subjectLimit === undefined ? {} : { subjectLimit }),
    ...(files === undefined ? {} : { files: { read: files.read, namedBy: namedBy(files.named, parse) } }),
    minTtlSeconds: 1,
    maxTtlSeconds: MAX_TTL_SECONDS,
    underCeiling: locatorsOnly,
    resource: ({ read }) => locatorsOf(read).join(" "),
    // Reading makes nothing.
    unrecordedSeconds: () => 0,
    mint(request, io) {
      const side = { name: title, connection: request.connectionName }
      const fetch: ReadLocators = (locators) => store.read(located(locators, parse), request, side, io)
      return readStored(request.grant.read, { side, asks, cacheSeconds: request.connection.cache ?? 0 }, io, fetch)
    },
  }
}

type NamedIn<Connection, Place> = (place: Place, connection: Connection) => Omit<FileName, "at">

/** The file of each locator in a grant, with the locator's position. */
const namedBy =
  <Connection, Place>(named: NamedIn<Connection, Place>, parse: ParseLocator<Place>) =>
  ({ read }: StoreGrant, connection: Connection): readonly FileName[] =>
    wantedOf(read).flatMap(({ variable, locator }) =>
      located([locator], parse).map(({ place }) => ({ ...named(place, connection), at: ["read", variable, "from"] })),
    )

/**
 * The credential of a grant's `read`: every locator is read once, from memory if the connection caches values, and
 * delivered in the form that the grant names. All values or none.
 */
export async function readStored(
  read: ReadField,
  about: { readonly side: OtherSide; readonly asks: "job" | "connection"; readonly cacheSeconds: number },
  io: ProviderIo,
  fetch: ReadLocators,
): Promise<Minted> {
  const { side, asks, cacheSeconds } = about
  const found = new Map<string, StoredValue>()
  const locators = locatorsOf(read)
  if (cacheSeconds > 0) {
    for (const locator of locators) {
      const kept = await io.kept(asks).get(locator)
      if (kept !== undefined) found.set(locator, revived(kept))
    }
  }
  const hits = found.size
  const missing = locators.filter((locator) => !found.has(locator))
  if (missing.length > 0) for (const [locator, value] of await fetch(missing)) found.set(locator, value)
  const values = wantedOf(read).map((wanted) => {
    const stored = found.get(wanted.locator)
    if (stored === undefined) throw new Error("the store answered without one of the locators")
    return [wanted.variable, delivered(side, wanted, stored)] as const
  })
  // Cached only when every value could be delivered. An unusable value is read again next time, when it may be corrected.
  if (cacheSeconds > 0) {
    for (const locator of missing) {
      const stored = found.get(locator)
      if (stored !== undefined) await io.kept(asks).keep(locator, written(stored), cacheSeconds)
    }
  }
  return {
    values: Object.fromEntries(values),
    expiresAt: null,
    revocation: "expires-only",
    ...(cacheSeconds > 0 ? { cache: hits === locators.length ? "hit" : hits === 0 ? "miss" : "partly" } : {}),
  }
}

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
