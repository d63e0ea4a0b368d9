import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundledBroker } from "./broker-bundle.ts"
import { COMPILE_CACHE } from "./compile-cache.ts"
import { freePort } from "./servers.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const NODE = join(ROOT, "node_modules/.bin/node")
// They only end what hangs.
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 120_000
const POLL_MS = 25

export interface NodeBrokerOptions {
  /** The folder of policies. */
  readonly policies: string
  /** Keep the data of an earlier broker: give the same folder, and the same port when its URL matters. */
  readonly data?: string
  /** The URL of a database, in place of a data folder; needs `kek`. */
  readonly store?: string
  readonly port?: number
  readonly kek?: string
  /** More settings, such as `DAYPASS_GITHUB_APP_ID`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Whether `advance` and `jump` work. The clocks are then ones that this process moves. */
  readonly movableClock?: boolean
  /** How far the wall clock is ahead of the real one when the broker starts. */
  readonly aheadSeconds?: number
}

export interface NodeBroker {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Its data folder. Removed by `stop` unless it was given. */
  readonly data: string
  stdout(): string
  stderr(): string
  /** Moves the broker's clock on, for what would otherwise have to be waited for; needs `movableClock`. */
  advance(seconds: number): Promise<void>
  /** Sets the broker's wall clock alone, as somebody does who corrects it; needs `movableClock`. */
  jump(seconds: number): Promise<void>
  /** Asks it to stop and waits until it has; resolves to its exit code. May be called twice. */
  stop(): Promise<number | null>
  /** Ends it at once, as a crash would. Leaves the data folder. */
  crash(): Promise<void>
}

/** Lets a test move the clock. The broker itself has no such switch: this is another module before it. */
const clockBeforeBroker = (aheadSeconds: number) => `
const Real = Date
const realElapsed = performance.now.bind(performance)
let ahead = ${aheadSeconds * 1000}
let elapsed = 0
globalThis.Date = class extends Real {
  constructor(...args) { super(...(args.length === 0 ? [Real.now() + ahead] : args)) }
  static now() { return Real.now() + ahead }
}
Object.defineProperty(performance, "now", { value: () => realElapsed() + elapsed })
process.on("message", ({ passes, jumps }) => {
  ahead += (passes + jumps) * 1000
  elapsed += passes * 1000
  process.send({ ahead })
})
process.channel?.unref()
`

/** Starts the real broker on Node, built as `npm run build:broker` does it, and waits until it answers. */
export async function startNodeBroker(options: NodeBrokerOptions): Promise<NodeBroker> {
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const data = options.data ?? mkdtempSync(join(tmpdir(), "daypass-data-"))
  const flags = [
    "--policies",
    options.policies,
    "--port",
    `${port}`,
    "--url",
    url,
    ...(options.store === undefined ? ["--data", data] : []),
  ]
  const { movableClock = false, aheadSeconds = 0 } = options
  const isMoved = movableClock || aheadSeconds !== 0
  const clock = isMoved
    ? ["--import", `data:text/javascript,${encodeURIComponent(clockBeforeBroker(aheadSeconds))}`]
    : []
  const child = spawn(NODE, [...clock, await bundledBroker(), ...flags], {
    cwd: ROOT,
    // Nothing of the caller's environment: what the broker reads from there is part of the test.
    env: {
      PATH: process.env["PATH"] ?? "",
      ...COMPILE_CACHE,
      ...(options.kek === undefined ? {} : { DAYPASS_KEK: options.kek }),
      ...(options.store === undefined ? {} : { DAYPASS_STORE: options.store }),
      ...options.settings,
    },
    stdio: ["ignore", "pipe", "pipe", ...(movableClock ? (["ipc"] as const) : [])],
  })
  if (!child.stdout || !child.stderr) throw new Error("the broker's output is not piped")
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)))
  const killWithParent = () => void child.kill("SIGKILL")
  process.once("exit", killWithParent)

  const ended = async () => {
    const code = await exited
    process.removeListener("exit", killWithParent)
    return code
  }
  const move = async (by: { readonly passes: number; readonly jumps: number }) => {
    if (!movableClock) throw new Error("start this broker with movableClock to move its clock")
    const moved = new Promise((resolve) => child.once("message", resolve))
    child.send(by)
    await moved
  }
  const discardData = () => {
    if (options.data === undefined) rmSync(data, { recursive: true, force: true })
  }

  try {
    await untilHealthy(url, child)
  } catch (error) {
    child.kill("SIGKILL")
    await ended()
    discardData()
    throw new Error(`the broker on Node did not start: ${String(error)}\n${stdout()}${stderr()}`)
  }
  return {
    url,
    port,
    pid: child.pid ?? 0,
    data,
    stdout,
    stderr,
    advance: (seconds) => move({ passes: seconds, jumps: 0 }),
    jump: (seconds) => move({ passes: 0, jumps: seconds }),
    async stop() {
      child.kill("SIGTERM")
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS)
      const code = await ended()
      clearTimeout(late)
      discardData()
      return code
    },
    async crash() {
      child.kill("SIGKILL")
      await ended()
    },
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ""
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
  })
  return () => text
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    const healthy = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    )
    if (healthy) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${url}/healthz did not answer within ${START_TIMEOUT_MS / 1000} s`)
}
