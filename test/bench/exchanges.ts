import { makeJobKey } from "../flow/world.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import type { Shot } from "./load.ts"
import { NAIVE_AUDIENCE, startNaive } from "./naive-route.ts"
import { type Arm, figuresOf, race, ratioOf } from "./race.ts"
import { atLeast, type Bench, type Section } from "./section.ts"

/** Exchanges of identity tokens on Node against bare routes: a fresh token each, sixteen at a time. */
export async function measureExchanges(bench: Bench): Promise<Section> {
  const node = await startNodeBroker({ policies: bench.policies })
  bench.ends.defer(async () => void (await node.stop()))
  const rollback = await startNaive(bench)
  const wal = await startNaive(bench, "wal")
  const raced = await race(bench, {
    bare_route: { ...rollback, shots: plainShots(bench, NAIVE_AUDIENCE) },
    exchange_node_plain: { url: node.url, pids: [node.pid], shots: plainShots(bench, node.url) },
    bare_route_wal: { ...wal, shots: plainShots(bench, NAIVE_AUDIENCE) },
    exchange_node_bound: { url: node.url, pids: [node.pid], shots: boundShots(bench, node.url) },
  })
  return {
    rows: [
      atLeast("exchange on Node against a bare route", ratioOf(raced, "exchange_node_plain", "bare_route"), 1.2),
      atLeast("the same against a bare route in WAL", ratioOf(raced, "exchange_node_plain", "bare_route_wal"), 0.9),
      atLeast("key-bound exchange against plain", ratioOf(raced, "exchange_node_bound", "exchange_node_plain"), 0.75),
    ],
    arms: figuresOf(raced),
  }
}

/** Exchanges of the grant `vault`, in the plain form. */
export const plainShots =
  ({ issuer }: Pick<Bench, "issuer">, audience: string) =>
  (count: number): readonly Shot[] =>
    issuer.mint(count, audience).map((token): Shot => ({ token, body: JSON.stringify({ grants: ["vault"] }) }))

/** The same, bound to a new key. */
export const boundShots =
  ({ issuer }: Pick<Bench, "issuer">, audience: string): Arm["shots"] =>
  async (count) => {
    const key = await makeJobKey()
    const body = JSON.stringify({ grants: ["vault"], key: key.jwk })
    return issuer.mint(count, `${audience}?jkt=${key.thumbprint}`).map((token): Shot => ({ token, body }))
  }
