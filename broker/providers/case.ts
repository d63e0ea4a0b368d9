import type { HttpFailure } from "../ports/http.ts"
import type { ErrorCode } from "../wire/error-codes.ts"
import type { Revocation } from "../wire/exchange.ts"

/** What the other side answers one call with, or how it fails to. */
export type Reply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | { readonly failure: HttpFailure }

/** A call that the provider must make, as far as the case cares. */
export interface ExpectedCall {
  readonly method: string
  readonly url: string
  /** Form fields or text that the body must hold. */
  readonly bodyHolds?: readonly string[]
}

/** One recorded story of a provider: what was asked, what came back, what must come of it. */
export interface ProviderCase {
  /** A sentence about behaviour. */
  readonly name: string
  /** As the YAML would say it, without `provider` and `connection`. */
  readonly connection: unknown
  readonly grant: unknown
  readonly ttlSeconds: number
  /** In order. A call beyond them fails the case. */
  readonly replies: readonly Reply[]
  readonly calls?: readonly ExpectedCall[]
  readonly expect:
    | {
        /** Every value by name: whether it is secret, and its variable. */
        readonly values: Readonly<Record<string, { readonly secret: boolean; readonly env?: string }>>
        readonly revocation: Revocation
        readonly expiresAt: string | null
      }
    | { readonly code: ErrorCode /** What the sentence must say. */; readonly detailHolds?: string }
}

/** Foreign text that stand-in answers carry; it must never come out in an error. */
export const FOREIGN_TEXT = "foreign-text-4f1c"

/** The time at which cases happen. */
export const CASE_NOW = "2026-11-22T12:00:00.000Z"
