import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { makeJobKey } from "../flow/world.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { median } from "./decide.ts"
import { fire, type LoadFigures, type Shot } from "./load.ts"
import type { LoadIssuer } from "./tokens.ts"

const SHOTS_PER_ROUND = 500
const ROUNDS = 5
const NAIVE_AUDIENCE = "https://naive.example"

/** One way to exchange a token, under load. */
interface Arm {
  readonly url: string
  shots(): Shot[] | Promise<Shot[]>
}

export interface ExchangeFigures {
  /** The naive route's exchanges a second over ours: the median over turns, of which each ran both within seconds. */
  readonly ratio: number
  readonly figures: Readonly<Record<string, LoadFigures>>
}

/**
 * Exchanges of identity tokens, sixteen at a time, a fresh token each: naive routes and the broker in both runtimes. They
 * take turns, so that whatever else the machine does in these minutes falls on all of them.
 */
export async function measureExchanges(
  ends: AsyncDisposableStack,
  issuer: LoadIssuer,
  policies: string,
): Promise<ExchangeFigures> {
  const node = await startNodeBroker({ policies })
  ends.defer(async () => void (await node.stop()))
  const workerd = await startWorkerdBroker({ policies })
  ends.defer(async () => void (await workerd.stop()))

  const plain = (audience: string): Shot[] =>
    issuer.mint(SHOTS_PER_ROUND, audience).map((token) => ({ token, body: JSON.stringify({ grants: ["vault"] }) }))
  const bound = async (audience: string): Promise<Shot[]> => {
    const key = await makeJobKey()
    const body = JSON.stringify({ grants: ["vault"], key: key.jwk })
    return issuer.mint(SHOTS_PER_ROUND, `${audience}?jkt=${key.thumbprint}`).map((token) => ({ token, body }))
  }
  const arms: Readonly<Record<string, Arm>> = {
    bare_route: { url: await startNaive(ends, issuer), shots: () => plain(NAIVE_AUDIENCE) },
    exchange_node_plain: { url: node.url, shots: () => plain(node.url) },
    bare_route_wal: { url: await startNaive(ends, issuer, "wal"), shots: () => plain(NAIVE_AUDIENCE) },
    exchange_node_bound: { url: node.url, shots: () => bound(node.url) },
    exchange_workerd_plain: { url: workerd.url, shots: () => plain(workerd.url) },
    exchange_workerd_bound: { url: workerd.url, shots: () => bound(workerd.url) },
  }

  const rounds = new Map(Object.keys(arms).map((name): [string, LoadFigures[]] => [name, []]))
  for (let turn = 0; turn <= ROUNDS; turn++) {
    for (const [name, arm] of Object.entries(arms)) {
      const figures = await fire(arm.url, await arm.shots())
      // The first turn warms up.
      if (turn > 0) rounds.get(name)?.push(figures)
    }
  }
  const perSecond = (name: string) => (rounds.get(name) ?? []).map((figures) => figures.requests_per_second)
  const ours = perSecond("exchange_node_plain")
  return {
    ratio: median(perSecond("bare_route").map((naive, turn) => naive / (ours[turn] ?? 0))),
    figures: Object.fromEntries([...rounds].map(([name, each]) => [name, medianOf(each)])),
  }
}

function medianOf(rounds: readonly LoadFigures[]): LoadFigures {
  const of = (pick: (figures: LoadFigures) => number) => median(rounds.map(pick))
  return {
    requests_per_second: of((each) => each.requests_per_second),
    p50_ms: of((each) => each.p50_ms),
    p99_ms: of((each) => each.p99_ms),
  }
}

async function startNaive(
  ends: AsyncDisposableStack,
  issuer: LoadIssuer,
  ...journal: readonly "wal"[]
): Promise<string> {
  const script = fileURLToPath(new URL("naive.ts", import.meta.url))
  const child = spawn(process.execPath, [script, issuer.issuer, NAIVE_AUDIENCE, ...journal], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  ends.defer(() => void child.kill("SIGTERM"))
  const port = await new Promise<string>((resolve) =>
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim())),
  )
  return `http://127.0.0.1:${port}`
}
