import * as z from "zod"
import type {
  ConnectionAudiences,
  FileName,
  JoinFault,
  NamedSettings,
  ProviderFiles,
} from "../core/policy/provider-schemas.ts"
import { duration } from "../core/policy/schema-words.ts"
import type { Result } from "../core/result.ts"
import type { SubjectLimit } from "../wire/subject.ts"
import type { OtherSide } from "./call.ts"
import { jsonTextOf, mapOfJson } from "./field.ts"
import type { MintRequest, Provider, ProviderIo } from "./provider.ts"
import { type Members, membersOf, readAllField, resourceOf, type StoreGrant, variablesOf, wholeIn } from "./read-all.ts"
import {
  type Located,
  located,
  locatorsOf,
  locatorsOnly,
  type ParseLocator,
  readField,
  wantedOf,
} from "./read-grant.ts"
import { readStored } from "./read-stored.ts"
import { type StoredValue, versionOf } from "./stored-value.ts"

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
  subjectLimit?(connection: Connection): SubjectLimit | undefined
  /** Present when its connections go through others of the organisation file. */
  join?(connection: Connection, others: ReadonlyMap<string, NamedSettings>): Result<Connection, JoinFault>
  /** Present when everything that it reads is in the policy folder: on a person's own machine it calls nobody. */
  readonly worksOffline?: true
  /** Whether a connection calls nobody. */
  isLocal?(connection: Connection): boolean
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
  const { name, summary, title, connection, parse, asks, files, subjectLimit, join, isLocal, whole, worksOffline } =
    store
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
      .refine(({ read, read_all: all }) => read !== undefined || all !== undefined, "must have read or read_all")
      .meta({ anyOf: [{ required: ["read"] }, { required: ["read_all"] }] }),
    check: (grant, settings) => store.check?.(places(grant), settings) ?? null,
    audiences: (settings) => store.audiences?.(settings) ?? {},
    ...(subjectLimit === undefined ? {} : { subjectLimit }),
    ...(join === undefined ? {} : { join }),
    ...(files === undefined ? {} : { files: { read: files.read, namedBy: namedBy(files.named, parse, parseAll) } }),
    ...(worksOffline === undefined ? {} : { worksOffline }),
    ...(isLocal === undefined ? {} : { local: (_: StoreGrant, settings: Connection) => isLocal(settings) }),
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
          const stored = (await store.read([one], request, side, io)).get(all.from)
          const json = jsonTextOf(stored?.value.reveal() ?? "")
          const members = membersOf(side, all, mapOfJson(side, all.from, json, "is read with read_all"))
          return members.map(([name, member]) => [name, { ...versionOf(stored), ...member }])
        },
      })
    },
  }
}

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
      const folder = part === "" ? "" : `${part}/`
      return {
        path,
        part: `${part}/`,
        at: ["read_all", "from"],
        variables: (known: ReadonlySet<string>) => {
          const names = [...known].filter((name) => name.startsWith(folder) && !name.endsWith("/"))
          const below = names.map((name) => name.slice(folder.length))
          return variablesOf(all?.prefix ?? "", below, Object.keys(read ?? {}))
        },
      }
    })
    return [...parts, ...items]
  }
