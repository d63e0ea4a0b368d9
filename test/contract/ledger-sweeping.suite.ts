import { describe, expect, test } from "vitest"
import type { LedgerHands } from "./ledger-hands.ts"
import { expiring, HOUR, MINUTE, mintedAtOnce, NOW, revocable, revocation } from "./ledger-samples.ts"

/** What every ledger must do for a sweep that has much to end, at vendors that are not all as fast. */
export function whatSweepsTake(hands: LedgerHands): void {
  const { ledger, sweeper, trail, events, issue, restart, settle } = hands

  describe("a sweep", () => {
    test("comes to the end of many due leases, and each is closed once", async () => {
      const leases = Array.from({ length: 60 }, (_, index) => `lease ${index}`)
      for (const lease of leases) {
        expect(await ledger().admitMinted(mintedAtOnce(lease, [expiring()]))).toEqual({ outcome: "admitted" })
      }
      for (let visit = 0; visit < 3; visit++) expect(await sweeper().takeDue(NOW + HOUR, 25)).toEqual([])
      expect(await sweeper().takeDue(NOW + HOUR, 25)).toEqual([])
      const closed = (await trail()).filter(({ record }) => record.event === "lease.closed")
      expect(closed.map(({ record }) => record.lease).sort()).toEqual([...leases].sort())
      expect((await ledger().standing(NOW + HOUR)).openLeases).toBe(0)
    })

    describe("at a vendor that must be left alone", () => {
      const until = NOW + HOUR + 3 * MINUTE
      const waitUntil = (connection: string) => (connection === "slow" ? until : null)
      const take = async (now: number) =>
        (await sweeper().takeDue(now, 10, waitUntil)).map(({ lease, credentials }) => [lease, credentials.length])

      test("leaves its leases in the ledger, takes those behind them, and comes back at that time", async () => {
        await issue("slow", revocable("one", { connection: "slow" }))
        await issue("fast", revocable("one"))
        expect(await take(NOW + HOUR)).toEqual([["fast", 1]])
        await settle("fast", { one: "revoked" }, NOW + HOUR)
        expect(await take(until - 1)).toEqual([])
        const recorded = await events()
        expect(await sweeper().takeDue(until, 10)).toMatchObject([{ lease: "slow" }])
        // It was said once that its time is over, and the pause before its next attempt is the first.
        expect(await events()).toEqual(recorded)
        await settle("slow", { one: "failed" }, until)
        expect(await sweeper().takeDue(until + 2 * MINUTE - 1, 10)).toEqual([])
        expect(await sweeper().takeDue(until + 2 * MINUTE, 10)).toMatchObject([{ lease: "slow" }])
      })

      test("begins a lease of which another vendor can be asked", async () => {
        await issue("both", revocable("one", { connection: "slow" }), revocable("two"))
        expect(await take(NOW + HOUR)).toEqual([["both", 2]])
      })

      test("closes what has expired meanwhile, and what only expires", async () => {
        await issue("a", expiring("one", { connection: "slow" }))
        expect(await take(NOW + HOUR)).toEqual([])
        expect((await events()).at(-1)).toBe("lease.closed")
      })

      test("forgets nothing of it in a restart, and tells its job that it is over", async () => {
        await issue("slow", revocable("one", { connection: "slow" }))
        await take(NOW + HOUR)
        await restart()
        expect(await ledger().beginRevocation(revocation("slow", { now: NOW + HOUR + MINUTE }))).toMatchObject({
          credentials: [{ grant: "one", ended: null }],
        })
        expect(await sweeper().takeDue(until, 10)).toMatchObject([{ lease: "slow" }])
      })
    })
  })
}
