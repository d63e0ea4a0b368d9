import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare"
import { type LedgerMethods, ledgerObjectName } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { ChainedRecord } from "../../broker/ports/ledger.ts"
import { freePort } from "./servers.ts"
import { bundleWorker, type WorkerModules } from "./worker-bundle.ts"

const WRANGLER_TOML = new URL("../../wrangler.toml", import.meta.url)
const TRAIL_LIMIT = 1000
const LOG_TIMEOUT_MS = 2_000

export interface WorkerdBrokerOptions {
  /** The folder of policies, compiled into the bundle. */
  readonly policies: string
  readonly port?: number
  /** Where the Durable Objects keep their data, to start again from it; forgotten at the end when left out. Not with `kv`. */
  readonly data?: string
  readonly kek?: string
  /** More settings, such as `DAYPASS_GITHUB_APP_ID`. */
  readonly settings?: Readonly<Record<string, string>>
  /**
   * A namespace of Workers KV as `wrangler ... --local --persist-to` keeps it; the policies are then those that lie in it.
   * The Durable Objects keep their data in the same folder.
   */
  readonly kv?: { readonly namespaceId: string; readonly persistTo: string }
  /** Gives workerd, which has none, Cloudflare's jurisdictions. */
  readonly jurisdictions?: boolean
  /** Modules in place of those of the same name. */
  readonly modules?: WorkerModules
  /** As `wrangler.toml` of an earlier version has it: without the object that follows the ledgers. */
  readonly withoutDirectory?: boolean
  /** Bindings of buckets of R2. */
  readonly buckets?: readonly string[]
  /** Starts it although it serves nothing, to see what it still does. */
  readonly isUnfit?: boolean
}

export interface WorkerdBroker {
  readonly url: string
  /** Everything it has printed. */
  output(): string
  /** The audit chain of one repository, from its start. */
  auditTrail(issuerUrl: string, unitId: string): Promise<readonly ChainedRecord[]>
  /** Moves the Worker's clock on, for what would otherwise have to be waited for. */
  advance(seconds: number): Promise<void>
  /** One repository's object, as only a test may touch it. */
  object(issuerUrl: string, unitId: string): TouchedObject
  /** The texts in a bucket, by their keys. */
  objectsIn(bucket: string): Promise<Readonly<Record<string, string>>>
  /** The namespace of Workers KV that it reads; only with `kv`. */
  namespace(): Promise<TouchedNamespace>
  /** Ends workerd with SIGKILL, whatever it is doing: this is also how a broker in workerd crashes. */
  stop(): Promise<void>
}

/** A namespace of Workers KV, as a test touches it behind the broker's back. */
export interface TouchedNamespace {
  list(): Promise<{ readonly keys: readonly { readonly name: string }[] }>
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
}

/** What `AROUND_WORKER` adds to a ledger's object. */
export interface TouchedObject {
  /** Fires the alarm, as the runtime does when it is due. */
  testAlarm(): Promise<void>
  /** When the alarm is set to, in Unix milliseconds. */
  testAlarmAt(): Promise<number | null>
  /** Runs a statement, and returns its rows. */
  testSql(text: string): Promise<readonly Record<string, unknown>[]>
  /** Whether each statement that needs room fails as SQLite does when the object's 10 GB are used up. */
  testFull(isFull: boolean): Promise<void>
}

/**
 * Lets a test move the Worker's clock and call a ledger's object, and gives names other objects in each jurisdiction, as
 * Cloudflare documents it. The broker itself has no such switch: this is another module around it.
 */
const CLOCK_PATH = "/test-clock"
/** Of a request with `{ name, method, args }`. Miniflare's own way to an object starts a thread, and blocks this one at each step. */
const OBJECT_PATH = "/test-object"
const AROUND_WORKER = `
import worker, { Directory as RealDirectory, Ledger as RealLedger } from "./worker.js"
export * from "./worker.js"
const Real = Date
let ahead = 0
globalThis.Date = class extends Real {
  constructor(...args) { super(...(args.length === 0 ? [Real.now() + ahead] : args)) }
  static now() { return Real.now() + ahead }
}
const elapsed = performance.now.bind(performance)
Object.defineProperty(performance, "now", { value: () => elapsed() + ahead })
const JURISDICTIONS = ["eu", "us", "fedramp", "fedramp-high"]
const within = (namespace) => ({
  getByName: (name) => namespace.getByName(name),
  jurisdiction(place) {
    if (!JURISDICTIONS.includes(place)) throw new TypeError("no such jurisdiction")
    return {
      getByName: (name) => namespace.getByName(place + " " + name),
      jurisdiction() { throw new TypeError("already in a jurisdiction") },
    }
  },
})
const placed = (env) => env.TEST_JURISDICTIONS
  ? { ...env, LEDGER: within(env.LEDGER), KEY_RING: within(env.KEY_RING), DIRECTORY: within(env.DIRECTORY) }
  : env
export class Ledger extends RealLedger {
  constructor(state, env) {
    super(state, placed(env))
    this.storage = state.storage
  }
  testAlarm() { return this.alarm() }
  testAlarmAt() { return this.storage.getAlarm() }
  testSql(text) { return this.storage.sql.exec(text).toArray() }
  testFull(isFull) {
    const { sql } = this.storage
    this.exec ??= sql.exec.bind(sql)
    sql.exec = (text, ...values) => {
      if (isFull && /^\\s*INSERT/i.test(text)) throw new Error("database or disk is full: SQLITE_FULL")
      return this.exec(text, ...values)
    }
  }
}
// Its alarms fire by workerd's own clock, whatever the Worker takes for the time.
export class Directory extends RealDirectory {
  constructor(state, env) {
    super(state, placed(env))
    const { storage } = state
    const [set, get] = [storage.setAlarm.bind(storage), storage.getAlarm.bind(storage)]
    storage.setAlarm = (at, ...rest) => set(at - ahead, ...rest)
    storage.getAlarm = async (...args) => {
      const at = await get(...args)
      return at === null ? null : at + ahead
    }
  }
}
async function callObject(request, env) {
  const { name, method, args } = await request.json()
  try {
    return Response.json({ value: (await env.LEDGER.getByName(name)[method](...args)) ?? null })
  } catch (error) {
    return new Response(String(error), { status: 500 })
  }
}
export default {
  fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === "${OBJECT_PATH}") return callObject(request, env)
    if (pathname !== "${CLOCK_PATH}") return worker.fetch(request, placed(env), context)
    ahead += Number(searchParams.get("seconds")) * 1000
    return new Response(null, { status: 204 })
  },
}
`

