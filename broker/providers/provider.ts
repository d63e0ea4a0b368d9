// Long because the whole contract of a provider is read in one place.

import type * as z from "zod"
import type { CacheUse } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { Claims, Identity } from "../core/identity.ts"
import type { OperatorRight, OperatorScope } from "../core/operator-rights.ts"
import type {
  ConnectionAudiences,
  GrantKey,
  JoinFault,
  NamedSettings,
  ProviderFiles,
  WrittenRepositories,
} from "../core/policy/provider-schemas.ts"
import type { Result } from "../core/result.ts"
import type { Secret } from "../core/secret.ts"
import type { SecretReference } from "../core/secret-reference.ts"
import type { Http } from "../ports/http.ts"
import type { KeptValues } from "../ports/kept-values.ts"
import type { Login } from "../ports/logins.ts"
import type { CredentialFormat, FileForm, Revocation } from "../wire/exchange.ts"
import type { SubjectLimit } from "../wire/subject.ts"
import type { ToolLogin } from "../wire/tool-login.ts"

/** What a provider must mint. All of it is decided already. */
export interface MintRequest<Connection, Grant> {
  readonly identity: Identity
  readonly grantName: string
  /** The `sub` of the identity tokens that `ProviderIo` signs for this request. The vendor's trust policy must name it. */
  readonly subject: string
  readonly connectionName: string
  readonly connection: Connection
  readonly grant: Grant
  /**
   * Between the provider's `minTtlSeconds` and `maxTtlSeconds`. If the vendor does not allow to choose the lifetime, and
   * the credential lives longer, it must be `revocable`: the broker revokes it after this many seconds.
   */
  readonly ttlSeconds: number
  readonly lease: string
  /** Path -> text of each file in the policy folder that the grant names; left out when it names none. */
  readonly files?: ReadonlyMap<string, string>
}

/** What a provider may use for calls. It must not use a global fetch, the environment or a clock. */
export interface CallIo {
  readonly http: Http
  now(): Date
  /** Milliseconds left for this mint or revocation, retries included. */
  remainingMs(): number
  /** Waits, but never longer than the remaining time. */
  sleep(milliseconds: number): Promise<void>
}

/** Everything that a provider may use for a mint. */
export interface ProviderIo extends CallIo {
  /**
   * Records durably what `revoke` needs, before anything is minted under it. When the broker dies before it can record the
   * outcome, the sweep revokes this handle. The minted credential's own handle replaces it.
   */
  prepare(handle: Secret<string>, expiresAt: Date | null): Promise<void>
  /**
   * A secret that this connection's settings name.
   *
   * @throws {BrokerError} `configuration_invalid` when the operator has not set it
   */
  secret(reference: SecretReference): Promise<Secret<string>>
  /**
   * The provider's own login, named `what`: a cached one, or a new one from `make`. It is cached in memory until shortly
   * before it ends, and only for the same connection settings and the same claims of the job, because the vendor may have
   * decided on any claim. `connection`: one for all jobs, when `make` sends nothing of the job and its grant. Grants of a
   * call that ask at the same time share it. Never use it for a credential that a job receives.
   */
  login<Value>(what: string, make: () => Promise<Login<Value>>, of?: "grant" | "connection"): Promise<KnownLogin<Value>>
  /**
   * Cached values of the connection's store, by locator, sealed in memory. `job`: only for jobs with exactly the same
   * claims. `connection`: for all jobs that may use the connection. Use it only if the connection enables caching.
   */
  kept(of: "job" | "connection"): KeptValues
  /** An identity token for `audience`, which describes this identity and grant, issued at `now()`. */
  identityToken(audience: string, options?: IdentityTokenOptions): Promise<Secret<string>>
  /**
   * A token with rights over this broker, for the holder of the exchange's key, issued at `now()`.
   *
   * @throws {BrokerError} `bound_token_required` when the exchange had no key, and the rights are more than a plain token may have
   */
  operatorToken(rights: OperatorTokenRights): Promise<Secret<string>>
}

export interface OperatorTokenRights {
  readonly may: readonly OperatorRight[]
  readonly scope: OperatorScope
  readonly lease: string
  readonly ttlSeconds: number
}

export interface KnownLogin<Value> {
  readonly value: Value
  /** The login was cached, so the vendor may have ended it already. */
  readonly kept: boolean
  forget(): void
}

