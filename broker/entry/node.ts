import "./node-version.js"
import { parseArgs } from "node:util"
import { createMemoryMetrics } from "../adapters/memory/metrics.ts"
import { systemClock } from "../adapters/memory/system-clock.ts"
import { nodeCryptography as cryptography } from "../adapters/node/cryptography.ts"
import { developmentKey } from "../adapters/node/development-key.ts"
import { createFolderSink } from "../adapters/node/export-folder.ts"
import { createNodeHttp } from "../adapters/node/http.ts"
import { createLineLog } from "../adapters/node/line-log.ts"
import { openPolicyFolder } from "../adapters/node/policy-folder.ts"
import { sha256 } from "../adapters/node/sha256.ts"
import { isLocal, isLocalAddress, readConfig } from "../config/config.ts"
import { BrokerError } from "../core/errors.ts"
import { createApp } from "../http/app.ts"
import { createExchangeRoute } from "../http/exchange-route.ts"
import { PROVIDERS } from "../providers/index.ts"
import { keepCheckpoints } from "./checkpoints.ts"
import { createClockWatch } from "./clock-watch.ts"
import { createBroker, USER_AGENT } from "./instance.ts"
import { startFollowing } from "./node-follower.ts"
import { startKeepingKeys } from "./node-key-keeper.ts"
import { isClientGone, startListening } from "./node-listener.ts"
import { openStore, readStorePlace } from "./node-store.ts"
import { startSweeping } from "./node-sweeper.ts"
import { createOperateApp, keepOwnKeys } from "./operate.ts"
import { createOutbound } from "./outbound.ts"
import { createOverdueWatch, overdueGauges } from "./overdue-watch.ts"
import { isPackagedNode, PACKAGED_NODE } from "./packaged-node.ts"
import { createPolicyPeers } from "./policy-peers.ts"
import { readersOf } from "./readers.ts"

const USAGE = `Usage: npm start -- --policies DIR --url URL (--data DIR | --store URL) [--port N] [--host ADDRESS]

  --policies DIR   the folder with daypass.yaml and the policies; changes are loaded while the broker runs
  --url URL        the broker's public URL: https, or http on a loopback host (or DAYPASS_URL)
  --data DIR       the folder for the ledger and the keys (one broker at a time)
  --store URL      instead, a PostgreSQL database for several brokers: postgres://USER@HOST/DATABASE (or DAYPASS_STORE);
                   its password is in PGPASSWORD
  --port N         the port to listen on (8787)
  --host ADDRESS   the address to listen on (127.0.0.1)

Environment: DAYPASS_KEK (32 random bytes in base64), DAYPASS_KEK_PREVIOUS, DAYPASS_ROTATE_EVERY, DAYPASS_AUDIENCE, DAYPASS_DEPLOYMENT, DAYPASS_MAX_STALE; for repositories' own policies
and protected environments DAYPASS_GITHUB_APP_ID, DAYPASS_GITHUB_APP_KEY, DAYPASS_GITHUB_API_URL, DAYPASS_GITHUB_ISSUER,
and for those of GitLab DAYPASS_GITLAB_TOKEN, DAYPASS_GITLAB_ISSUER, DAYPASS_GITLAB_API_URL.
`

/** Prints why the broker does not start, and ends the process. Code 2: wrong options or settings; 1: any other failure. */
function refuseToStart(lines: readonly string[], code: 1 | 2): never {
  process.stderr.write(`${lines.join("\n")}\n`)
  process.exit(code)
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        policies: { type: "string" },
        url: { type: "string" },
        data: { type: "string" },
        store: { type: "string" },
        port: { type: "string", default: "8787" },
        host: { type: "string", default: "127.0.0.1" },
        help: { type: "boolean", short: "h", default: false },
      },
    })
    return values
  } catch (error) {
    return refuseToStart([error instanceof Error ? error.message : "unknown option", "", USAGE], 2)
  }
}

