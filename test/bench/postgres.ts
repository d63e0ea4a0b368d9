import { randomBytes } from "node:crypto"
import { startPostgres } from "../interop/postgres.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { plainShots } from "./exchanges.ts"
import type { Shot } from "./load.ts"
import { figuresOf, race, ratioOf } from "./race.ts"
import { atLeast, type Bench, type Section } from "./section.ts"

/**
 * Brokers that share a PostgreSQL on this machine: one against the same broker on SQLite, and two against one. The server
 * flushes every commit. Its processor time counts for none of the arms, and load, brokers and server share the cores, so two
 * brokers gain nothing here. They even work for one repository, whose chain only one of them can write at a time: the row says
 * what that costs.
 */
export async function measurePostgres(bench: Bench): Promise<Section> {
  const server = await startPostgres({ settings: ["max_connections=40"] })
  bench.ends.defer(() => server.close())
  const sqlite = await startNodeBroker({ policies: bench.policies })
  bench.ends.defer(async () => void (await sqlite.stop()))
  const shared = {
    policies: bench.policies,
    store: server.url("postgres"),
    kek: randomBytes(32).toString("base64"),
    settings: { DAYPASS_DEPLOYMENT: "https://bench.example", DAYPASS_AUDIENCE: "https://bench.example" },
  }
  const one = await startNodeBroker(shared)
  bench.ends.defer(async () => void (await one.stop()))
  const other = await startNodeBroker(shared)
  bench.ends.defer(async () => void (await other.stop()))
  const raced = await race(bench, {
    sqlite_one_broker: { url: sqlite.url, pids: [sqlite.pid], shots: plainShots(bench, sqlite.url) },
    postgres_one_broker: { url: one.url, pids: [one.pid], shots: plainShots(bench, "https://bench.example") },
    postgres_two_brokers: {
      url: one.url,
      pids: [one.pid, other.pid],
      // Every second one goes to the other broker: of one repository, so that they share its ledger.
      shots: (count) => plainShots(bench, "https://bench.example")(count).map(turned(one.url, other.url)),
    },
  })
  return {
    rows: [
      atLeast("exchange on PostgreSQL against SQLite", ratioOf(raced, "postgres_one_broker", "sqlite_one_broker"), 0.4),
      atLeast(
        "two brokers on one PostgreSQL against one, for one repository",
        ratioOf(raced, "postgres_two_brokers", "postgres_one_broker"),
        0.5,
      ),
    ],
    arms: figuresOf(raced),
  }
}

const turned =
  (...urls: readonly string[]) =>
  (shot: Shot, index: number): Shot => ({ ...shot, origin: urls[index % urls.length] })
