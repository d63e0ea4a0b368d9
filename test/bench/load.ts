// Run by itself, this file is the load generator: a process that sends what it is told to by IPC. Load from the process that
// also mints tokens and measures would wait for that work, and its waits would be counted as the server's.
import { type ChildProcess, fork } from "node:child_process"
import { Agent, request } from "node:http"
import { fileURLToPath } from "node:url"

/** One prepared request: everything that costs time was done before the clock started. Default: POST to `/v1/exchange`. */
export interface Shot {
  readonly token: string
  readonly body: string
  readonly method?: "POST" | "DELETE"
  readonly path?: string
  /** Another server than the one that is fired at. */
  readonly origin?: string | undefined
}

export interface LoadFigures {
  readonly requests_per_second: number
  readonly p50_ms: number
  readonly p99_ms: number
  /** The slowest request. */
  readonly max_ms: number
}

export interface LoadGenerator {
  readonly fire: typeof fire
  /** Of the generator's process. */
  readonly pid: number
  close(): void
}

/** How many requests are under way at a time, unless a caller says otherwise. */
export const CONCURRENCY = 16

/** Sends every shot once, over `concurrency` kept connections. Rejects when any is not answered with 2xx. */
export async function fire(url: string, shots: readonly Shot[], concurrency = CONCURRENCY): Promise<LoadFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const took: number[] = []
  let next = 0
  const worker = async () => {
    for (let shot = shots[next++]; shot; shot = shots[next++]) {
      const startedAt = performance.now()
      await send(shot.origin ?? url, shot, agent)
      took.push(performance.now() - startedAt)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: concurrency }, worker))
  const seconds = (performance.now() - startedAt) / 1000
  agent.destroy()
  took.sort((one, other) => one - other)
  const at = (share: number) => round(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0)
  return {
    requests_per_second: Math.round(shots.length / seconds),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: at(1),
  }
}

function send(url: string, { token, body, method = "POST", path = "/v1/exchange" }: Shot, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
    }
    const sending = request(`${url}${path}`, { method, agent, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
      })
      response.on("end", () => {
        const { statusCode = 0 } = response
        if (statusCode >= 200 && statusCode < 300) resolve()
        else reject(new Error(`${url} answered ${statusCode}: ${text}`))
      })
    })
    sending.on("error", reject)
    sending.end(body)
  })
}

export const round = (value: number) => Math.round(value * 100) / 100

type Order = Parameters<typeof fire>
type Report = { readonly figures: LoadFigures } | { readonly failed: string }

/** Starts the generator. One order at a time. */
export function startLoadGenerator(execArgv: readonly string[] = []): LoadGenerator {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [...execArgv] })
  return {
    pid: child.pid ?? 0,
    fire: (...order) => ask(child, order),
    close: () => void child.kill(),
  }
}

function ask(child: ChildProcess, order: Order): Promise<LoadFigures> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the load generator ended with ${code}`))
    child.once("exit", ended)
    child.once("message", (report: Report) => {
      child.off("exit", ended)
      if ("figures" in report) resolve(report.figures)
      else reject(new Error(report.failed))
    })
    child.send(order)
  })
}

if (import.meta.filename === process.argv[1]) {
  process.on("message", (order: Order) => {
    const reported = fire(...order).then(
      (figures): Report => ({ figures }),
      (fault: unknown): Report => ({ failed: fault instanceof Error ? fault.message : String(fault) }),
    )
    void reported.then((report) => process.send?.(report))
  })
  // It must not outlive the bench.
  process.on("disconnect", () => process.exit(0))
}
