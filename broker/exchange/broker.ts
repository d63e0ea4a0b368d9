import type { SubjectTokenVerifier } from "../issuers/verify.ts"
import type { Clock } from "../ports/clock.ts"
import type { ConnectionSecrets } from "../ports/connection-secrets.ts"
import type { Cryptography } from "../ports/cryptography.ts"
import type { Environments } from "../ports/environments.ts"
import type { HealthCheck } from "../ports/health.ts"
import type { Http } from "../ports/http.ts"
import type { KeptValues } from "../ports/kept-values.ts"
import type { KnownIssuers } from "../ports/known-issuers.ts"
import type { Ledgers } from "../ports/ledger.ts"
import type { Log } from "../ports/log.ts"
import type { Logins } from "../ports/logins.ts"
import type { Metrics } from "../ports/metrics.ts"
import type { PolicySource } from "../ports/policy-source.ts"
import type { ProviderTable } from "../providers/provider.ts"
import type { Sealer } from "../signing/sealer.ts"
import type { Signer } from "../signing/signer.ts"
import type { OneCall } from "./limit.ts"
import type { OwedRecords } from "./owed.ts"
import type { Stops } from "./stops.ts"
import type { VendorPace } from "./vendor-pace.ts"

/** Everything that an exchange needs. `entry/` builds it once for each instance. */
export interface Broker {
  /** The broker's own URL without a trailing slash: the `iss` of its identity tokens. */
  readonly url: string
  readonly policySource: PolicySource
  readonly environments: Environments
  readonly cryptography: Cryptography
  readonly verifier: SubjectTokenVerifier
  readonly ledgers: Ledgers
  readonly stops: Stops
  readonly providers: ProviderTable
  readonly signer: Signer
  readonly sealer: Sealer
  readonly connectionSecrets: ConnectionSecrets
  readonly logins: Logins
  readonly keptValues: KeptValues
  readonly knownIssuers: KnownIssuers
  readonly owed: OwedRecords
  readonly pace: VendorPace
  readonly http: Http
  /** How many connections the runtime opens for one call; left out where it has no limit. */
  readonly callsAtOnce?: number
  /** What the grants of the current call share; see `forOneCall`. */
  readonly oneCall?: OneCall
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** What `/healthz` looks at, besides the policies. */
  readonly health: readonly HealthCheck[]
}
