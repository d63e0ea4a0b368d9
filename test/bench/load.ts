import { Agent, request } from "node:http"

/** One prepared request: everything that costs time was done before the clock started. */
export interface Shot {
  readonly token: string
  readonly body: string
}

export interface LoadFigures {
  readonly requests_per_second: number
  readonly p50_ms: number
  readonly p99_ms: number
}

/** How many requests are under way at a time. */
const CONCURRENCY = 16

/** Sends every shot once, sixteen at a time, over kept connections. Throws when any is not answered with 200. */
export async function fire(url: string, shots: readonly Shot[]): Promise<LoadFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  const took: number[] = []
  let next = 0
  const worker = async () => {
    for (let shot = shots[next++]; shot; shot = shots[next++]) {
      const startedAt = performance.now()
      await send(`${url}/v1/exchange`, shot, agent)
      took.push(performance.now() - startedAt)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  const seconds = (performance.now() - startedAt) / 1000
  agent.destroy()
  took.sort((one, other) => one - other)
  const at = (share: number) => round(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0)
  return { requests_per_second: Math.round(shots.length / seconds), p50_ms: at(0.5), p99_ms: at(0.99) }
}

function send(url: string, shot: Shot, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${shot.token}`,
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(shot.body)),
    }
    const sending = request(url, { method: "POST", agent, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
      })
      response.on("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}: ${text}`)),
      )
    })
    sending.on("error", reject)
    sending.end(shot.body)
  })
}

export const round = (value: number) => Math.round(value * 100) / 100
