import { reset } from "cloudflare:test"
import { createCloudflareLedgers } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { DueLease } from "../../broker/ports/ledger.ts"
import { migrationContract, OLD_LEDGER } from "../contract/ledger-migration.suite.ts"
import { inside, objects, stubOf } from "./objects.ts"

migrationContract("in a Durable Object", async (statements) => {
  await reset()
  const stub = stubOf(OLD_LEDGER.issuerUrl, OLD_LEDGER.unitId)
  await inside(stub, async (_object, state) => {
    for (const statement of statements) state.storage.sql.exec(statement)
  })
  const ledger = createCloudflareLedgers(objects.LEDGER).of(OLD_LEDGER.issuerUrl, OLD_LEDGER.unitId)
  return {
    auditTrail: (after, limit) => ledger.auditTrail(after, limit),
    beginRevocation: (request) => ledger.beginRevocation(request),
    settleRevocation: (settlement) => ledger.settleRevocation(settlement),
    takeDue: (now, limit) =>
      inside(stub, async (object) => {
        let due: readonly DueLease[] = []
        object.onSweep = async (swept) => {
          due = await swept.takeDue(now, limit)
        }
        await object.alarm()
        return due
      }),
  }
})
