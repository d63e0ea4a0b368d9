import type * as z from "zod"
import type { Identity } from "../identity.ts"

/** What the loader must know of a provider. `Provider` is one; core knows no more of them than this. */
export interface ProviderSchemas {
  readonly connection: z.ZodType
  readonly grant: z.ZodType
  check?(grant: unknown, connection: unknown): string | null
  checkCeiling?(field: string, pattern: string, connection: unknown): string | null
  checkFilled?(connection: unknown, job: Pick<Identity, "ownerId">): string | null
  audiences?(connection: unknown): ConnectionAudiences
  underCeiling?(grant: unknown): unknown
  /** Present when its grants name files that lie in the policy folder. */
  readonly files?: ProviderFiles
  readonly minTtlSeconds: number
  readonly maxTtlSeconds: number
  resource(grant: unknown): string
}

/** For which audiences a connection has the broker sign identity tokens, and who gets hold of what they open. */
export interface ConnectionAudiences {
  /** A job is handed tokens for these. */
  readonly handedOut?: readonly string[]
  /** The broker presents tokens for these, for what a grant names. */
  readonly presented?: readonly string[]
  /** The broker logs in for itself with tokens for these, and hands out nothing of what it is let into. */
  readonly ownLogin?: readonly string[]
}

/** Files of secrets beside the policies, as a provider reads them. Their text is encrypted, and goes with the grants that name them. */
export interface ProviderFiles<Connection = unknown, Grant = unknown> {
  /** Reads such a file, whoever names it. Pure; never throws, and quotes no value. */
  read(path: string, bytes: Uint8Array): FileReading
  /** The files that a grant names, and what of each. What fills its gaps may change the part, and never the file. */
  namedBy(grant: Grant, connection: Connection): readonly FileName[]
}

export interface FileReading {
  readonly faults: readonly FileFault[]
  /** What grants can name in it. */
  readonly parts: ReadonlySet<string>
}

export interface FileName {
  /** From the policy folder, with forward slashes. */
  readonly path: string
  readonly part: string
  /** The way to it in the grant: keys of maps and indexes of lists. */
  readonly at: readonly PropertyKey[]
}

/** Where a file of secrets is wrong and what to change; 1-based. */
export interface FileFault {
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
}

export type ProviderSchemaTable = ReadonlyMap<string, ProviderSchemas>
