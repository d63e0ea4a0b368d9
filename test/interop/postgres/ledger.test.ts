import { afterAll, beforeAll } from "vitest"
import type { SweptLedger } from "../../../broker/ports/ledger.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { documentsContract } from "../../contract/documents.suite.ts"
import { keyRingContract } from "../../contract/key-ring.suite.ts"
import { ledgerModel } from "../../contract/ledger.model.ts"
import { ledgerContract } from "../../contract/ledger.suite.ts"
import type { LedgerFixture } from "../../contract/ledger-hands.ts"
import { jumpingClockModel } from "../../contract/ledger-jumps.model.ts"
import { makeDatabase, type TestDatabase } from "./database.ts"

let database: TestDatabase
let store: NodeStore

beforeAll(async () => {
  database = await makeDatabase()
  store = await database.open()
})
afterAll(async () => {
  await store.close()
  await database.close()
})

const restart = async () => {
  await store.close()
  store = await database.open()
}

const fixture: LedgerFixture = {
  ledgers: () => store.ledgers,
  swept: (issuerUrl, unitId) => store.ledgers.of(issuerUrl, unitId) as SweptLedger,
  restart,
}

ledgerContract("in PostgreSQL", fixture)
ledgerModel("in PostgreSQL", fixture, 100)
jumpingClockModel("in PostgreSQL", fixture, 100)
keyRingContract("in PostgreSQL", {
  ring: () => store.keyRing,
  clear: async () => void (await database.admin`UPDATE daypass.key_ring SET version = 0, keys = '[]'`),
  restart,
})
documentsContract("in PostgreSQL", { documents: () => store.documents, restart })
