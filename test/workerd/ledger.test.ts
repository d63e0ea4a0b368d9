import { evictAllDurableObjects } from "cloudflare:test"
import { createCloudflareLedgers } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { DueLease, SweptLedger } from "../../broker/ports/ledger.ts"
import { ledgerModel } from "../contract/ledger.model.ts"
import { ledgerContract } from "../contract/ledger.suite.ts"
import type { LedgerFixture } from "../contract/ledger-hands.ts"
import { jumpingClockModel } from "../contract/ledger-jumps.model.ts"
import { inside, objects, stubOf } from "./objects.ts"

const fixture: LedgerFixture = {
  ledgers: () => createCloudflareLedgers(objects.LEDGER),
  swept: (issuerUrl, unitId) => {
    /** What a sweep is given in the object, by its alarm. */
    const inAlarm = (ask: (ledger: SweptLedger) => Promise<readonly DueLease[]>) =>
      inside(stubOf(issuerUrl, unitId), async (object) => {
        let due: readonly DueLease[] = []
        object.onSweep = async (ledger) => {
          due = await ask(ledger)
        }
        await object.alarm()
        return due
      })
    return {
      takeDue: (now, limit, waitUntil) => inAlarm((ledger) => ledger.takeDue(now, limit, waitUntil)),
      lookDue: (now, limit) => inAlarm((ledger) => ledger.lookDue(now, limit)),
    }
  },
  restart: () => evictAllDurableObjects(),
}

ledgerContract("in Durable Objects", fixture)
ledgerModel("in Durable Objects", fixture, 50)
jumpingClockModel("in Durable Objects", fixture, 50)
