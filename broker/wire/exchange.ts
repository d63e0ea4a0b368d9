import type { Trace } from "./trace.ts"

/** The public half of the job's ephemeral key (RFC 7517, RFC 7518 section 6.2): P-256 only. */
export interface PublicJwk {
  readonly kty: "EC"
  readonly crv: "P-256"
  readonly x: string
  readonly y: string
}

/** The body of `POST /v1/exchange` and `POST /v1/explain`. */
export interface ExchangeRequest {
  /** Names of the grants wanted: 1 to 32, unique. */
  readonly grants: readonly string[]
  /** The lifetime wanted, as `90s`, `15m` or `1h`; the policy's when left out. */
  readonly ttl?: string
  /** Present when the subject token is bound to this key: the answer is then a JWE that only its holder opens. */
  readonly key?: PublicJwk
}

/** How a value arrives that is to be a file. */
export interface FileForm {
  /** Octal, as `0600`; never for everybody. */
  readonly mode: string
  /** Present when the value is base64 of the file's bytes; else it is the file's text. */
  readonly encoding?: "base64"
}

/** One value of a credential. The broker says what it is, so that the action knows no provider. */
export interface CredentialValue {
  readonly value: string
  /** True when the value must be masked; false when it is public. */
  readonly secret: boolean
  /** The environment variable that tools read this value from. */
  readonly env?: string
  /** Present when the job gets the value as a file, and its path in the variable. */
  readonly file?: FileForm
}

/**
 * How a credential ends: `revocable` ones are taken back with the lease, or when their granted time is over; `expires-only`
 * ones live until they expire.
 */
export type Revocation = "revocable" | "expires-only"

export interface CredentialAnswer {
  readonly provider: string
  /** ISO 8601, UTC: when it expires or is taken back, whichever comes first; null when nothing ends it. */
  readonly expires_at: string | null
  readonly revocation: Revocation
  readonly values: Readonly<Record<string, CredentialValue>>
}

/** The answer of `POST /v1/exchange`; for a key-bound request it is the plaintext of the JWE. */
export interface ExchangeAnswer {
  readonly lease: string
  /** ISO 8601, UTC: when the last of the credentials ends. */
  readonly expires_at: string
  /** Version of the policies that decided. */
  readonly policy_version: string
  readonly credentials: Readonly<Record<string, CredentialAnswer>>
}

/** The answer of `POST /v1/explain`. */
export interface ExplainAnswer {
  readonly decision: "allow" | "deny"
  /** `allowed`, or the code that the exchange would have failed with. */
  readonly code: string
  readonly grants: readonly string[]
  /** Version of the policies that decided. */
  readonly policy_version: string
  /** Absent for callers that own no policy. */
  readonly trace?: Trace
}

/**
 * The answer of `DELETE /v1/leases/{id}`: what became of each credential, and when it ends by itself, which can be later than
 * its granted time; null when it does not. ISO 8601, UTC.
 */
export interface RevokeAnswer {
  readonly lease: string
  readonly credentials: Readonly<
    Record<string, { readonly outcome: RevocationOutcome; readonly expires_at: string | null }>
  >
}

/** `revoked`: taken back. `expires-only`: lives until `expires_at`. `failed`: could not be taken back yet; the broker tries again. */
export type RevocationOutcome = "revoked" | "expires-only" | "failed"

/** RFC 9457 problem document, with our members. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly request_id: string
  /** Version of the policies that refused. */
  readonly policy_version?: string
  readonly trace?: Trace
}

/** Separates the audience from the key's thumbprint in a key-bound subject token: `<audience>?jkt=<RFC 7638 thumbprint>`. */
export const KEY_BINDING_SEPARATOR = "?jkt="

export const MEDIA_TYPE_PROBLEM = "application/problem+json"
export const MEDIA_TYPE_JOSE = "application/jose"

export const MAX_GRANTS_PER_REQUEST = 32
