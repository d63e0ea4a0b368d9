import { describe, expect, test } from "vitest"
import type { LedgerHands } from "./ledger-hands.ts"
import { admission, expiring, failed, MINUTE, NOW, preparation, revocable, revocation } from "./ledger-samples.ts"

/** What every ledger must do for an operator who seals the handles of its leases anew. */
export function whatIsSealedAnew({ restart, ledger, events, issue, settle, trail }: LedgerHands): void {
  const handles = async () =>
    (await ledger().openLeases("", 100)).map(({ lease, credentials }) => [
      lease,
      credentials.map(({ sealedHandle }) => sealedHandle),
    ])

  describe("the leases that have not ended", () => {
    test("are listed in pages by their ids, without what is closed", async () => {
      for (const id of ["e", "c", "a", "b"]) await issue(id, revocable(), expiring())
      await ledger().admit(admission("d"))
      await ledger().prepare(preparation("d", "vault"))
      await ledger().admit(admission("f"))
      await ledger().settle(failed("f"))
      await ledger().beginRevocation(revocation("b", { now: NOW }))
      await settle("b", { vault: "revoked" }, NOW + MINUTE)
      const first = await ledger().openLeases("", 2)
      expect(first.map(({ lease }) => lease)).toEqual(["a", "c"])
      expect(first[0]?.credentials).toEqual([expiring(), revocable()])
      await restart()
      expect((await ledger().openLeases("c", 2)).map(({ lease }) => lease)).toEqual(["d", "e"])
      expect(await ledger().openLeases("e", 2)).toEqual([])
    })

    test("are none of a unit that has no ledger, and none is made", async () => {
      expect(await ledger().openLeases("", 10)).toEqual([])
      expect(await trail()).toEqual([])
    })

    test("get new handles, unless theirs is another one by now", async () => {
      await issue("a", revocable("one"), revocable("two"))
      await issue("b", revocable("one"))
      const change = (lease: string, grant: string, before: string) => ({ lease, grant, before, after: "anew" })
      const changes = [
        change("a", "one", "sealed one"),
        change("a", "two", "sealed before"),
        change("b", "two", "sealed one"),
        change("gone", "one", "sealed one"),
      ]
      await ledger().replaceHandles(changes, NOW)
      await restart()
      expect(await handles()).toEqual([
        ["a", ["anew", "sealed two"]],
        ["b", ["sealed one"]],
      ])
      // Nothing happened to the leases: there is nothing to record, and they end as before.
      expect(await events()).toEqual(["exchange.intended", "exchange.minted", "exchange.intended", "exchange.minted"])
      expect(await ledger().beginRevocation(revocation("a", { now: NOW }))).toMatchObject({
        outcome: "begun",
        credentials: [{ sealedHandle: "anew" }, { sealedHandle: "sealed two" }],
      })
    })

    test("get no handle back after they were revoked", async () => {
      await issue("a", revocable("one"))
      await ledger().beginRevocation(revocation("a", { now: NOW }))
      await settle("a", { one: "revoked" }, NOW + MINUTE)
      await ledger().replaceHandles([{ lease: "a", grant: "one", before: "sealed one", after: "anew" }], NOW + MINUTE)
      expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({
        outcome: "done",
        credentials: [{ sealedHandle: null }],
      })
    })
  })
}
