import type { DirectoryMethods } from "../adapters/cloudflare/directory.ts"
import type { Guards } from "../adapters/cloudflare/guards.ts"
import type { KvReader } from "../adapters/cloudflare/kv-policy-source.ts"
import {
  createCloudflareGuards,
  type KeyRingMethods,
  type LedgerMethods,
  type Namespace,
  objectsIn,
} from "../adapters/cloudflare/ledgers.ts"
import { consoleLog as log } from "../adapters/cloudflare/log.ts"
import { type Config, readConfig } from "../config/config.ts"
import { isExampleHost } from "../config/example-host.ts"
import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"

/** The bindings of `wrangler.toml`, and the settings that `config/config.ts` reads. */
export interface Env extends Record<string, unknown> {
  readonly LEDGER: Namespace<LedgerMethods>
  readonly KEY_RING: Namespace<KeyRingMethods>
  /** Left out by a deployment of an earlier version's settings: it then has no directory, and all else works. */
  readonly DIRECTORY?: Namespace<DirectoryMethods>
  readonly POLICIES?: KvReader
}

/** What this Worker was deployed with, and its objects: all in the jurisdiction that its first deployment fixed. */
export interface EdgeDeployment {
  readonly config: Config
  readonly kek: Secret<Uint8Array>
  readonly ledgers: Namespace<LedgerMethods>
  readonly keyRing: Namespace<KeyRingMethods>
  readonly directory: Namespace<DirectoryMethods> | null
  readonly guards: Guards
  /** The sentence for the operator when `DAYPASS_JURISDICTION` is not the fixed one; null when it is. */
  readonly misplaced: string | null
}

// Holds values, never a promise: one request must not await the I/O of another.
let known: EdgeDeployment | undefined

/**
 * The deployment of this isolate. The first call asks one object which jurisdiction is fixed; later calls ask nothing.
 *
 * With another setting, `ledgers` and `keyRing` are still those of the fixed jurisdiction: what is open there must end. The
 * caller must then give nothing away.
 *
 * @throws {BrokerError} `configuration_invalid`, `ledger_unavailable`
 */
export async function edgeDeploymentOf(env: Env): Promise<EdgeDeployment> {
  if (known) return known
  const { config, kek } = settingsOf(env)
  const wanted = config.jurisdiction
  // Before anything is fixed: a setting that the platform does not take must leave no mark.
  requireJurisdiction(env, wanted)
  const fixed = await createCloudflareGuards(env.KEY_RING).fixJurisdiction(wanted)
  const keyRing = objectsIn(env.KEY_RING, fixed)
  known = {
    config,
    kek,
    ledgers: objectsIn(env.LEDGER, fixed),
    keyRing,
    directory: env.DIRECTORY ? objectsIn(env.DIRECTORY, fixed) : null,
    guards: createCloudflareGuards(keyRing),
    misplaced: fixed === wanted ? null : misplaced(fixed),
  }
  return known
}

function settingsOf(env: Env): Pick<EdgeDeployment, "config" | "kek"> {
  const config = readConfig(env)
  if (!config.ok) throw misconfigured(config.fault.map(({ setting, message }) => `${setting}: ${message}`))
  if (isExampleHost(new URL(config.value.url).hostname)) {
    throw misconfigured(["DAYPASS_URL: it is still the example. Set the broker's own URL in wrangler.toml"])
  }
  // At the edge there is no folder for a development key.
  const { kek } = config.value
  if (!kek) throw misconfigured(["DAYPASS_KEK: set it with `wrangler secret put DAYPASS_KEK`"])
  return { config: config.value, kek }
}

function requireJurisdiction(env: Env, wanted: string): void {
  try {
    objectsIn(env.LEDGER, wanted)
  } catch {
    throw misconfigured([
      `DAYPASS_JURISDICTION: this platform has no jurisdiction ${wanted} for Durable Objects. Leave it out for \`wrangler dev\`, which has none`,
    ])
  }
}

const misplaced = (fixed: string): string =>
  `DAYPASS_JURISDICTION: ${
    fixed === ""
      ? "the objects of this deployment have no jurisdiction. Leave it out"
      : `this deployment is fixed to ${fixed}. Set it to ${fixed}`
  } again. Other objects would be empty, and would not know which tokens were used. A new jurisdiction needs a Worker with a new name`

/** The caller only learns that the broker is not configured. All faults go to the operator's log. */
export function misconfigured(faults: readonly string[]): BrokerError {
  log({ event: "settings.invalid", detail: faults.join("; ") })
  return new BrokerError(
    "configuration_invalid",
    "The broker's configuration is invalid. Its operator finds the reason in the broker's log.",
  )
}
