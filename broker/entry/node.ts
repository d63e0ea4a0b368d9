import { createMemoryMetrics } from "../adapters/memory/metrics.ts"
import { systemClock } from "../adapters/memory/system-clock.ts"
import { nodeCryptography as cryptography } from "../adapters/node/cryptography.ts"
import { developmentKey } from "../adapters/node/development-key.ts"
import { createFolderSink } from "../adapters/node/export-folder.ts"
import { createNodeHttp } from "../adapters/node/http.ts"
import { createLineLog } from "../adapters/node/line-log.ts"
import { openPolicyFolder } from "../adapters/node/policy-folder.ts"
import { sha256 } from "../adapters/node/sha256.ts"
import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import { createApp } from "../http/app.ts"
import { createExchangeRoute } from "../http/exchange-route.ts"
import { keepOwnKeys } from "../operate/keys.ts"
import type { Log } from "../ports/log.ts"
import { PROVIDERS } from "../providers/index.ts"
import { createClockWatch } from "./clock-watch.ts"
import { createFollowing } from "./following.ts"
import { createBroker, USER_AGENT } from "./instance.ts"
import { startFollowing } from "./node-follower.ts"
import { startKeepingKeys } from "./node-key-keeper.ts"
import { isClientGone, startListening } from "./node-listener.ts"
import { type NodeOptions, readNodeOptions, refuseToStart } from "./node-options.ts"
import { openStore, type StorePlace } from "./node-store.ts"
import { startSweeping } from "./node-sweeper.ts"
import { createOverdueWatch, overdueGauges } from "./overdue-watch.ts"
import { createPolicyPeers } from "./policy-peers.ts"

/**
 * Starts the broker with these arguments and the settings of the environment, and resolves when it serves. It ends the process:
 * with 0 after SIGTERM or SIGINT, with 1 or 2 when it cannot start.
 */
export async function serve(args: readonly string[]): Promise<void> {
  const options = readNodeOptions(args)
  // The reader of the log may end before the broker, or its disk may be full. A running exchange must not fail because of
  // that: the audit trail does not depend on the log. The command line, which may have started this, would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error").on("error", () => {})
  const { log, flush } = createLineLog((text) => void process.stdout.write(text))
  process.on("exit", flush)
  try {
    await start(options, log)
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown"
    refuseToStart([error instanceof BrokerError ? error.detail : `The broker does not start: ${why}`], 1)
  }
}

/** Wires the broker, and serves. Each part is stopped in the order in which others stop needing it. */
async function start({ settings, place, policies, port, host }: NodeOptions, log: Log): Promise<void> {
  const store = await openStore(place, settings.deployment, log)
  const policySource = await openPolicyFolder(policies, PROVIDERS, {
    log,
    maxStaleSeconds: settings.maxStaleSeconds,
    onReload: (outcome) => {
      if (outcome.ok) store.notices?.tell(outcome.value.version)
    },
  })
  const policyPeers = createPolicyPeers(policySource, systemClock, log)
  const clockWatch = createClockWatch(systemClock, await store.latestTime(), log)
  const overdueWatch = createOverdueWatch(store, systemClock, log)
  const metrics = createMemoryMetrics()
  const { documents, operate } = store
  const exchanging = await createBroker(settings, settings.kek ?? ownKey(place), {
    ...{ cryptography, policySource, documents, log, metrics },
    ledgers: store.ledgers,
    keyRing: store.keyRing,
    marks: store.marks,
    // Only in a database can other brokers change them.
    isOnlyWriter: place.kind === "folder",
    createHttp: createNodeHttp,
    health: [policyPeers, store.health, clockWatch, overdueWatch, operate.health],
  })
  const { broker, work, totals, ...followed } = createFollowing({
    ...{ broker: exchanging, documents, store: operate, sha256 },
    httpTo: (reach) => createNodeHttp({ userAgent: USER_AGENT, reach }),
    sinkOf: (target) => (target.kind === "folder" ? createFolderSink(target.path) : null),
    sweepSoon: () => sweeper.soon(),
  })
  // The keys are loaded before the first request, so that no job waits for them and a wrong key is found at the start.
  await broker.signer.publicKeys()
  const keys = { ...settings, keyRing: store.keyRing, documents }
  const keeper = await startKeepingKeys(() => keepOwnKeys(broker, keys), log)
  const sweeper = startSweeping(store, broker, clockWatch, overdueWatch)
  const operateApp = async () =>
    (await import("./operate-app.ts")).createOperateApp(
      {
        ...{ broker, keys, documents, ...followed, totals },
        directory: operate.directory,
        index: operate.index,
        sweepSoon: () => sweeper.soon(),
        counts: async () => metrics.read(),
        gauges: [overdueGauges(store, systemClock)],
      },
      settings,
    )
  const app = createApp({
    broker,
    clientAddress: (context) => context.env?.incoming?.socket?.remoteAddress ?? null,
    isGone: isClientGone,
    // Loaded for the first operator: the pages and the analysis of policies would be a third of what a broker loads to start.
    operate: operateApp,
  })
  const follower = startFollowing(operate, work, broker)
  const listener = await startListening(app, createExchangeRoute(broker), { port, hostname: host })
  store.notices?.start(policySource.status().version ?? "", policyPeers)
  log({ event: "broker.started", detail: `${settings.url} on ${host}:${listener.port}` })

  let stopping = false
  const stop = async () => {
    // A second signal stops immediately.
    if (stopping) process.exit(1)
    stopping = true
    log({ event: "broker.stopping", detail: "no new requests; running requests finish" })
    await listener.stop()
    await sweeper.stop()
    await keeper.stop()
    await follower.stop()
    policySource.close()
    await store.close()
    process.exit(0)
  }
  process.on("SIGTERM", stop)
  process.on("SIGINT", stop)
}

/** The key of a broker that only this machine can reach. */
function ownKey(place: StorePlace): Secret<Uint8Array> {
  const folder = place.kind === "folder" ? place.folder : ""
  const key = developmentKey(folder)
  process.stderr.write(
    `Warning: DAYPASS_KEK is not set. Using a development key in ${folder}: anyone who can read that folder can sign as this broker. Use it only on this machine.\n`,
  )
  return key
}