export interface IdentityTokenOptions {
  /** Additional claims. They cannot replace the claims about the job. */
  readonly claims?: Claims
  /** The token's lifetime. The default and the maximum are five minutes. */
  readonly ttlSeconds?: number
}

/**
 * A mint failed after the vendor had minted a credential, and the provider could not revoke it immediately. The credential
 * is alive, but no job has it. Its handle is recorded on the lease, and the sweep retries the revocation.
 */
export class LeftAliveError extends BrokerError {
  readonly left: LeftAlive

  constructor(failure: BrokerError, left: LeftAlive) {
    super(failure.code, failure.detail, { cause: failure })
    this.left = left
  }
}

export interface LeftAlive {
  /** The input of `revoke`. */
  readonly handle: Secret<string>
  /** When the credential expires; null when that is not known. */
  readonly expiresAt: Date | null
}

/** The vendor's clock may be this many seconds ahead of ours before its credential counts as living longer than granted. */
export const CLOCK_TOLERANCE_SECONDS = 120

/**
 * Whether a credential that ends at `endsAt` lives longer than `seconds` from now, with the tolerance for clocks. True for
 * an invalid date.
 */
export const outlives = (endsAt: Date, now: Date, seconds: number): boolean =>
  !(endsAt.getTime() <= now.getTime() + (seconds + CLOCK_TOLERANCE_SECONDS) * 1000)

export interface MintedValue {
  /** A `Secret` is masked in the job; a plain string is public. */
  readonly value: Secret<string> | string
  readonly env?: string
  /** Present when the value is delivered as a file; the variable then contains its path. */
  readonly file?: FileForm
  /** Present when tools log in with the value. */
  readonly logins?: readonly ToolLogin[]
  /**
   * What the audit record says of it. `fingerprint`: its SHA-256, so only for a token with much entropy that was minted for
   * this job, never for what a store keeps or people choose. `id`: the value itself, a public id such as an AWS access key id.
   * Left out: nothing.
   */
  readonly recorded?: "fingerprint" | "id"
}

export interface Minted {
  /** Present when the job's side can do more with the credential than to hand over its values. */
  readonly format?: CredentialFormat
  readonly values: Readonly<Record<string, MintedValue>>
  /** When the credential expires; null when it does not. */
  readonly expiresAt: Date | null
  /** Must be true to the vendor's behaviour: most cloud tokens only expire. */
  readonly revocation: Revocation
  /** Whether values came from the broker's memory, if the connection caches values. The audit record contains it. */
  readonly cache?: CacheUse
  /** The number of values, where the policy does not say it: a store was asked for a whole item. The audit record contains it. */
  readonly count?: number
  /** Versions of what a store gave, by locators without their fields. The audit record contains them. */
  readonly versions?: Readonly<Record<string, string>>
  /** The public names of the keys that opened encrypted files, by the files. The audit record contains them. */
  readonly keys?: Readonly<Record<string, string>>
  /** The input of `revoke`; sealed before it is stored. Present exactly when `revocation` is `revocable`. */
  readonly handle?: Secret<string>
}

/** A credential that is one token, so that a client of a standard can ask for it. */
export interface OneToken {
  /** The name of its value. */
  readonly value: string
  /** Its type by RFC 8693, section 3. */
  readonly type: "access_token" | "jwt"
  /** The repositories that it is for, as `OWNER/NAME`. Present for a token of GitHub. */
  readonly repositories?: readonly string[]
}

/**
 * Mints one kind of credential, or reads secrets from a store. It knows nothing of HTTP routes, policies or storage.
 *
 * A mint that fails must revoke what it has minted. If it cannot, it throws `LeftAliveError`.
 *
 * `mint` and `revoke` throw `BrokerError` with one of these codes: `provider_*`; for stores also `secret_not_found` and
 * `secret_unusable`; `configuration_invalid` when a secret of the connection is missing; `internal` for a fault in our
 * code. The detail names the connection and what to change, and never contains text from the vendor.
 */
