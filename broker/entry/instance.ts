import { createKeptValues } from "../adapters/memory/kept-values.ts"
import { createLogins } from "../adapters/memory/logins.ts"
import { systemClock } from "../adapters/memory/system-clock.ts"
import type { HttpOptions } from "../adapters/web/http.ts"
import type { Config } from "../config/config.ts"
import type { Secret } from "../core/secret.ts"
import type { Broker } from "../exchange/broker.ts"
import { createKnownIssuers } from "../exchange/known-issuers.ts"
import { createOwedRecords } from "../exchange/owed.ts"
import { createStops } from "../exchange/stops.ts"
import { createVendorPace } from "../exchange/vendor-pace.ts"
import { createVerifier } from "../issuers/verify.ts"
import type { Cryptography } from "../ports/cryptography.ts"
import type { Documents } from "../ports/documents.ts"
import type { HealthCheck } from "../ports/health.ts"
import type { Http } from "../ports/http.ts"
import type { KeyRing } from "../ports/key-ring.ts"
import type { Ledgers } from "../ports/ledger.ts"
import type { Log } from "../ports/log.ts"
import type { Marks } from "../ports/marks.ts"
import type { Metrics } from "../ports/metrics.ts"
import type { PolicySource } from "../ports/policy-source.ts"
import { PROVIDERS } from "../providers/index.ts"
import { createConnectionSecrets } from "../signing/connection-secrets.ts"
import { createKeyHealth } from "../signing/key-health.ts"
import { createSealer } from "../signing/sealer.ts"
import { createSigner } from "../signing/signer.ts"
import { hostsOfEnvironments } from "./environments.ts"
import { withGitHub } from "./github.ts"

/** The ports that differ between the runtimes. */
export interface RuntimePorts {
  readonly cryptography: Cryptography
  readonly policySource: PolicySource
  readonly ledgers: Ledgers
  readonly keyRing: KeyRing
  readonly marks: Marks
  readonly documents: Documents
  /** Whether only this process changes the documents. */
  readonly isOnlyWriter?: boolean
  readonly log: Log
  readonly metrics: Metrics
  readonly health: readonly HealthCheck[]
  createHttp(options: HttpOptions): Http
  /** How many connections the runtime opens for one request; left out where it has no limit. */
  readonly callsAtOnce?: number
}

/** Of all that the broker asks and tells. */
export const USER_AGENT = "daypass-broker/0.1 (+https://github.com/daypass/daypass)"

/** Builds a broker from its settings and the runtime's ports. The same on every runtime. */
export async function createBroker(config: Config, kek: Secret<Uint8Array>, ports: RuntimePorts): Promise<Broker> {
  const clock = systemClock
  const http = ports.createHttp({ userAgent: USER_AGENT })
  const { cryptography, log } = ports
  const sealer = await createSealer(kek, config.deployment, cryptography, config.previousKek)
  const base = { policySource: ports.policySource, providers: PROVIDERS, sealer, http, clock, log }
  const { policySource, environments } = await withGitHub(config, base)
  return {
    ...base,
    policySource,
    environments: await hostsOfEnvironments(config, environments, base),
    ...(ports.callsAtOnce === undefined ? {} : { callsAtOnce: ports.callsAtOnce }),
    url: config.url,
    cryptography,
    verifier: createVerifier({ audience: config.audience, http, clock, cryptography }),
    ledgers: ports.ledgers,
    metrics: ports.metrics,
    stops: createStops(ports.documents, clock, ports.isOnlyWriter),
    health: [createKeyHealth({ ...base, keyRing: ports.keyRing }), ...ports.health],
    connectionSecrets: createConnectionSecrets(config.connectionSecret, sealer),
    logins: createLogins(clock),
    keptValues: createKeptValues(clock),
    knownIssuers: createKnownIssuers(ports.marks),
    owed: createOwedRecords(ports.ledgers, ports.log),
    pace: createVendorPace(clock, ports.log),
    signer: createSigner({ keyRing: ports.keyRing, sealer, clock, cryptography }),
  }
}
