import type { ExecutionContext } from "@cloudflare/workers-types"
import { type CountsHandover, createCountsHandover } from "../adapters/cloudflare/counts.ts"
import { countAt, DIRECTORY_NAME } from "../adapters/cloudflare/directory.ts"
import { DirectoryObject } from "../adapters/cloudflare/directory-object.ts"
import type { Guards } from "../adapters/cloudflare/guards.ts"
import { KeyRingObject } from "../adapters/cloudflare/key-ring-object.ts"
import { LedgerObject } from "../adapters/cloudflare/ledger-object.ts"
import {
  createCloudflareDocuments,
  createCloudflareKeyRing,
  createCloudflareLedgers,
  createCloudflareMarks,
} from "../adapters/cloudflare/ledgers.ts"
import { consoleLog as log } from "../adapters/cloudflare/log.ts"
import { ask } from "../adapters/cloudflare/rpc.ts"
import { digest } from "../adapters/cloudflare/sha256.ts"
import { createMemoryMetrics } from "../adapters/memory/metrics.ts"
import { webCryptography } from "../adapters/web/cryptography.ts"
import { createHttp } from "../adapters/web/http.ts"
import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import { forOneCall } from "../exchange/one-call.ts"
import { type SweepTarget, sweepOnce } from "../exchange/sweep.ts"
import { asResponse } from "../http/answer.ts"
import { createApp } from "../http/app.ts"
import { type Client, createExchangeRoute, EXCHANGE_PATH, type ExchangeRoute } from "../http/exchange-route.ts"
import { incomingOf } from "../http/incoming.ts"
import { problemResponse } from "../http/problem.ts"
import type { Cryptography } from "../ports/cryptography.ts"
import type { LedgerHead } from "../ports/directory.ts"
import type { Documents } from "../ports/documents.ts"
import type { KeyRing as KeyRingPort } from "../ports/key-ring.ts"
import type { Sql } from "../ports/sql.ts"
import { type EdgeDeployment, type Env, edgeDeploymentOf, misconfigured } from "./edge-deployment.ts"
import { policySourceOf } from "./edge-policies.ts"
import { createBroker } from "./instance.ts"

/** The platform's limit of simultaneous connections for one request. */
const CONNECTIONS_AT_ONCE = 6

const cryptography: Cryptography = { ...webCryptography, digest }

/**
 * How many leases one alarm ends, before the next alarm goes on. Measured: 0.35 s of processor time where they must be revoked,
 * of the 2 s that `wrangler.toml` allows.
 */
const LEASES_PER_ALARM = 250

/** Of this isolate. Only a few numbers in memory. */
const metrics = createMemoryMetrics()

// Holds values, never a promise: one request must not await the I/O of another.
let builtBroker: Broker | undefined
let builtApp: ReturnType<typeof createApp> | undefined
let builtExchange: ExchangeRoute | undefined
let builtHandover: CountsHandover | undefined

/** The broker of this isolate. It is built at its first use, because nothing may happen at import. */
async function brokerOf(env: Env): Promise<Broker> {
  if (builtBroker) return builtBroker
  const deployment = await edgeDeploymentOf(env)
  const { config, kek, ledgers, keyRing } = deployment
  const policySource = policySourceOf(env, deployment)
  builtBroker = await createBroker(config, kek, {
    cryptography,
    policySource,
    ledgers: createCloudflareLedgers(ledgers),
    keyRing: createCloudflareKeyRing(keyRing),
    marks: createCloudflareMarks(keyRing),
    documents: createCloudflareDocuments(keyRing),
    log,
    metrics,
    createHttp,
    callsAtOnce: CONNECTIONS_AT_ONCE,
    health: "health" in policySource ? [policySource.health] : [],
  }).catch((error: unknown) => {
    const isSetting = error instanceof BrokerError && error.code === "configuration_invalid"
    throw isSetting ? misconfigured([error.detail]) : error
  })
  return builtBroker
}

