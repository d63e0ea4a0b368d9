import type { ToolLogin } from "./tool-login.ts"
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
  /** Names of the requested grants: 1 to 32, unique. */
  readonly grants: readonly string[]
  /** The requested lifetime, for example `90s`, `15m` or `1h`. Default: the policy's. */
  readonly ttl?: string
  /**
   * Present when the subject token is bound to this key, or the call has a DPoP proof of it. The answer is then a JWE that only
   * this key decrypts.
   */
  readonly key?: PublicJwk
  /**
   * The id of the lease, which the client has chosen: a UUID of version 7 in lower case, never sent before. Only with `key`.
   * A client that keeps it before it asks can revoke what was minted although it never got the answer.
   */
  readonly lease?: string
}

/** The form of a value that is delivered as a file. */
export interface FileForm {
  /** Octal, for example `0600`. It never gives other users access. */
  readonly mode: string
  /** Present when the value is the file's bytes in base64. Otherwise the value is the file's text. */
  readonly encoding?: "base64"
}

/** One value of a credential. The broker describes it, so the action needs no knowledge of providers. */
export interface CredentialValue {
  readonly value: string
  /** True when the value must be masked; false when it is public. */
  readonly secret: boolean
  /** The environment variable that tools read this value from. */
  readonly env?: string
  /** Present when the value is delivered as a file. The variable then holds the file's path. */
  readonly file?: FileForm
  /**
   * Present when tools log in with the value: at most one login for each tool. The client writes the tools' configuration. A
   * client that does not know this member delivers the value in `env` alone, and not at all without it.
   */
  readonly logins?: readonly ToolLogin[]
}

/**
 * How a credential ends. `revocable`: the broker revokes it with the lease, or when its granted time is over.
 * `expires-only`: it lives until it expires.
 */
export type Revocation = "revocable" | "expires-only"

/**
 * What a client can do with a credential besides handing over its values. `aws-session`: the values `access-key-id`,
 * `secret-access-key` and `session-token` are one session, which AWS's SDKs can also fetch from an HTTP endpoint; `region`,
 * if present, is its region.
 *
 * `google-federated` and `azure-federated`: `federated-token` is the broker's own token, with which Google's and Microsoft's
 * client libraries log in themselves. Beside it are Google's `audience`, `token-url`, and for a service account
 * `impersonation-url` and `impersonation-seconds`; or Entra's `tenant-id`, `client-id` and `authority-host`.
 */
export type CredentialFormat = "aws-session" | "google-federated" | "azure-federated"

export interface CredentialAnswer {
  readonly provider: string
  /** Absent when the credential is its values and nothing more. A client treats a format that it does not know as absent. */
  readonly format?: CredentialFormat
  /** ISO 8601, UTC: when it expires or is revoked, whichever comes first; null when it never ends. */
  readonly expires_at: string | null
  readonly revocation: Revocation
  /** The granted lifetime in seconds. Present when the request asked for more than policy and boundaries allow. */
  readonly shortened_to_seconds?: number
  readonly values: Readonly<Record<string, CredentialValue>>
}

/** The answer of `POST /v1/exchange`. For a key-bound request it is the plaintext of the JWE. */
export interface ExchangeAnswer {
  readonly lease: string
  /** ISO 8601, UTC: when the last of the credentials ends. */
  readonly expires_at: string
  /** Version of the policies that decided. */
  readonly policy_version: string
  readonly credentials: Readonly<Record<string, CredentialAnswer>>
}

/** A limit, and how much of it is used up. */
export interface LimitAnswer {
  readonly max: number
  readonly used: number
  /** When the count starts again; absent for open leases, which end one by one. */
  readonly resets_in_seconds?: number
  /** Where the limit is set: `daypass.yaml:12`, or `the default`. */
  readonly source: string
}

/** How a unit stands with its limits. */
export interface LimitsAnswer {
  readonly exchanges_per_minute: LimitAnswer
  readonly open_leases: LimitAnswer
  /** `counted`: denials of this hour beyond the limit, which have no record of their own. */
  readonly denials_per_hour: LimitAnswer & { readonly counted: number }
  /** The granted grants that limit their open leases; absent when none does. */
  readonly max_open_leases?: Readonly<Record<string, Pick<LimitAnswer, "max" | "source">>>
}

/** The answer of `POST /v1/explain`. */
export interface ExplainAnswer {
  readonly decision: "allow" | "deny"
  /** `allowed`, or the code with which an exchange would fail. */
  readonly code: string
  readonly grants: readonly string[]
  /** Version of the policies that decided. */
  readonly policy_version: string
  /** Present only for callers whose unit owns the policies. */
  readonly trace?: Trace
  /** Present only for callers whose owner is listed, and while the ledger can be read. */
  readonly limits?: LimitsAnswer
  /** What the broker could not find out; and who has stopped what the policies allow, and why. */
  readonly notes?: readonly string[]
}

/**
 * The answer of `DELETE /v1/leases/{id}`: the outcome for each credential, and when it expires at its vendor (ISO 8601, UTC).
 * That can be later than its granted time. Null when it does not expire.
 */
export interface RevokeAnswer {
  readonly lease: string
  /**
   * Present when the record of this revocation is not written yet, because the ledger's storage fails. The broker writes it
   * as soon as it can.
   */
  readonly record_due?: true
  /**
   * Present when the exchange of this lease has no outcome, because it is still under way or was interrupted. Nothing of it is
   * handed out any more. The broker revokes what it mints; what the broker cannot revoke lives until this time at the latest
   * (ISO 8601, UTC). Null when all of it can be revoked.
   */
  readonly unknown_until?: string | null
  readonly credentials: Readonly<
    Record<string, { readonly outcome: RevocationOutcome; readonly expires_at: string | null }>
  >
}

/**
 * `expires-only`: it lives until `expires_at`. `failed`: it is not revoked yet; the broker tries again. `revoking`: another
 * call is revoking it now.
 */
export type RevocationOutcome = "revoked" | "expires-only" | "failed" | "revoking"

/** An RFC 9457 problem document with Daypass's members. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly request_id: string
  /** Version of the policies that decided the refusal. */
  readonly policy_version?: string
  readonly trace?: Trace
  /** Where the organisation helps. Present in denials to callers whose owner is listed, when the organisation file says it. */
  readonly help?: Help
}

/** Where people ask when a job is denied, as the organisation file says it. */
export interface Help {
  /** A plain https URL. */
  readonly url: string
  /** One line for people: who helps, or how. */
  readonly text?: string
}

/** Separates the audience from the key's thumbprint in a key-bound subject token: `<audience>?jkt=<RFC 7638 thumbprint>`. */
export const KEY_BINDING_SEPARATOR = "?jkt="

export const MEDIA_TYPE_PROBLEM = "application/problem+json"
export const MEDIA_TYPE_JOSE = "application/jose"

export const MAX_GRANTS_PER_REQUEST = 32
