import { describe, expect, test } from "vitest"
import type { SweptLedger } from "../../broker/ports/ledger.ts"
import { exportTrail } from "../support/export-trail.ts"
import { verifyChain } from "../support/verify-chain.ts"
import schema1 from "../vectors/ledger-schema-1.json" with { type: "json" }
import { HOUR, MINUTE, NOW, revocation, revoked } from "./ledger-samples.ts"

/** Whose ledger the old file is. */
export const OLD_LEDGER = { issuerUrl: "https://issuer.example", unitId: "41" } as const

/** Makes storage by these statements, as an older version left it, and opens its one ledger. */
export type OpenOldLedger = (
  statements: readonly string[],
) => Promise<Pick<SweptLedger, "takeDue" | "beginRevocation" | "settleRevocation" | "auditTrail">>

/**
 * What must become of a ledger that an older version wrote.
 *
 * The file was written by that version, and is kept as its statements. Its leases are called by their states: `open`,
 * `active`, `forever` (active, with a credential that does not expire), `revoking`, `failed` with something left, `closed`.
 */
export function migrationContract(name: string, open: OpenOldLedger): void {
  describe(`a ledger of schema version 1 ${name}`, () => {
    test("goes on, and every lease of it ends as it would have ended", async () => {
      const ledger = await open(schema1.statements)
      const taken = async (now: number) =>
        (await ledger.takeDue(now, 10)).map(({ lease, credentials }) => [
          lease,
          credentials.filter(({ ended }) => ended === null).map(({ grant }) => grant),
        ])

      expect(await taken(NOW + MINUTE)).toEqual([["failed", ["vault"]]])
      await ledger.settleRevocation(revoked("failed", { vault: "revoked" }, NOW + MINUTE))
      expect(await taken(NOW + 3 * MINUTE)).toEqual([["revoking", ["two"]]])
      await ledger.settleRevocation(revoked("revoking", { two: "failed" }, NOW + 3 * MINUTE))
      expect(await taken(NOW + 7 * MINUTE - 1)).toEqual([])
      expect(await taken(NOW + 7 * MINUTE)).toEqual([["revoking", ["two"]]])
      await ledger.settleRevocation(revoked("revoking", { two: "revoked" }, NOW + 7 * MINUTE))
      // What has expired by the broker's clock is asked about: only its vendor knows.
      expect(await taken(NOW + HOUR)).toEqual([["active", ["vault"]]])
      await ledger.settleRevocation(revoked("active", { vault: "revoked" }, NOW + HOUR))
      expect(await taken(NOW + 2 * HOUR)).toEqual([["forever", ["vault"]]])
      await ledger.settleRevocation(revoked("forever", { vault: "revoked" }, NOW + 2 * HOUR))

      const trail = await ledger.auditTrail(0, 100)
      const closed = trail.filter(({ record }) => record.event === "lease.closed").map(({ record }) => record.lease)
      expect(closed.toSorted()).toEqual(["active", "closed", "failed", "forever", "open", "revoking"])
      const key = { issuer: OLD_LEDGER.issuerUrl, unit_id: OLD_LEDGER.unitId }
      expect(verifyChain([new TextEncoder().encode(exportTrail(key, trail))])).toMatchObject({ ok: true })
    })

    test("lets jobs end their leases", async () => {
      const ledger = await open(schema1.statements)
      const ends = async (lease: string) => {
        const start = await ledger.beginRevocation(revocation(lease))
        if (start.outcome !== "begun" && start.outcome !== "done") throw new Error(`the lease is ${start.outcome}`)
        return [start.outcome, Object.fromEntries(start.credentials.map(({ grant, ended }) => [grant, ended]))]
      }
      expect(await ends("active")).toEqual(["begun", { aws: "expires-only", vault: null }])
      expect(await ends("revoking")).toEqual(["done", { aws: "expires-only", one: "revoked", two: null }])
      expect(await ends("closed")).toEqual(["done", { vault: "revoked" }])
    })
  })
}