/** One repository's ledger; see `wrangler.toml`. */
export class Ledger extends LedgerObject<Env> {
  protected override async meet(name: string, birth: string): ReturnType<Guards["meetLedger"]> {
    const { guards } = await edgeDeploymentOf(this.env)
    return await guards.meetLedger(name, birth)
  }

  protected override async tell(heads: readonly LedgerHead[]): Promise<void> {
    const { directory } = await edgeDeploymentOf(this.env)
    if (directory) await ask(() => directory.getByName(DIRECTORY_NAME).report(heads))
  }

  protected override async sweep(ledger: SweepTarget["ledger"], key: Omit<SweepTarget, "ledger">): Promise<boolean> {
    const broker = forOneCall(await brokerOf(this.env))
    return (await sweepOnce({ ledger, ...key }, broker, LEASES_PER_ALARM)).isWritten
  }
}

/** The deployment's signing keys; see `wrangler.toml`. */
export class KeyRing extends KeyRingObject<Env> {
  protected override async keep(keyRing: KeyRingPort, documents: Documents): Promise<void> {
    const broker = await brokerOf(this.env)
    const { config } = await edgeDeploymentOf(this.env)
    await (await loadOperate()).keepOwnKeys(broker, { ...config, keyRing, documents })
  }
}

/** Which ledgers there are, and the index of their records; see `wrangler.toml`. */
export class Directory extends DirectoryObject<Env> {
  protected override async open(sql: Sql) {
    const { keyRing } = await edgeDeploymentOf(this.env)
    const documents = createCloudflareDocuments(keyRing)
    return (await loadOperate()).createDirectoryWork(sql, {
      broker: await brokerOf(this.env),
      documents,
      env: this.env,
    })
  }
}

/** A module of its own: isolates that serve jobs never load it. Requests of operators do, and objects that work for them. */
const loadOperate = () => import("./operate.ts")

/** The exchange passes by the app's router, which would set the answer's headers one by one: a twentieth of its time. */
async function answer(request: Request, broker: Broker, deployment: EdgeDeployment): Promise<Response> {
  if (request.method === "POST" && request.url === broker.url + EXCHANGE_PATH) {
    builtExchange ??= createExchangeRoute(broker)
    return asResponse(await builtExchange(incomingOf(request), clientOf(request)))
  }
  builtApp ??= createApp({
    broker,
    host: new URL(broker.url).host,
    isGone: ({ req }) => clientOf(req.raw).isGone(),
    clientAddress: ({ req }) => clientOf(req.raw).clientAddress,
    operate: async () =>
      (await loadOperate()).createEdgeOperateApp(broker, deployment, {
        read: () => metrics.read(),
        handover: handoverTo(deployment.directory),
      }),
  })
  return await builtApp.fetch(request)
}

/** Undefined without a directory: then only this isolate's counts are known. */
function handoverTo(directory: EdgeDeployment["directory"]): CountsHandover | undefined {
  if (directory) builtHandover ??= createCountsHandover(metrics, (counts) => countAt(directory, counts))
  return builtHandover
}

const clientOf = ({ signal, headers }: Request): Client => ({
  // Needs the flag `enable_request_signal`: without it, the signal never fires.
  isGone: () => signal.aborted,
  // The platform sets this header, and drops a header of this name from the client.
  clientAddress: headers.get("cf-connecting-ip"),
})

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    try {
      const deployment = await edgeDeploymentOf(env)
      if (deployment.misplaced !== null) throw misconfigured([deployment.misplaced])
      const broker = await brokerOf(env)
      const answering = answer(request, broker, deployment)
      // A job that disconnects must not interrupt an exchange: minted credentials must be recorded or revoked.
      context.waitUntil(answering.finally(() => handoverTo(deployment.directory)?.soon()))
      return await answering
    } catch (error) {
      return problemResponse(error, crypto.randomUUID())
    }
  },
}
