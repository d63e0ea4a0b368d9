import { describe, expect, test } from "vitest"
import { EXPIRED_MARGIN_MS } from "../../broker/adapters/ledger/credential-ends.ts"
import type { LedgerHands } from "./ledger-hands.ts"
import { expiring, HOUR, MINUTE, NOW, outliving, revocation, token } from "./ledger-samples.ts"

/** What every ledger must do about credentials that their vendor lets live longer than was granted. */
export function whatOutlivesItsGrant({
  restart,
  ledger,
  sweeper,
  events,
  issue,
  reasons,
  taken,
  settle,
  endOf,
}: LedgerHands): void {
  describe("what outlives the time that was granted", () => {
    const QUARTER = NOW + 15 * MINUTE

    test("is taken back when that time is over, and not before", async () => {
      await issue("a", outliving("app", 15))
      expect(await sweeper().takeDue(QUARTER - 1, 10)).toEqual([])
      expect(await sweeper().takeDue(QUARTER, 10)).toEqual([
        { lease: "a", credentials: [{ ...outliving("app", 15), ended: null }] },
      ])
      await settle("a", { app: "revoked" }, QUARTER)
      expect(await endOf("a")).toEqual({ app: "revoked" })
      expect((await reasons()).slice(2)).toEqual([
        "lease.revoking: the granted time is over: app",
        "lease.closed: a test",
      ])
    })

    test("is taken back although it never expires", async () => {
      await issue("a", outliving("app", 15, { expiresAt: null }))
      expect(await taken(QUARTER - 1)).toEqual([])
      expect(await taken(QUARTER)).toEqual([["a", ["app"]]])
    })

    test("is taken back when it expires where that comes first: only its vendor knows whether it has", async () => {
      await issue("a", outliving("first", 15, { expiresAt: NOW + 10 * MINUTE }), outliving("vault", 60))
      expect(await taken(NOW + 10 * MINUTE - 1)).toEqual([])
      expect(await taken(NOW + 10 * MINUTE)).toEqual([["a", ["first"]]])
      await settle("a", { first: "revoked" }, NOW + 10 * MINUTE)
      expect(await taken(NOW + HOUR)).toEqual([["a", ["vault"]]])
    })

    test("is taken back alone: what has time left stays alive, and is the job's own to end", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30), expiring())
      expect(await sweeper().takeDue(QUARTER, 10)).toEqual([
        { lease: "a", credentials: [{ ...outliving("one", 15), ended: null }] },
      ])
      await settle("a", { one: "revoked" }, QUARTER)
      await restart()
      expect(await taken(NOW + 30 * MINUTE - 1)).toEqual([])
      expect(await ledger().beginRevocation(revocation("a", { now: NOW + 20 * MINUTE }))).toEqual({
        outcome: "begun",
        credentials: [
          { ...expiring(), ended: "expires-only" },
          { ...outliving("one", 15), sealedHandle: null, ended: "revoked" },
          { ...outliving("two", 30), ended: null },
        ],
      })
      await settle("a", { aws: "expires-only", one: "revoked", two: "revoked" }, NOW + 20 * MINUTE)
      expect(await endOf("a")).toEqual({ aws: "expires-only", one: "revoked", two: "revoked" })
      expect((await events()).slice(2)).toEqual(["lease.revoking", "lease.revoking", "lease.revoking", "lease.closed"])
    })

    test("goes one by one where no job ends the lease, which closes once", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30), outliving("three", 30))
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      await settle("a", { one: "revoked" }, QUARTER)
      expect(await taken(NOW + 30 * MINUTE)).toEqual([["a", ["three", "two"]]])
      await settle("a", { one: "revoked", two: "revoked", three: "revoked" }, NOW + 30 * MINUTE)
      expect(await endOf("a")).toEqual({ one: "revoked", two: "revoked", three: "revoked" })
      expect((await reasons()).slice(2)).toEqual([
        "lease.revoking: the granted time is over: one",
        "lease.revoking: a test",
        "lease.revoking: the granted time is over: three, two",
        "lease.closed: a test",
      ])
    })

    test("leaves a lease open that still has what only expires", async () => {
      await issue("a", outliving("app", 15), expiring("aws", { expiresAt: NOW + 40 * MINUTE }))
      expect(await taken(QUARTER)).toEqual([["a", ["app"]]])
      await settle("a", { app: "revoked" }, QUARTER)
      expect((await events()).at(-1)).toBe("lease.revoking")
      expect(await taken(NOW + 40 * MINUTE)).toEqual([])
      expect(await endOf("a")).toEqual({ app: "revoked", aws: "expired" })
      expect((await reasons()).at(-1)).toBe("lease.closed: expired: its time ran out")
    })

    test("is joined by the rest when the job ends the lease meanwhile", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30), expiring())
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      for (const key of ["first", "second"]) {
        const asked = revocation("a", { now: QUARTER + 1000, token: token(key) })
        expect(await ledger().beginRevocation(asked)).toMatchObject({
          outcome: "busy",
          credentials: [{ ended: "expires-only" }, { grant: "one", ended: null }, { grant: "two", ended: null }],
        })
      }
      expect(await taken(QUARTER + 2000)).toEqual([])
      await settle("a", { one: "revoked" }, QUARTER + 3000)
      expect(await taken(QUARTER + 3000)).toEqual([["a", ["two"]]])
      await settle("a", { one: "revoked", two: "revoked", aws: "expires-only" }, QUARTER + 4000)
      expect(await endOf("a")).toEqual({ one: "revoked", two: "revoked", aws: "expires-only" })
      // The sweep's, the job's, once however often it asks, and what the sweep came to.
      expect((await events()).slice(2)).toEqual(["lease.revoking", "lease.revoking", "lease.revoking", "lease.closed"])
    })

    test("is joined by the rest at the same moment, too", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30), expiring())
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      expect(await ledger().beginRevocation(revocation("a", { now: QUARTER }))).toMatchObject({
        outcome: "busy",
        credentials: [{ ended: "expires-only" }, { ended: null }, { ended: null }],
      })
      await settle("a", { one: "revoked" }, QUARTER)
      expect(await ledger().beginRevocation(revocation("a", { now: QUARTER }))).toMatchObject({
        outcome: "begun",
        credentials: [{ ended: "expires-only" }, { ended: "revoked" }, { grant: "two", ended: null }],
      })
      await settle("a", { one: "revoked", two: "revoked", aws: "expires-only" }, QUARTER)
      expect(await endOf("a")).toEqual({ one: "revoked", two: "revoked", aws: "expires-only" })
    })

    test("lets the rest go first when it cannot be taken back and the job has ended the lease", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30))
      for (const now of [QUARTER, QUARTER + 2 * MINUTE, QUARTER + 6 * MINUTE]) {
        expect(await taken(now)).toEqual([["a", ["one"]]])
        await settle("a", { one: "failed" }, now)
      }
      // The next attempt is eight minutes away, and nobody is at the lease.
      await ledger().beginRevocation(revocation("a", { now: QUARTER + 7 * MINUTE }))
      expect(await taken(QUARTER + 7 * MINUTE)).toEqual([["a", ["one", "two"]]])
    })

    test("is tried again later when that fails, and holds nothing else back", async () => {
      await issue("a", outliving("one", 15), outliving("two", 20))
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      await settle("a", { one: "failed" }, QUARTER)
      expect((await events()).at(-1)).toBe("lease.revoking")
      expect(await taken(QUARTER + 2 * MINUTE - 1)).toEqual([])
      expect(await taken(QUARTER + 2 * MINUTE)).toEqual([["a", ["one"]]])
      await settle("a", { one: "failed" }, QUARTER + 2 * MINUTE)
      expect(await taken(NOW + 20 * MINUTE - 1)).toEqual([])
      expect(await taken(NOW + 20 * MINUTE)).toEqual([["a", ["one", "two"]]])
      expect((await reasons()).at(-1)).toBe("lease.revoking: the granted time is over: two")
      await settle("a", { one: "failed", two: "failed" }, NOW + 20 * MINUTE)
      // What has just failed for the first time does not wait as long as what failed before.
      expect(await taken(NOW + 22 * MINUTE)).toEqual([["a", ["one", "two"]]])
    })

    test("is tried until it has certainly expired, and the lease goes on with what it still has", async () => {
      const expiresAt = NOW + 16 * MINUTE - EXPIRED_MARGIN_MS
      await issue("a", outliving("one", 15, { expiresAt }), outliving("two", 30))
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      await settle("a", { one: "failed" }, QUARTER)
      expect(await taken(NOW + 16 * MINUTE)).toEqual([])
      expect(await ledger().beginRevocation(revocation("a", { now: NOW + 16 * MINUTE }))).toMatchObject({
        outcome: "begun",
        credentials: [
          { grant: "one", ended: "expired" },
          { grant: "two", ended: null, sealedHandle: "sealed two" },
        ],
      })
    })

    test("is taken over from whoever began and was never heard of again, and the rest still waits", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30))
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      await restart()
      expect(await taken(QUARTER + MINUTE - 1)).toEqual([])
      expect(await taken(QUARTER + MINUTE)).toEqual([["a", ["one"]]])
      await settle("a", { one: "revoked" }, QUARTER + MINUTE)
      expect(await taken(NOW + 30 * MINUTE)).toEqual([["a", ["two"]]])
    })

    test("is taken over together with the rest when the job ended the lease meanwhile", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30))
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      await ledger().beginRevocation(revocation("a", { now: QUARTER + 1000 }))
      await restart()
      expect(await taken(QUARTER + MINUTE - 1)).toEqual([])
      expect(await taken(QUARTER + MINUTE)).toEqual([["a", ["one", "two"]]])
    })

    test("is not heard of again from an attempt that was overtaken", async () => {
      await issue("a", outliving("one", 15), outliving("two", 30))
      expect(await taken(QUARTER)).toEqual([["a", ["one"]]])
      expect(await taken(QUARTER + MINUTE)).toEqual([["a", ["one"]]])
      await settle("a", { one: "revoked" }, QUARTER + MINUTE)
      const before = await events()
      await settle("a", { one: "failed" }, QUARTER + 2 * MINUTE)
      expect(await events()).toEqual(before)
      expect(await taken(NOW + 30 * MINUTE)).toEqual([["a", ["two"]]])
    })
  })
}