export interface Provider<Connection = unknown, Grant = unknown> {
  readonly name: string
  /** What it mints, in one phrase for the table of providers. */
  readonly summary: string
  /** How the credential ends, in one phrase for the same table. */
  readonly ends: string
  /** The schema of a connection in the organisation file, without `provider`, `require_bound_token` and `max_ttl`. */
  readonly connection: z.ZodType<Connection>
  /** The schema of a grant in a policy, without `connection` and `ttl`. */
  readonly grant: z.ZodType<Grant>
  /** Why a grant does not fit its connection; null when it fits. Checked when the policies load, before any call. */
  check?(grant: Grant, connection: Connection): string | null
  /**
   * Why no grant of a connection is ever inside a boundary's pattern for a field; null when one may be. The end of a
   * sentence, for patterns that look right and match nothing. `field` is a key of grants; the pattern may be deeper in it.
   */
  checkCeiling?(field: string, pattern: string, connection: Connection): string | null
  /**
   * Why this job must not get a grant whose gaps were filled with its claims; null when it may. The end of a sentence. For
   * facts that the filled claims do not contain, such as the owner of a repository that is named without its owner.
   */
  checkFilled?(connection: Connection, job: Pick<Identity, "ownerId" | "issuerUrl">): string | null
  /**
   * Present when grants name secrets files in the policy folder. The files are checked when the folder loads, and are part
   * of its version. They travel only with the grants that name them, still encrypted, wherever the policies are stored.
   */
  readonly files?: ProviderFiles<Connection, Grant>
  /**
   * Present when its connections go through others of the organisation file: adds what they need of those to the settings. Pure.
   */
  join?(connection: Connection, others: ReadonlyMap<string, NamedSettings>): Result<Connection, JoinFault>
  /** Audiences that it requests identity tokens for. Loading rejects other connections that hand out tokens for one of them. */
  audiences?(connection: Connection): ConnectionAudiences
  /** Present when the vendor limits the `sub` of the broker's tokens. Loading refuses a grant whose `sub` is longer. */
  subjectLimit?(connection: Connection): SubjectLimit | undefined
  /** Present when it needs no broker's key and makes no call: it then also works on a person's own machine. */
  readonly worksOffline?: true
  readonly minTtlSeconds: number
  readonly maxTtlSeconds: number
  /** The least lifetime of this grant, where it is more than `minTtlSeconds`. */
  leastTtlSeconds?(grant: Grant): number
  /**
   * The form of a grant that boundaries check, if that is not the grant itself: it leaves out everything except what the
   * grant can reach. Accepts both a parsed grant and a grant as written.
   */
  underCeiling?(grant: unknown): unknown
  /**
   * Keys of a grant that reach the whole organisation and not only what the grant names. In a repository's own policy, a
   * boundary must name them: an entry that leaves the field out allows everything else in it.
   */
  organisationWide?(grant: Grant): readonly GrantKey[]
  /** The repositories whose files the grant's holder can change, and with them policies; null when there are none. */
  writes?(grant: Grant, connection: Connection): WrittenRepositories | null
  /**
   * What the holder of a grant can reach although neither the grant nor its connection names it, because the vendor is asked
   * and not the broker; null when there is nothing. The end of a sentence: `the holder can ...`.
   */
  reachesBeyond?(grant: Grant, connection: Connection): string | null
  /** The resource's name in the audit trail: a role's ARN, an audience. Never a secret. */
  resource(grant: Grant): string
  /** The token that a credential consists of; null for a grant whose credential is more or something else. */
  token?(grant: Grant, connection: Connection): OneToken | null
  mint(request: MintRequest<Connection, Grant>, io: ProviderIo): Promise<Minted>
  /** Whether this grant is minted in the broker's memory, without a call, and only expires. One record is then enough. */
  local?(grant: Grant, connection: Connection): boolean
  /**
   * How many seconds a credential may live that was minted with `ttlSeconds`, and that the broker could not record because
   * it died. Default: `ttlSeconds`, for vendors that keep to it. 0 for a mint that makes nothing. Not asked of a local mint.
   */
  unrecordedSeconds?(grant: Grant, ttlSeconds: number): number
  /**
   * Revokes a credential. Succeeds when the credential has already ended. The handle contains everything that it needs,
   * the vendor's address included: the connection may have been changed or removed since.
   */
  revoke?(handle: Secret<string>, connectionName: string, io: CallIo): Promise<void>
}

/** Providers by name. */
export type ProviderTable = ReadonlyMap<string, Provider>
