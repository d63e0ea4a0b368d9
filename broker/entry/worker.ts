import { compiledPolicies } from "daypass:policies"
import type { ExecutionContext } from "@cloudflare/workers-types"
import type { Guards } from "../adapters/cloudflare/guards.ts"
import { KeyRingObject } from "../adapters/cloudflare/key-ring-object.ts"
import { createKvPolicySource, type KvPolicySource, type KvReader } from "../adapters/cloudflare/kv-policy-source.ts"
import { LedgerObject } from "../adapters/cloudflare/ledger-object.ts"
import {
  createCloudflareGuards,
  createCloudflareKeyRing,
  createCloudflareLedgers,
  createCloudflareMarks,
  type KeyRingMethods,
  type LedgerMethods,
  type Namespace,
} from "../adapters/cloudflare/ledgers.ts"
import { consoleLog as log } from "../adapters/cloudflare/log.ts"
import { createMemoryPolicySource } from "../adapters/memory/policy-source.ts"
import { systemClock } from "../adapters/memory/system-clock.ts"
import { webCryptography as cryptography } from "../adapters/web/cryptography.ts"
import { createHttp } from "../adapters/web/http.ts"
import { type Config, readConfig } from "../config/config.ts"
import { BrokerError } from "../core/errors.ts"
import { revived } from "../core/policy/compiled.ts"
import type { Broker } from "../exchange/broker.ts"
import { forOneCall } from "../exchange/one-call.ts"
import { type SweepTarget, sweep } from "../exchange/sweep.ts"
import { createApp } from "../http/app.ts"
import { problemResponse } from "../http/problem.ts"
import type { PolicySource } from "../ports/policy-source.ts"
import { PROVIDERS } from "../providers/index.ts"
import { isExampleHost } from "./example-host.ts"
import { createBroker } from "./instance.ts"

/** The bindings of `wrangler.toml`, and the settings that `config/config.ts` reads. */
interface Env extends Record<string, unknown> {
  readonly LEDGER: Namespace<LedgerMethods>
  readonly KEY_RING: Namespace<KeyRingMethods>
  readonly POLICIES?: KvReader
}

/** The platform's limit of simultaneous connections for one request. */
const CONNECTIONS_AT_ONCE = 6

// Holds values, never a promise: one request must not await the I/O of another.
let builtBroker: Broker | undefined
let builtApp: ReturnType<typeof createApp> | undefined

/** The broker of this isolate. It is built at its first use, because nothing may happen at import. */
async function brokerOf(env: Env): Promise<Broker> {
  if (builtBroker) return builtBroker
  const config = readConfig(env)
  if (!config.ok) throw misconfigured(config.fault.map(({ setting, message }) => `${setting}: ${message}`))
  if (isExampleHost(new URL(config.value.url).hostname)) {
    throw misconfigured(["DAYPASS_URL: it is still the example. Set the broker's own URL in wrangler.toml"])
  }
  // At the edge there is no folder for a development key.
  if (!config.value.kek) throw misconfigured(["DAYPASS_KEK: set it with `wrangler secret put DAYPASS_KEK`"])
  const policySource = policySourceOf(env, config.value)
  builtBroker = await createBroker(config.value, config.value.kek, {
    cryptography,
    policySource,
    ledgers: createCloudflareLedgers(env.LEDGER),
    keyRing: createCloudflareKeyRing(env.KEY_RING),
    marks: createCloudflareMarks(env.KEY_RING),
    log,
    createHttp,
    callsAtOnce: CONNECTIONS_AT_ONCE,
    health: "health" in policySource ? [policySource.health] : [],
  }).catch((error: unknown) => {
    const isSetting = error instanceof BrokerError && error.code === "configuration_invalid"
    throw isSetting ? misconfigured([error.detail]) : error
  })
  return builtBroker
}

/**
 * Policies from Workers KV if a namespace is bound, and otherwise from the bundle. A failure of KV never falls back to the
 * bundle: its policies may be years old, or the examples.
 */
function policySourceOf(env: Env, { onlyPublishedPolicies, policyPublishers }: Config): PolicySource | KvPolicySource {
  if (!("POLICIES" in env)) {
    const needs = onlyPublishedPolicies ? "DAYPASS_POLICIES is kv" : "DAYPASS_POLICY_PUBLISHER is set"
    if (onlyPublishedPolicies || policyPublishers.length > 0) {
      throw misconfigured([`POLICIES: bind the KV namespace to this name, because ${needs}`])
    }
    if (compiledPolicies === null) {
      throw misconfigured([
        "POLICIES: the bundle has no policies. Deploy with a folder policies/, or bind the KV namespace",
      ])
    }
    return createMemoryPolicySource(revived(compiledPolicies, PROVIDERS), new Date())
  }
  if (typeof env.POLICIES?.get !== "function") throw misconfigured(["POLICIES: bind a KV namespace to this name"])
  return createKvPolicySource(env.POLICIES, {
    clock: systemClock,
    providers: PROVIDERS,
    floor: createCloudflareGuards(env.KEY_RING),
    publishers: policyPublishers,
    log,
  })
}

/** The caller only learns that the broker is not configured. All faults go to the operator's log. */
function misconfigured(faults: readonly string[]): BrokerError {
  log({ event: "settings.invalid", detail: faults.join("; ") })
  return new BrokerError(
    "configuration_invalid",
    "The broker's configuration is invalid. Its operator finds the reason in the broker's log.",
  )
}

/** One repository's ledger; see `wrangler.toml`. */
export class Ledger extends LedgerObject<Env> {
  protected override meet(name: string, birth: string): ReturnType<Guards["meetLedger"]> {
    return createCloudflareGuards(this.env.KEY_RING).meetLedger(name, birth)
  }

  protected override async sweep(ledger: SweepTarget["ledger"], key: Omit<SweepTarget, "ledger">): Promise<void> {
    await sweep({ ledger, ...key }, forOneCall(await brokerOf(this.env)))
  }
}

/** The deployment's signing keys; see `wrangler.toml`. */
export class KeyRing extends KeyRingObject<Env> {}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    try {
      const broker = await brokerOf(env)
      builtApp ??= createApp({
        broker,
        host: new URL(broker.url).host,
        // Needs the flag `enable_request_signal`: without it, the signal never fires.
        isGone: ({ req }) => req.raw.signal.aborted,
        // The platform sets this header, and drops a header of this name from the client.
        clientAddress: ({ req }) => req.header("cf-connecting-ip") ?? null,
      })
      const answering = Promise.resolve(builtApp.fetch(request, env))
      // A job that disconnects must not interrupt an exchange: minted credentials must be recorded or revoked.
      context.waitUntil(answering)
      return await answering
    } catch (error) {
      return problemResponse(error, crypto.randomUUID())
    }
  },
}
