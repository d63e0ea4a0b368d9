import type * as z from "zod"
import type { SubjectLimit } from "../../wire/subject.ts"
import type { Identity } from "../identity.ts"
import type { Result } from "../result.ts"

/** The part of a provider that the loader needs. `Provider` extends it; core knows nothing else of providers. */
export interface ProviderSchemas {
  readonly connection: z.ZodType
  readonly grant: z.ZodType
  check?(grant: unknown, connection: unknown): string | null
  checkCeiling?(field: string, pattern: string, connection: unknown): string | null
  checkFilled?(connection: unknown, job: Pick<Identity, "ownerId" | "issuerUrl">): string | null
  audiences?(connection: unknown): ConnectionAudiences
  subjectLimit?(connection: unknown): SubjectLimit | undefined
  /**
   * Present when its connections go through other connections of the organisation file. Adds what they need of those to the
   * settings, when the file loads; the fault is about one place in the connection. Pure.
   */
  join?(connection: unknown, others: ReadonlyMap<string, NamedSettings>): Result<unknown, JoinFault>
  underCeiling?(grant: unknown): unknown
  organisationWide?(grant: unknown): readonly GrantKey[]
  reachesBeyond?(grant: unknown, connection: unknown): string | null
  writes?(grant: unknown, connection: unknown): WrittenRepositories | null
  /** Present when its grants name files that lie in the policy folder. */
  readonly files?: ProviderFiles
  /** Present when it needs no broker's key and makes no call: it then also works on a person's own machine. */
  readonly worksOffline?: true
  readonly minTtlSeconds: number
  readonly maxTtlSeconds: number
  leastTtlSeconds?(grant: unknown): number
  resource(grant: unknown): string
}

/** A connection of the organisation file, as another one may use it. */
export interface NamedSettings {
  readonly provider: string
  readonly settings: unknown
}

/** Where a connection names another one wrongly, and what to change: a whole sentence. */
export interface JoinFault {
  /** Keys of maps and indexes of lists, from the connection on. */
  readonly at: readonly PropertyKey[]
  readonly message: string
}

/** A key in a field of a grant that is a map: `["permissions", "members"]`. */
export type GrantKey = readonly [field: string, key: string]

/** Repositories whose files the holder of a grant can change, by what, such as `contents: write`. */
export interface WrittenRepositories {
  readonly ownerId: string
  /** owner/name. */
  readonly repositories: readonly string[]
  readonly by: readonly string[]
}

/** The audiences of the identity tokens that a connection requests from the broker, by their use. */
export interface ConnectionAudiences {
  /** Jobs receive tokens for these audiences. */
  readonly handedOut?: readonly string[]
  /** The broker itself presents tokens for these audiences, to get what a grant names. */
  readonly presented?: readonly string[]
  /** The broker logs in with tokens for these audiences. Jobs never receive this login. */
  readonly ownLogin?: readonly string[]
}

/** How a provider reads secrets files in the policy folder. Their encrypted text travels with the grants that name them. */
export interface ProviderFiles<Connection = unknown, Grant = unknown> {
  /** Reads one such file. Pure; never throws, and quotes no value. */
  read(path: string, bytes: Uint8Array): FileReading
  /** The files, and the values in them, that a grant names. A gap may change the value's name, never the file. */
  namedBy(grant: Grant, connection: Connection): readonly FileName[]
}

export interface FileReading {
  readonly faults: readonly FileFault[]
  /** The values that grants can name. */
  readonly parts: ReadonlySet<string>
}

export interface FileName {
  /** Relative to the policy folder, with forward slashes. */
  readonly path: string
  readonly part: string
  /** Present when the grant reads all below that part: the variables that these become, or why they cannot. */
  variables?(parts: ReadonlySet<string>): Result<readonly string[], string>
  /** Where the grant names it: keys of maps and indexes of lists. */
  readonly at: readonly PropertyKey[]
}

/** Where a secrets file is wrong, and what to change. Lines and columns are 1-based. */
export interface FileFault {
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
}

export type ProviderSchemaTable = ReadonlyMap<string, ProviderSchemas>
