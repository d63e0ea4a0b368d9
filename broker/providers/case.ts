import type { HttpFailure } from "../ports/http.ts"
import type { ErrorCode } from "../wire/error-codes.ts"
import type { FileForm, Revocation } from "../wire/exchange.ts"

/** What the other side answers one call with, or how it fails to. */
export type Reply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | { readonly failure: HttpFailure }

/** A call that the provider must make, as far as the case cares. */
export interface ExpectedCall {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Form fields or text that the body must hold. */
  readonly bodyHolds?: readonly string[]
}

/** A value as a case expects it: whether it is secret, its variable and its form; what it says where that matters. */
export interface ExpectedValue {
  readonly secret: boolean
  readonly env?: string
  readonly file?: FileForm
  readonly value?: string
}

/** One recorded story of a provider: what was asked, what came back, what must come of it. */
export interface ProviderCase {
  /** A sentence about behaviour. */
  readonly name: string
  /** As the YAML would say it, without `provider` and `connection`. */
  readonly connection: unknown
  readonly grant: unknown
  readonly ttlSeconds: number
  /** The connection's own secrets, by the names in its settings. */
  readonly secrets?: Readonly<Record<string, string>>
  /** The files that the grant names, by path. */
  readonly files?: Readonly<Record<string, string>>
  /** In order. A call beyond them fails the case. */
  readonly replies: readonly Reply[]
  readonly calls?: readonly ExpectedCall[]
  readonly expect:
    | {
        /** Every value, by name. */
        readonly values: Readonly<Record<string, ExpectedValue>>
        readonly revocation: Revocation
        readonly expiresAt: string | null
      }
    | Refused
  /** How taking the credential back goes, once it is minted. */
  readonly revoke?: {
    readonly replies: readonly Reply[]
    readonly calls?: readonly ExpectedCall[]
    readonly expect: "revoked" | Refused
  }
}

export interface Refused {
  readonly code: ErrorCode
  /** What the sentence must say. */
  readonly detailHolds?: string
}

/** Foreign text that stand-in answers carry; it must never come out in an error. */
export const FOREIGN_TEXT = "foreign-text-4f1c"

/** The `sub` of the identity tokens in cases. */
export const CASE_SUBJECT = "repository:acme/shop:environment:production:grant:the-grant"

/** The time at which cases happen. */
export const CASE_NOW = "2026-11-22T12:00:00.000Z"