/** Starts the real broker in the real workerd: the modules of a deployment, Durable Objects with SQLite, and nothing simulated. */
export async function startWorkerdBroker(options: WorkerdBrokerOptions): Promise<WorkerdBroker> {
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const { compatibilityDate, compatibilityFlags } = workerSettings()
  // For KV, where wrangler puts what it is told to keep in a folder.
  const folder = options.kv === undefined ? options.data : join(options.kv.persistTo, "v3")
  const modules = { ...(await bundleWorker(options.policies)), ...options.modules }
  let printed = ""
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [
        { type: "ESModule", path: "around.js", contents: AROUND_WORKER },
        ...Object.entries(modules).map(([path, contents]) => ({ type: "ESModule" as const, path, contents })),
      ],
      compatibilityDate,
      compatibilityFlags,
      bindings: {
        DAYPASS_URL: url,
        DAYPASS_KEK: options.kek ?? randomBytes(32).toString("base64"),
        ...(options.jurisdictions ? { TEST_JURISDICTIONS: "1" } : {}),
        ...options.settings,
      },
      durableObjects: {
        LEDGER: { className: "Ledger", useSQLite: true },
        KEY_RING: { className: "KeyRing", useSQLite: true },
        ...(options.withoutDirectory ? {} : { DIRECTORY: { className: "Directory", useSQLite: true } }),
      },
      ...(options.kv === undefined ? {} : { kvNamespaces: { POLICIES: options.kv.namespaceId } }),
      ...(options.buckets === undefined ? {} : { r2Buckets: [...options.buckets] }),
      ...(folder === undefined ? {} : { resourcePersistencePath: folder }),
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
    if (!health.ok && !options.isUnfit) throw new Error(`/healthz answered ${health.status}: ${await health.text()}`)
  } catch (error) {
    // What the Worker logged comes by another way than its answer, and a moment later.
    for (let waited = 0; printed === "" && waited < LOG_TIMEOUT_MS; waited += 20) await sleep(20)
    await miniflare.dispose()
    throw new Error(`the broker in workerd did not start: ${String(error)}\n${printed}`)
  }
  /** Calls a method of one repository's object. Arguments and answer go as JSON. */
  const call = async (
    issuerUrl: string,
    unitId: string,
    method: string,
    args: readonly unknown[],
  ): Promise<unknown> => {
    const body = JSON.stringify({ name: ledgerObjectName({ issuerUrl, unitId }), method, args })
    const answer = await fetch(`${url}${OBJECT_PATH}`, { method: "POST", body })
    if (!answer.ok) throw new Error(await answer.text())
    return ((await answer.json()) as { readonly value: unknown }).value
  }
  return {
    url,
    output: () => printed,
    object(issuerUrl, unitId) {
      const ask = (method: keyof TouchedObject, ...args: readonly unknown[]) => call(issuerUrl, unitId, method, args)
      return {
        testAlarm: async () => void (await ask("testAlarm")),
        testAlarmAt: async () => (await ask("testAlarmAt")) as number | null,
        testSql: async (text) => (await ask("testSql", text)) as readonly Record<string, unknown>[],
        testFull: async (isFull) => void (await ask("testFull", isFull)),
      }
    },
    async auditTrail(issuerUrl, unitId) {
      const args = [{ issuerUrl, unitId }, 0, TRAIL_LIMIT]
      const answer = (await call(issuerUrl, unitId, "auditTrail", args)) as Awaited<
        ReturnType<LedgerMethods["auditTrail"]>
      >
      if (!answer.ok) throw new Error(`the ledger answered ${answer.code}`)
      return answer.value
    },
    async advance(seconds) {
      const moved = await fetch(`${url}${CLOCK_PATH}?seconds=${seconds}`)
      if (moved.status !== 204) throw new Error(`the clock answered ${moved.status}`)
    },
    async objectsIn(name) {
      const bucket = await miniflare.getR2Bucket(name)
      const { objects } = await bucket.list()
      const texts = objects.map(async ({ key }) => [key, (await (await bucket.get(key))?.text()) ?? ""] as const)
      return Object.fromEntries(await Promise.all(texts))
    },
    namespace: async () => (await miniflare.getKVNamespace("POLICIES")) as unknown as TouchedNamespace,
    stop: () => miniflare.dispose(),
  }
}

/** The two settings that decide how workerd behaves, from the file that a deployment takes them from. */
export function workerSettings(): { compatibilityDate: string; compatibilityFlags: string[] } {
  const toml = readFileSync(WRANGLER_TOML, "utf8")
  const date = /^compatibility_date = "([0-9-]+)"$/m.exec(toml)?.[1]
  const flags = /^compatibility_flags = (\[.*\])$/m.exec(toml)?.[1]
  if (date === undefined || flags === undefined) throw new Error("wrangler.toml says no compatibility date or flags")
  return { compatibilityDate: date, compatibilityFlags: JSON.parse(flags) as string[] }
}
