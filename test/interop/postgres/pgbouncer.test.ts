import { afterAll, beforeAll, expect, test } from "vitest"
import type { NodeStore } from "../../../broker/adapters/node/ledgers.ts"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import { openPrimary } from "../../../broker/adapters/postgres/sessions.ts"
import type { SweptLedger } from "../../../broker/ports/ledger.ts"
import { ledgerContract } from "../../contract/ledger.suite.ts"
import type { LedgerFixture } from "../../contract/ledger-hands.ts"
import { admission } from "../../contract/ledger-samples.ts"
import { addressOf, DEPLOYMENT, makeDatabase, type TestDatabase } from "./database.ts"
import { type Pooler, startPgBouncer } from "./pgbouncer.ts"

let database: TestDatabase
let pooler: Pooler
let stores: NodeStore[] = []
let url: string

const open = () => openPostgresStore(addressOf(url), { deployment: DEPLOYMENT, sha256 })

beforeAll(async () => {
  database = await makeDatabase()
  pooler = await startPgBouncer(new URL(database.url))
  url = database.url.replace(/:\d+\//, `:${pooler.port}/`)
  stores = [await open(), await open()]
})
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await pooler.close()
  await database.close()
})

const store = () => stores[0] as NodeStore
const fixture: LedgerFixture = {
  ledgers: () => store().ledgers,
  swept: (issuerUrl, unitId) => store().ledgers.of(issuerUrl, unitId) as SweptLedger,
  restart: async () => {
    await store().close()
    stores[0] = await open()
  },
}

ledgerContract("in PostgreSQL behind PgBouncer in transaction mode", fixture)

test("a pooler is noticed, so nothing is prepared for a server process that may be another's next", async () => {
  const pooled = await openPrimary(addressOf(url))
  const direct = await openPrimary(database.address)
  expect([pooled.isPrepared, direct.isPrepared]).toEqual([false, true])
  await Promise.all([pooled.close(), direct.close()])
})

test("two brokers behind it take a token once, of fifty", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (stores[index % 2] as NodeStore).ledgers
        .of("https://issuer.example", "pooled")
        .admit(admission(`${index}`, "token")),
    ),
  )
  expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
})
