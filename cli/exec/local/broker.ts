import { setTimeout as sleep } from "node:timers/promises"
import { environmentsByIssuer } from "../../../broker/adapters/memory/environments.ts"
import { createKeptValues } from "../../../broker/adapters/memory/kept-values.ts"
import { createLogins } from "../../../broker/adapters/memory/logins.ts"
import { createMemoryMetrics } from "../../../broker/adapters/memory/metrics.ts"
import { createMemoryPolicySource } from "../../../broker/adapters/memory/policy-source.ts"
import { systemClock } from "../../../broker/adapters/memory/system-clock.ts"
import { developmentKey } from "../../../broker/adapters/node/development-key.ts"
import { openNodeStore } from "../../../broker/adapters/node/ledgers.ts"
import { isBusy } from "../../../broker/adapters/node/storage-errors.ts"
import { webCryptography as cryptography } from "../../../broker/adapters/web/cryptography.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import type { Secret } from "../../../broker/core/secret.ts"
import type { Broker } from "../../../broker/exchange/broker.ts"
import { createOwedRecords } from "../../../broker/exchange/owed.ts"
import { createStops } from "../../../broker/exchange/stops.ts"
import { sweepOnce } from "../../../broker/exchange/sweep.ts"
import { createVendorPace } from "../../../broker/exchange/vendor-pace.ts"
import { createApp } from "../../../broker/http/app.ts"
import { createVerifier } from "../../../broker/issuers/verify.ts"
import { HttpError } from "../../../broker/ports/http.ts"
import type { Log } from "../../../broker/ports/log.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import type { ProviderTable } from "../../../broker/providers/provider.ts"
import { sops, withAgeKeys } from "../../../broker/providers/sops/provider.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"

/** Files are opened with the person's own age keys alone, because the keys of a connection are the broker's. */
const OFFLINE: ProviderTable = new Map([...PROVIDERS, [sops.name, withAgeKeys(sops)]])

export interface LocalBrokerOptions {
  /** The policies in force. The keys of its issuers are those whose tokens are taken. */
  readonly set: PolicySet
  /** The text of the person's age keys: the secret of every connection, whatever it is named. */
  readonly ageKeys: Secret<string>
  /** The broker's own URL and audience. */
  readonly url: string
  /** The folder of the record. */
  readonly folder: string
  readonly log: Log
}

/** The app of a broker, as the network would reach it. */
export type Door = (request: Request) => Promise<Response>

/**
 * Opens a broker in this process for one call: the same app, exchange and ledger as everywhere. It has no way to the network.
 *
 * The record is locked only for the call, because a person runs several commands at the same time.
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function withLocalBroker<Value>(
  options: LocalBrokerOptions,
  act: (door: Door) => Promise<Value>,
): Promise<Value> {
  const store = await openStore(options)
  try {
    const broker = await brokerOver(store, options)
    await endDue(store, broker)
    const app = createApp({ broker, clientAddress: () => null, isGone: () => false })
    return await act(async (request) => app.fetch(request))
  } finally {
    await store.close()
  }
}

const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 25

async function openStore({ folder, log }: LocalBrokerOptions): Promise<NodeStore> {
  const until = performance.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      return openNodeStore(folder, { log })
    } catch (error) {
      const isLocked = error instanceof BrokerError && isBusy(error.cause)
      if (!isLocked || performance.now() > until) throw error
      await sleep(LOCK_RETRY_MS)
    }
  }
}

async function brokerOver(store: NodeStore, { set, ageKeys, url, folder, log }: LocalBrokerOptions): Promise<Broker> {
  const clock = systemClock
  const sealer = await createSealer(developmentKey(folder), url, cryptography)
  return {
    url,
    policySource: createMemoryPolicySource(set, clock.now()),
    environments: environmentsByIssuer(new Map(), () => "A person's own machine asks no host."),
    cryptography,
    verifier: createVerifier({ audience: url, http: noNetwork, clock, cryptography }),
    ledgers: store.ledgers,
    stops: createStops(store.documents, clock),
    providers: OFFLINE,
    signer: createSigner({ keyRing: store.keyRing, sealer, clock, cryptography }),
    sealer,
    connectionSecrets: { named: async () => ageKeys },
    logins: createLogins(clock),
    keptValues: createKeptValues(clock),
    // The keys of its issuers end with this process.
    knownIssuers: { remember: async () => {}, recall: async () => null },
    owed: createOwedRecords(store.ledgers, log),
    pace: createVendorPace(clock, log),
    http: noNetwork,
    clock,
    log,
    metrics: createMemoryMetrics(),
    health: [],
  }
}

const noNetwork = async (): Promise<never> => {
  throw new HttpError("unreachable")
}

const MOST_LEDGERS = 100
const MOST_LEASES = 50

/** Closes the leases of commands that were killed. There is no broker that would do it later. */
async function endDue(store: NodeStore, broker: Broker): Promise<void> {
  for (const due of await store.due(broker.clock.now().getTime(), MOST_LEDGERS)) {
    await sweepOnce(due, broker, MOST_LEASES)
  }
}
