import type * as z from "zod"
import type { CacheUse } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { Claims, Identity } from "../core/identity.ts"
import type { ConnectionAudiences, ProviderFiles } from "../core/policy/provider-schemas.ts"
import type { Secret } from "../core/secret.ts"
import type { SecretReference } from "../core/secret-reference.ts"
import type { Http } from "../ports/http.ts"
import type { KeptValues } from "../ports/kept-values.ts"
import type { Login } from "../ports/logins.ts"
import type { FileForm, Revocation } from "../wire/exchange.ts"

/** What a provider is asked to mint. Everything in it was decided; a provider decides nothing. */
export interface MintRequest<Connection, Grant> {
  readonly identity: Identity
  readonly grantName: string
  /** The `sub` of the identity tokens that `ProviderIo` makes for this request: what the other side's trust must name. */
  readonly subject: string
  readonly connectionName: string
  readonly connection: Connection
  readonly grant: Grant
  /**
   * At least the provider's `minTtlSeconds`, at most its `maxTtlSeconds`. Where the vendor lets nobody choose, and what it
   * mints lives longer, it must be `revocable`: the broker takes it back after so many seconds.
   */
  readonly ttlSeconds: number
  readonly lease: string
  /** The texts of the files that the grant names, by path, as they lie in the policy folder; left out when it names none. */
  readonly files?: ReadonlyMap<string, string>
}

/** By which connection a credential is taken back. The settings may be others than those that it was minted with. */
export interface RevokeRequest<Connection> {
  readonly connectionName: string
  readonly connection: Connection
}

/** All that a provider may touch. Nothing is ambient: no global fetch, no environment, no clock. */
export interface ProviderIo {
  readonly http: Http
  now(): Date
  /** Milliseconds left for this mint or revocation, retries included. */
  remainingMs(): number
  /** Waits, at most as long as time remains. */
  sleep(milliseconds: number): Promise<void>
  /**
   * A secret of this connection's own, which its settings name.
   *
   * @throws {BrokerError} `configuration_invalid` when the operator holds none of that name
   */
  secret(reference: SecretReference): Promise<Secret<string>>
  /**
   * The provider's own login for `scope`: one that it made before, or what `make` makes now. Kept in memory until shortly
   * before it ends, for this connection's settings and this job's claims alone: whoever else asks gets a login of their
   * own, since the other side may have looked at any claim. Never for what a job is handed.
   */
  login<Value>(scope: string, make: () => Promise<Login<Value>>): Promise<KnownLogin<Value>>
  /**
   * What the connection's store gave before, by locator, sealed in memory: `job` is kept for jobs with the very same claims,
   * `connection` for everybody who may use the connection. Only where the connection asks for it.
   */
  kept(of: "job" | "connection"): KeptValues
  /** A token of the broker's own for `audience`, about this identity and grant; `now()` is when it is issued. */
  identityToken(audience: string, options?: IdentityTokenOptions): Promise<Secret<string>>
}

export interface KnownLogin<Value> {
  readonly value: Value
  /** It was made before, so that the other side may have ended it since. */
  readonly kept: boolean
  forget(): void
}

export interface IdentityTokenOptions {
  /** Claims to add; none can replace a fact about the job. */
  readonly claims?: Claims
  /** Its lifetime; five minutes, which is also the most, when left out. */
  readonly ttlSeconds?: number
}

/**
 * A mint that failed after something was minted, and that could not be taken back at once: nobody has it, and it lives. Its
 * handle goes onto the lease's account, and the broker tries again.
 */
export class LeftAliveError extends BrokerError {
  readonly left: LeftAlive

  constructor(failure: BrokerError, left: LeftAlive) {
    super(failure.code, failure.detail, { cause: failure })
    this.left = left
  }
}

export interface LeftAlive {
  /** What `revoke` needs. */
  readonly handle: Secret<string>
  /** When it ends by itself; null when nobody knows. */
  readonly expiresAt: Date | null
}

