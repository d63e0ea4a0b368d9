import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import type { SweptLedger } from "../../broker/ports/ledger.ts"
import { ledgerModel } from "./ledger.model.ts"
import { ledgerContract } from "./ledger.suite.ts"
import type { LedgerFixture } from "./ledger-hands.ts"
import { jumpingClockModel } from "./ledger-jumps.model.ts"

const folder = mkdtempSync(join(tmpdir(), "daypass-ledger-"))
let store = openNodeStore(folder)

const fixture: LedgerFixture = {
  ledgers: () => store.ledgers,
  swept: (issuerUrl, unitId) => store.ledgers.of(issuerUrl, unitId) as SweptLedger,
  restart: async () => {
    await store.close()
    store = openNodeStore(folder)
  },
}

ledgerContract("on Node", fixture)
ledgerModel("on Node", fixture, 100)
jumpingClockModel("on Node", fixture, 100)

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})
