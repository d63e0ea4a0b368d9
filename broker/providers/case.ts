import type { HttpFailure } from "../ports/http.ts"
import type { ErrorCode } from "../wire/error-codes.ts"
import type { CredentialFormat, FileForm, Revocation } from "../wire/exchange.ts"
import type { ToolLogin } from "../wire/tool-login.ts"

/** The service's answer to one call, or how the call fails. */
export type Reply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | { readonly failure: HttpFailure }

/** A call that the provider must make; only the listed parts are compared. */
export interface ExpectedCall {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Form fields or text that the body must contain. */
  readonly bodyHolds?: readonly string[]
}

/** An expected value: whether it is secret, its variable, its file form, and its text where that matters. */
export interface ExpectedValue {
  readonly secret: boolean
  readonly env?: string
  readonly file?: FileForm
  readonly logins?: readonly ToolLogin[]
  readonly value?: string
}

/** One recorded story of a provider: the request, the service's replies, and the expected result. */
export interface ProviderCase {
  /** A sentence about behaviour. */
  readonly name: string
  /** As written in YAML, without `provider` and `connection`. */
  readonly connection: unknown
  readonly grant: unknown
  readonly ttlSeconds: number
  /** The connection's secrets, by the names in its settings. */
  readonly secrets?: Readonly<Record<string, string>>
  /** The files that the grant names, by path. */
  readonly files?: Readonly<Record<string, string>>
  /** In order. A further call fails the case. */
  readonly replies: readonly Reply[]
  readonly calls?: readonly ExpectedCall[]
  readonly expect:
    | {
        /** Every value, by name. */
        readonly values: Readonly<Record<string, ExpectedValue>>
        readonly format?: CredentialFormat
        readonly revocation: Revocation
        readonly expiresAt: string | null
      }
    | Refused
  /** The revocation of the minted credential. */
  readonly revoke?: {
    readonly replies: readonly Reply[]
    readonly calls?: readonly ExpectedCall[]
    readonly expect: "revoked" | Refused
  }
}

export interface Refused {
  readonly code: ErrorCode
  /** Text that the error's sentence must contain. */
  readonly detailHolds?: string
}

/** Text in the service's replies. It must never appear in an error. */
export const FOREIGN_TEXT = "foreign-text-4f1c"

/** The `sub` of the identity tokens in cases. */
export const CASE_SUBJECT = "github:repository:41:environment:production:grant:the-grant"

/** The current time in all cases. */
export const CASE_NOW = "2026-11-22T12:00:00.000Z"