/** By how much another side's clock may be ahead of ours before what it gives counts as living longer than was granted, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 120

/** Whether something lives for longer than so many seconds from now on, as far as clocks let anybody say. No date at all does. */
export const outlives = (endsAt: Date, now: Date, seconds: number): boolean =>
  !(endsAt.getTime() <= now.getTime() + (seconds + CLOCK_TOLERANCE_SECONDS) * 1000)

export interface MintedValue {
  /** A `Secret` is masked in the job; a plain string is public. */
  readonly value: Secret<string> | string
  readonly env?: string
  /** It arrives as a file, and the variable names its path. */
  readonly file?: FileForm
}

export interface Minted {
  readonly values: Readonly<Record<string, MintedValue>>
  /** When it ends by itself; null when it does not. */
  readonly expiresAt: Date | null
  /** Said honestly: most cloud tokens only expire. */
  readonly revocation: Revocation
  /** Whether values came from the broker's memory, where the connection keeps any: the audit record says so. */
  readonly cache?: CacheUse
  /** What `revoke` needs; sealed before it is stored. Present exactly when `revocation` is `revocable`. */
  readonly handle?: Secret<string>
}

/**
 * Mints one kind of credential, or reads what a store keeps. A provider knows nothing of HTTP routes, policies or storage.
 *
 * A mint that fails takes back what it minted; what it cannot, it throws as `LeftAliveError`.
 *
 * `mint` and `revoke` throw `BrokerError` with one of the `provider_*` codes; what reads a store also `secret_not_found` and
 * `secret_unusable`; `configuration_invalid` where a secret of the connection's own is not to be had, and `internal` for a
 * fault of ours. Its detail names the connection and what to change, and never carries what the other side wrote.
 */
export interface Provider<Connection = unknown, Grant = unknown> {
  readonly name: string
  /** What it gives, in one phrase for the table of providers. */
  readonly summary: string
  /** How that ends, in one phrase for the same table. */
  readonly ends: string
  /** What the organisation file may say of a connection, besides `provider`, `require_bound_token` and `max_ttl`. */
  readonly connection: z.ZodType<Connection>
  /** What a policy may say of a grant, besides `connection` and `ttl`. */
  readonly grant: z.ZodType<Grant>
  /** What a grant and its connection cannot say together; null when they agree. Checked at load, before any call. */
  check?(grant: Grant, connection: Connection): string | null
  /**
   * Why no grant of a connection is ever inside a boundary's pattern for a field; null when one may be. The end of a
   * sentence, for patterns that look right and match nothing. `field` is a key of grants; the pattern may be deeper in it.
   */
  checkCeiling?(field: string, pattern: string, connection: Connection): string | null
  /**
   * Why a grant whose gaps a job's claims filled cannot be that job's; null when it can. The end of a sentence. For what
   * the claims do not say that go in, such as whose repository it is that has a name.
   */
  checkFilled?(connection: Connection, job: Pick<Identity, "ownerId">): string | null
  /**
   * Present when grants name files of secrets that lie in the policy folder. They are checked when it loads, count for its
   * version, and go with the grants that name them, still encrypted, wherever policies go: to nobody else.
   */
  readonly files?: ProviderFiles<Connection, Grant>
  /** The audiences that it has the broker sign tokens for, so that no other connection gets past its limits with them. */
  audiences?(connection: Connection): ConnectionAudiences
  readonly minTtlSeconds: number
  readonly maxTtlSeconds: number
  /**
   * A grant as boundaries see it, where that is not the grant itself: what a field says beside the thing that it reaches is
   * left out. Given what the schema made of a grant, and a grant as it was written.
   */
  underCeiling?(grant: unknown): unknown
  /** What the audit trail says was reached: a role's ARN, an audience. Never a secret. */
  resource(grant: Grant): string
  mint(request: MintRequest<Connection, Grant>, io: ProviderIo): Promise<Minted>
  /** Takes a credential back. Succeeds when it is already gone. */
  revoke?(handle: Secret<string>, request: RevokeRequest<Connection>, io: ProviderIo): Promise<void>
}

/** Providers by name. */
export type ProviderTable = ReadonlyMap<string, Provider>
