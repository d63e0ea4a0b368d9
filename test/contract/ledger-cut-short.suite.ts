import { describe, expect, test } from "vitest"
import type { EarlyEnd } from "../../broker/ports/ledger.ts"
import type { LedgerHands } from "./ledger-hands.ts"
import { admission, expiring, HOUR, MINUTE, NOW, outliving, record, revocable, revocation } from "./ledger-samples.ts"

const order = (changes: Partial<EarlyEnd> = {}): EarlyEnd => ({
  after: "",
  limit: 100,
  underWayBy: NOW + MINUTE,
  now: NOW + 10_000,
  audit: { ...record("lease.revoking"), reason: "stopped: an incident" },
  ...changes,
})

const NOTHING = { ended: 0, revoking: 0, underWay: 0, expiring: { leases: 0, until: 0 }, next: null }

/** What every ledger must do for an operator who ends credentials before their time. */
export function whatIsCutShort(hands: LedgerHands): void {
  const { restart, ledger, issue, taken, settle, reasons, trail, endOf } = hands

  describe("credentials that an operator ends before their time", () => {
    test("are revoked by the next sweep, with a record for each lease", async () => {
      await issue("a", revocable("one"), expiring("two"))
      await issue("b", revocable("one"))
      expect(await ledger().cutShort(order())).toEqual({
        ...NOTHING,
        ended: 2,
        expiring: { leases: 1, until: NOW + HOUR },
      })
      expect((await reasons()).slice(-2)).toEqual([
        "lease.revoking: stopped: an incident: one",
        "lease.revoking: stopped: an incident: one",
      ])
      expect((await trail()).slice(-2).map(({ record: { lease } }) => lease)).toEqual(["a", "b"])
      await restart()
      expect(await taken(NOW + 10_000)).toEqual([
        ["a", ["one"]],
        ["b", ["one"]],
      ])
      // The vendor does not answer: the broker tries again, and an operator sees that it is not over.
      await settle("b", { one: "failed" }, NOW + 11_000)
      expect(await ledger().cutShort(order({ now: NOW + 12_000 }))).toMatchObject({ ended: 0, revoking: 2 })
      await settle("a", { one: "revoked" }, NOW + 13_000)
      expect(await taken(NOW + 3 * MINUTE)).toEqual([["b", ["one"]]])
      await settle("b", { one: "revoked" }, NOW + 3 * MINUTE)
      expect(await endOf("b")).toEqual({ one: "revoked" })
      // What only expires lives on with its lease.
      expect(await ledger().cutShort(order())).toEqual({ ...NOTHING, expiring: { leases: 1, until: NOW + HOUR } })
    })

    test("are those of a connection or of a grant, and the lease goes on with the others", async () => {
      const aws = { connection: "aws-prod" }
      await issue("a", revocable("one", aws), revocable("two"))
      await issue("b", revocable("two"))
      expect(await ledger().cutShort(order({ connection: "aws-prod" }))).toEqual({ ...NOTHING, ended: 1 })
      expect(await taken(NOW + 10_000)).toEqual([["a", ["one"]]])
      await settle("a", { one: "revoked" }, NOW + 11_000)
      expect(await ledger().cutShort(order({ connection: "aws-prod" }))).toEqual(NOTHING)
      expect(await ledger().cutShort(order({ grant: "two", connection: "aws-prod" }))).toEqual(NOTHING)
      expect(await taken(NOW + HOUR - 1)).toEqual([])
      expect(await ledger().cutShort(order({ grant: "two", leases: ["a", "gone"] }))).toEqual({ ...NOTHING, ended: 1 })
      expect(await taken(NOW + HOUR - 1)).toEqual([["a", ["two"]]])
    })

    test("wait for the end of an attempt that is running, and are then revoked", async () => {
      await issue("a", outliving("soon", 5), revocable("later"))
      expect(await taken(NOW + 5 * MINUTE)).toEqual([["a", ["soon"]]])
      const cut = order({ now: NOW + 5 * MINUTE })
      expect(await ledger().cutShort(cut)).toEqual({ ...NOTHING, ended: 1 })
      expect(await ledger().cutShort(cut)).toEqual({ ...NOTHING, revoking: 1 })
      await settle("a", { soon: "revoked" }, NOW + 5 * MINUTE + 1000)
      expect(await taken(NOW + 5 * MINUTE + 1000)).toEqual([["a", ["later"]]])
    })

    test("are none of an exchange under way, which is counted until it must have an outcome", async () => {
      await ledger().admit(admission("a"))
      expect(await ledger().cutShort(order())).toEqual({ ...NOTHING, underWay: 1 })
      // It began after the stop was in force everywhere.
      expect(await ledger().cutShort(order({ underWayBy: NOW + MINUTE - 1 }))).toEqual(NOTHING)
      expect(await taken(NOW + MINUTE - 1)).toEqual([])
    })

    test("are read in pages, and nothing is done twice", async () => {
      for (const id of ["c", "a", "b"]) await issue(id, revocable("one"))
      await ledger().beginRevocation(revocation("b", { now: NOW }))
      await settle("b", { one: "revoked" }, NOW)
      const first = await ledger().cutShort(order({ limit: 1 }))
      expect(first).toEqual({ ...NOTHING, ended: 1, next: "a" })
      const second = await ledger().cutShort(order({ limit: 1, after: "a" }))
      expect(second).toEqual({ ...NOTHING, ended: 1, next: "c" })
      expect(await ledger().cutShort(order({ limit: 1, after: "c" }))).toEqual(NOTHING)
      const before = (await trail()).length
      expect(await ledger().cutShort(order())).toMatchObject({ ended: 0, revoking: 2 })
      expect(await trail()).toHaveLength(before)
    })
  })
}
