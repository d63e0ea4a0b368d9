import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { workerSettings } from "../support/broker-workerd.ts"
import { freePort } from "../support/servers.ts"

export interface WorkerdOptions {
  /** A folder of its own: for the configuration, and for the objects' databases. */
  readonly folder: string
  /** The bundled Worker. */
  readonly script: string
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
  /** Resident memory in bytes, and open files. */
  memory(): { readonly rss: number; readonly files: number }
  /** Bytes of all databases of one class of objects, write-ahead logs included, and how many objects there are. */
  stored(className: string): { readonly bytes: number; readonly objects: number }
  stop(): Promise<void>
}

/** How long a Worker may take to its first answer: workerd compiles it, and the broker makes its first signing key. */
const START_MS = 20_000

/**
 * Runs a Worker in workerd's own binary, with Durable Objects on the disk. Nothing stands between a client and it: a
 * simulator's proxy would cost as much as an exchange.
 */
export async function startWorkerd(options: WorkerdOptions): Promise<WorkerdProcess> {
  const { folder, objects } = options
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const disk = join(folder, "objects")
  mkdirSync(disk, { recursive: true })
  writeFileSync(join(folder, "worker.js"), options.script)
  const config = join(folder, "config.capnp")
  writeFileSync(config, configOf({ port, disk, objects, texts: options.texts(url) }))

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
    memory: () => ({
      rss: Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024,
      files: readdirSync(`/proc/${pid}/fd`).length,
    }),
    stored: (className) => storedIn(join(disk, className)),
    stop,
  }
}

function storedIn(folder: string): { bytes: number; objects: number } {
  const files = readdirSync(folder)
  return {
    bytes: files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0),
    objects: files.filter((file) => file.endsWith(".sqlite")).length,
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
  readonly objects: Readonly<Record<string, string>>
  readonly texts: Readonly<Record<string, string>>
}

/** Cap'n Proto's text is close to JSON's: a quoted text means the same in both. */
function configOf({ port, disk, objects, texts }: Settings): string {
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
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(text).join(", ")}],
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "objects"),
);
`
}