const options = readOptions()
if (options.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const port = /^[0-9]{1,5}$/.test(options.port) ? Number(options.port) : Number.NaN
if (!options.policies) refuseToStart(["--policies is required.", "", USAGE], 2)
const place = readStorePlace({ data: options.data, store: options.store, env: process.env })
if (!place.ok) refuseToStart([place.fault, "", USAGE], 2)
if (!(port <= 65_535)) refuseToStart(["--port must be a number from 0 to 65535.", "", USAGE], 2)

const config = readConfig({ ...process.env, ...(options.url === undefined ? {} : { DAYPASS_URL: options.url }) })
if (!config.ok) {
  refuseToStart(
    ["The broker's settings are invalid:", ...config.fault.map(({ setting, message }) => `  ${setting}: ${message}`)],
    2,
  )
}
const settings = config.value
if (settings.onlyPublishedPolicies || settings.policyPublishers.length > 0 || settings.jurisdiction !== "") {
  refuseToStart(
    [
      "DAYPASS_POLICIES, DAYPASS_POLICY_PUBLISHER, DAYPASS_JURISDICTION: remove them, they are for the edge. On Node, policies come from the folder that --policies names, and its data is where --data or --store says.",
    ],
    2,
  )
}
const onlyHere = isLocal(settings) && isLocalAddress(options.host)
if (!settings.kek && !onlyHere) {
  refuseToStart(
    [
      "DAYPASS_KEK is not set. A broker with a public URL, or one that other machines can reach, needs it. Make a key with: openssl rand -base64 32",
    ],
    2,
  )
}

if (!settings.kek && place.value.kind === "database") {
  refuseToStart(
    ["DAYPASS_KEK is not set. All brokers of a database need the same. Make it with: openssl rand -base64 32"],
    2,
  )
}

if (!onlyHere && isPackagedNode(process.execPath)) refuseToStart([PACKAGED_NODE], 2)

// The reader of the log may end before the broker. A running exchange must not fail because of that: the audit trail does
// not depend on the log.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
const { log, flush } = createLineLog((text) => void process.stdout.write(text))
process.on("exit", flush)

try {
  const store = await openStore(place.value, settings.deployment, log)
  const kek = settings.kek ?? developmentKey(options.data ?? "")
  if (!settings.kek) {
    process.stderr.write(
      `Warning: DAYPASS_KEK is not set. Using a development key in ${options.data}: anyone who can read that folder can sign as this broker. Use it only on this machine.\n`,
    )
  }
  const policySource = await openPolicyFolder(options.policies, PROVIDERS, {
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
  const base = await createBroker(settings, kek, {
    cryptography,
    policySource,
    ledgers: store.ledgers,
    keyRing: store.keyRing,
    marks: store.marks,
    documents: store.documents,
    // Only in a database can other brokers change them.
    isOnlyWriter: place.value.kind === "folder",
    log,
    metrics,
    createHttp: createNodeHttp,
    health: [policyPeers, store.health, clockWatch, overdueWatch, store.operate.health],
  })
  const keeping = keepCheckpoints({
    ...{ broker: base, documents: store.documents, trees: store.operate.trees, sha256 },
  })
  const watched = { ...base, health: [...base.health, keeping.health] }
  const outbound = createOutbound(watched, store.operate.outbound, {
    httpTo: (reach) => createNodeHttp({ userAgent: USER_AGENT, reach }),
    sinkOf: (target) => (target.kind === "folder" ? createFolderSink(target.path) : null),
  })
  const broker = { ...watched, health: [...watched.health, outbound.alerts, outbound.exports] }
  // The keys are loaded before the first request, so that no job waits for them and a wrong key is found at the start.
  await broker.signer.publicKeys()
  const keys = { ...settings, keyRing: store.keyRing, documents: store.documents }
  const keeper = await startKeepingKeys(() => keepOwnKeys(broker, keys), log)
  const sweeper = startSweeping(store, broker, clockWatch, overdueWatch)
  const office = {
    broker,
    documents: store.documents,
    directory: store.operate.directory,
    outbound: outbound.desk,
    index: store.operate.index,
    checkpoints: keeping.checkpoints,
    sweepSoon: () => sweeper.soon(),
  }
  const readers = [...readersOf(store.operate, office, keeping), ...outbound.readers]
  const changing = () => outbound.exports.readers()
  const operate = createOperateApp(
    {
      ...{ ...office, keys },
      counts: async () => metrics.read(),
      totals: async () => store.operate.places.totals([...readers, ...(await changing())].map(({ name }) => name)),
      gauges: [overdueGauges(store, systemClock)],
    },
    settings,
  )
  const app = createApp({
    broker,
    clientAddress: (context) => context.env?.incoming?.socket?.remoteAddress ?? null,
    isGone: isClientGone,
    operate: async () => operate,
  })
  const follower = startFollowing(store.operate, { readers, changing }, broker)
  const listener = await startListening(app, createExchangeRoute(broker), { port, hostname: options.host })
  store.notices?.start(policySource.status().version ?? "", policyPeers)
  log({ event: "broker.started", detail: `${settings.url} on ${options.host}:${listener.port}` })

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
} catch (error) {
  refuseToStart(
    [
      error instanceof BrokerError
        ? error.detail
        : `The broker does not start: ${error instanceof Error ? error.message : "unknown"}`,
    ],
    1,
  )
}
