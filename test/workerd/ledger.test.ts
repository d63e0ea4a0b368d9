import { evictAllDurableObjects } from "cloudflare:test"
import { createCloudflareLedgers } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { DueLease } from "../../broker/ports/ledger.ts"
import { ledgerModel } from "../contract/ledger.model.ts"
import { ledgerContract } from "../contract/ledger.suite.ts"
import type { LedgerFixture } from "../contract/ledger-hands.ts"
import { inside, objects, stubOf } from "./objects.ts"

const fixture: LedgerFixture = {
  ledgers: () => createCloudflareLedgers(objects.LEDGER),
  swept: (issuerUrl, repositoryId) => ({
    takeDue: (now, limit) =>
      inside(stubOf(issuerUrl, repositoryId), async (object) => {
        let due: readonly DueLease[] = []
        object.onSweep = async (ledger) => {
          due = await ledger.takeDue(now, limit)
        }
        await object.alarm()
        return due
      }),
  }),
  restart: () => evictAllDurableObjects(),
}

ledgerContract("in Durable Objects", fixture)
ledgerModel("in Durable Objects", fixture, 50)
