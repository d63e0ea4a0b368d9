import type { z } from "zod"

/** What the loader must know of a provider. `Provider` is one; core knows no more of them than this. */
export interface ProviderSchemas {
  readonly connection: z.ZodType
  readonly grant: z.ZodType
  check?(grant: unknown, connection: unknown): string | null
  underCeiling?(grant: unknown): unknown
  readonly minTtlSeconds: number
  readonly maxTtlSeconds: number
  resource(grant: unknown): string
}

export type ProviderSchemaTable = ReadonlyMap<string, ProviderSchemas>
