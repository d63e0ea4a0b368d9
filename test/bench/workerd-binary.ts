import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { workerSettings } from "../support/broker-workerd.ts"
import { freePort } from "../support/servers.ts"

export interface WorkerdOptions {
  /** A folder of its own: for the configuration, and for the objects' databases. */
  readonly folder: string
  /** ES modules by name. The first is the Worker. */
  readonly modules: Readonly<Record<string, string>>
  /** Binding -> class of a Durable Object with SQLite. */
  readonly objects: Readonly<Record<string, string>>
  /** Given the Worker's own URL. */
  readonly texts: (url: string) => Readonly<Record<string, string>>
  /** A `GET` that is answered with 200 when the Worker is ready. */
  readonly ready: string
}

export interface WorkerdProcess {
  readonly url: string
  readonly pid: number
  /** How many files it has open. */
  openFiles(): number
  /** The folder with the databases of one class of objects. */
  objects(className: string): string
  stop(): Promise<void>
}

/** How long a Worker may take to its first answer: workerd compiles it, and the broker makes its first signing key. */
const START_MS = 20_000

/**
 * Runs a Worker in workerd's own binary, with Durable Objects on the disk. Nothing stands between a client and it: a
 * simulator's proxy would cost as much as an exchange.
 */
export async function startWorkerd(options: WorkerdOptions): Promise<WorkerdProcess> {
  const { folder, objects, modules } = options
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const disk = join(folder, "objects")
  mkdirSync(disk, { recursive: true })
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text)
  const config = join(folder, "config.capnp")
  writeFileSync(config, configOf({ port, disk, objects, modules: Object.keys(modules), texts: options.texts(url) }))

  // The Worker's log is dropped: a pipe that nobody empties would block it.
  const child = spawn(binary(), ["serve", config], { stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4096)
  })
  const exit = once(child, "exit")
  const { pid } = child
  if (pid === undefined) throw new Error("workerd did not start")
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
    await exit
  }
  const isReady = async () => (await fetch(`${url}${options.ready}`).catch(() => null))?.ok === true
  for (const until = Date.now() + START_MS; !(await isReady()); await sleep(50)) {
    if (child.exitCode === null && Date.now() < until) continue
    await stop()
    throw new Error(`workerd did not answer ${options.ready}: ${said}`)
  }
  return {
    url,
    pid,
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    objects: (className) => join(disk, className),
    stop,
  }
}

/** The path of the binary that the tests' simulator runs, too. */
function binary(): string {
  const simulator = createRequire(import.meta.url).resolve("miniflare")
  const { default: path } = createRequire(simulator)("workerd") as { readonly default: string }
  return path
}

interface Settings {
  readonly port: number
  readonly disk: string
  readonly modules: readonly string[]
  readonly objects: Readonly<Record<string, string>>
  readonly texts: Readonly<Record<string, string>>
}

/** Cap'n Proto's text is close to JSON's: a quoted text means the same in both. */
function configOf({ port, disk, modules, objects, texts }: Settings): string {
  const { compatibilityDate, compatibilityFlags } = workerSettings()
  const text = (value: string) => JSON.stringify(value)
  const bindings = [
    ...Object.entries(texts).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...Object.entries(objects).map(
      ([name, className]) => `(name = ${text(name)}, durableObjectNamespace = ${text(className)})`,
    ),
  ]
  const namespaces = Object.values(objects).map(
    (name) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "objects", disk = (path = ${text(disk)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [${modules.map((name) => `(name = ${text(name)}, esModule = embed ${text(name)})`).join(", ")}],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(text).join(", ")}],
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "objects"),
);
`
}
