import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { createOwedRecords } from "../../../broker/exchange/owed.ts"
import type { Ledgers, RevocationSettlement } from "../../../broker/ports/ledger.ts"

const settlementOf = (lease: string, outcome: "revoked" | "failed" = "revoked") =>
  ({ lease, outcomes: { one: outcome } }) as unknown as RevocationSettlement
const of = (unitId: string, lease: string) => ({ lease, issuerUrl: "https://issuer.example.com", unitId })

/** Ledgers that record, except those of some repositories. */
function ledgersExcept(broken: ReadonlySet<string>) {
  const recorded: string[] = []
  const ledgers = {
    of: (_: string, unitId: string) => ({
      async recordRevocation({ lease }: RevocationSettlement) {
        if (broken.has(unitId)) throw new BrokerError("ledger_unavailable", "not now")
        recorded.push(lease)
      },
    }),
  } as unknown as Ledgers
  return { ledgers, recorded }
}

describe("records of revocations that are still due", () => {
  it("are written although the ledger of an older one goes on failing", async () => {
    const broken = new Set(["1"])
    const { ledgers, recorded } = ledgersExcept(broken)
    const owed = createOwedRecords(ledgers, () => {})
    for (let one = 0; one < 120; one++) owed.keep(of("1", `broken ${one}`), settlementOf(`broken ${one}`))
    owed.keep(of("2", "whole"), settlementOf("whole"))
    for (let turn = 0; turn < 3; turn++) await owed.pay()
    expect(recorded).toEqual(["whole"])
    expect(owed.has(of("2", "whole"))).toBe(false)
    broken.clear()
    for (let turn = 0; turn < 3; turn++) await owed.pay()
    expect(recorded).toHaveLength(121)
  })

  it("let a call wait for a limited number of them", async () => {
    const { ledgers, recorded } = ledgersExcept(new Set())
    const owed = createOwedRecords(ledgers, () => {})
    for (let one = 0; one < 1000; one++) owed.keep(of("1", `${one}`), settlementOf(`${one}`))
    await owed.pay()
    expect(recorded.length).toBeGreaterThan(0)
    expect(recorded.length).toBeLessThanOrEqual(100)
  })

  it("do not count as a revocation that failed: the sweep tries it again", () => {
    const owed = createOwedRecords(ledgersExcept(new Set()).ledgers, () => {})
    owed.keep(of("1", "failed"), settlementOf("failed", "failed"))
    owed.keep(of("1", "revoked"), settlementOf("revoked"))
    expect([owed.has(of("1", "failed")), owed.has(of("1", "revoked")), owed.size]).toEqual([false, true, 2])
  })
})
