import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare"
import { type LedgerMethods, ledgerObjectName, type Namespace } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { ChainedRecord } from "../../broker/ports/ledger.ts"
import { freePort } from "./servers.ts"
import { bundleWorker } from "./worker-bundle.ts"

const WRANGLER_TOML = new URL("../../wrangler.toml", import.meta.url)
const TRAIL_LIMIT = 1000

export interface WorkerdBrokerOptions {
  /** The folder of policies, compiled into the bundle. */
  readonly policies: string
  readonly port?: number
  /** Where the Durable Objects keep their data, to start again from it; forgotten at the end when left out. */
  readonly data?: string
  readonly kek?: string
}

export interface WorkerdBroker {
  readonly url: string
  /** Everything it has printed. */
  output(): string
  /** The audit chain of one repository, from its start. */
  auditTrail(issuerUrl: string, repositoryId: string): Promise<readonly ChainedRecord[]>
  stop(): Promise<void>
}

/** Starts the real broker in the real workerd: wrangler's bundle, Durable Objects with SQLite, and nothing simulated. */
export async function startWorkerdBroker(options: WorkerdBrokerOptions): Promise<WorkerdBroker> {
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const { compatibilityDate, compatibilityFlags } = readSettings()
  let printed = ""
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: "worker.js", contents: await bundleWorker(options.policies) }],
      compatibilityDate,
      compatibilityFlags,
      bindings: { DAYPASS_URL: url, DAYPASS_KEK: options.kek ?? randomBytes(32).toString("base64") },
      durableObjects: {
        LEDGER: { className: "Ledger", useSQLite: true },
        KEY_RING: { className: "KeyRing", useSQLite: true },
      },
      ...(options.data === undefined ? {} : { durableObjectsPersist: options.data }),
      host: "127.0.0.1",
      port,
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: ({ message }) => {
        printed += `${message}\n`
      },
    }),
  )
  try {
    await miniflare.ready
    const health = await fetch(`${url}/healthz`)
    if (!health.ok) throw new Error(`/healthz answered ${health.status}: ${await health.text()}`)
  } catch (error) {
    await miniflare.dispose()
    throw new Error(`the broker in workerd did not start: ${String(error)}\n${printed}`)
  }
  return {
    url,
    output: () => printed,
    async auditTrail(issuerUrl, repositoryId) {
      const namespace = (await miniflare.getDurableObjectNamespace("LEDGER")) as unknown as Namespace<LedgerMethods>
      const key = { issuerUrl, repositoryId }
      const answer = await namespace.getByName(ledgerObjectName(key)).auditTrail(key, 0, TRAIL_LIMIT)
      if (!answer.ok) throw new Error(`the ledger answered ${answer.code}`)
      return answer.value
    },
    stop: () => miniflare.dispose(),
  }
}

/** The two settings that decide how workerd behaves, from the file that a deployment takes them from. */
function readSettings(): { compatibilityDate: string; compatibilityFlags: string[] } {
  const toml = readFileSync(WRANGLER_TOML, "utf8")
  const date = /^compatibility_date = "([0-9-]+)"$/m.exec(toml)?.[1]
  const flags = /^compatibility_flags = (\[.*\])$/m.exec(toml)?.[1]
  if (date === undefined || flags === undefined) throw new Error("wrangler.toml says no compatibility date or flags")
  return { compatibilityDate: date, compatibilityFlags: JSON.parse(flags) as string[] }
}
