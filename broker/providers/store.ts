import * as z from "zod"
import type { ConnectionAudiences, FileName, ProviderFiles } from "../core/policy/provider-schemas.ts"
import { duration } from "../core/policy/schema-words.ts"
import { Secret } from "../core/secret.ts"
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

/** Nobody waits longer for a rotated secret, whatever a connection says. */
const MAX_CACHE_SECONDS = 600
/** How long the lease of a stored secret may last. The secret itself does not end with it. */
const MAX_TTL_SECONDS = 12 * 3600

/** What every store's connection may say, to be spread into its schema. */
export const storeSettings = {
  cache: duration
    .refine((seconds) => seconds <= MAX_CACHE_SECONDS, "a cache holds values for at most 10m")
    .optional()
    .meta({ description: "For how long values are kept, sealed, in the broker's memory. Left out: not at all." }),
}

interface StoreSettings {
  readonly cache?: number | undefined
}

/** What a policy offers of a store. */
export interface StoreGrant {
  readonly read: ReadField
}

/** Reads these locators, all of them: a map without one of them is a fault of the store's. */
export type ReadLocators = (locators: readonly string[]) => Promise<ReadonlyMap<string, StoredValue>>

/** Where secrets already live, as far as stores differ. All else of a provider is the same for each. */
export interface Store<Connection extends StoreSettings, Place> {
  readonly name: string
  readonly summary: string
  /** As errors name it: `AWS Secrets Manager`. */
  readonly title: string
  readonly connection: z.ZodType<Connection>
  readonly parse: ParseLocator<Place>
  /** What a grant's locators and its connection cannot say together; null when they agree. */
  check?(wanted: readonly Located<Place>[], connection: Connection): string | null
  /** Present when its locators name files in the policy folder: how one is read, and what a locator names. */
  readonly files?: Pick<ProviderFiles, "read"> & { named: NamedIn<Connection, Place> }
  /**
   * Whom the store takes the broker for: `job` when it is told of the job and may decide on it, `connection` when every job
   * looks the same to it. What was read for one job is never kept for another where the store could tell them apart.
   */
  readonly asks: "job" | "connection"
  /** Of the tokens that the broker logs in with; left out where it logs in with none. */
  audiences?(connection: Connection): ConnectionAudiences
  /** @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*` */
  read(
    wanted: readonly Located<Place>[],
    request: MintRequest<Connection, StoreGrant>,
    side: OtherSide,
    io: ProviderIo,
  ): Promise<ReadonlyMap<string, StoredValue>>
}

/** Makes a provider of a store. What it hands out does not end with the lease, and says so. */
export function storeProvider<Connection extends StoreSettings, Place>(
  store: Store<Connection, Place>,
): Provider<Connection, StoreGrant> {
  const { name, summary, title, connection, parse, asks, files } = store
  return {
    name,
    summary,
    ends: "not by itself",
    connection,
    grant: z.strictObject({ read: readField(parse) }),
    check: (grant, settings) => store.check?.(located(locatorsOf(grant.read), parse), settings) ?? null,
    audiences: (settings) => store.audiences?.(settings) ?? {},
    ...(files === undefined ? {} : { files: { read: files.read, namedBy: namedBy(files.named, parse) } }),
    minTtlSeconds: 1,
    maxTtlSeconds: MAX_TTL_SECONDS,
    underCeiling: locatorsOnly,
    resource: ({ read }) => locatorsOf(read).join(" "),
    mint(request, io) {
      const side = { name: title, connection: request.connectionName }
      const fetch: ReadLocators = (locators) => store.read(located(locators, parse), request, side, io)
      return readStored(request.grant.read, { side, asks, cacheSeconds: request.connection.cache ?? 0 }, io, fetch)
    },
  }
}

type NamedIn<Connection, Place> = (place: Place, connection: Connection) => Omit<FileName, "at">

/** The file of each of a grant's locators, and where the locator stands. */
const namedBy =
  <Connection, Place>(named: NamedIn<Connection, Place>, parse: ParseLocator<Place>) =>
  ({ read }: StoreGrant, connection: Connection): readonly FileName[] =>
    wantedOf(read).flatMap(({ variable, locator }) =>
      located([locator], parse).map(({ place }) => ({ ...named(place, connection), at: ["read", variable, "from"] })),
    )

/**
 * The credential that a grant's `read` stands for: every locator read once, from memory where the connection keeps values,
 * and handed over as the grant wants it. All values or none.
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
  // Kept only when all of it was good: what cannot be handed over is read again, and may have been mended by then.
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
