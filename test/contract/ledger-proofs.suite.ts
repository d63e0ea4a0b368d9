import { describe, expect, test } from "vitest"
import { DEFAULT_LIMITS } from "../../broker/core/policy/limits.ts"
import type { Admission } from "../../broker/ports/ledger.ts"
import type { ProofUse } from "../../broker/ports/token-use.ts"
import type { LedgerFixture, LedgerHands } from "./ledger-hands.ts"
import {
  admission,
  denial,
  HOUR,
  MINUTE,
  minted,
  NOW,
  opening,
  record,
  revocable,
  revocation,
  token,
} from "./ledger-samples.ts"

/** A use of the token `token` with a proof. */
const proved = (key: string, id: string) => ({ ...token("token"), proof: { thumbprint: key, id } satisfies ProofUse })
const exchange = (lease: string, key: string, id: string): Admission => ({
  ...admission(lease),
  token: proved(key, id),
})
const denied = (key: string, id: string): Admission => ({ ...denial("token"), token: proved(key, id) })

/** What every ledger must do with tokens that are used again by the key that their first use bound. */
export function whatProofsBind(fixture: LedgerFixture, hands: LedgerHands): void {
  const { ledger, events, sweeper } = hands

  describe("proofs of a key", () => {
    test("let a token be used again, each proof once, also after a restart", async () => {
      expect(await ledger().admit(exchange("a", "k1", "1"))).toEqual({ outcome: "admitted" })
      expect(await ledger().admit(exchange("b", "k1", "2"))).toEqual({ outcome: "admitted" })
      await fixture.restart()
      expect(await ledger().admit(exchange("c", "k1", "3"))).toEqual({ outcome: "admitted" })
      for (const id of ["1", "2", "3"]) {
        expect(await ledger().admit(exchange(`again ${id}`, "k1", id))).toEqual({ outcome: "already-used" })
      }
      expect(await events()).toEqual([...Array(3).fill("exchange.intended"), "token.replayed"])
    })

    test("are of the key of the first use: no other key, and no call without one", async () => {
      await ledger().admit(exchange("a", "k1", "1"))
      expect(await ledger().admit(exchange("b", "k2", "2"))).toEqual({ outcome: "already-used" })
      expect(await ledger().admit(admission("c", "token"))).toEqual({ outcome: "already-used" })
      expect(await ledger().admit(denied("k2", "3"))).toEqual({ outcome: "already-used" })
      // Nothing of the refused calls stays: the key's own proof with the same jti is new.
      expect(await ledger().admit(exchange("d", "k1", "2"))).toEqual({ outcome: "admitted" })
      expect(await events()).toEqual(["exchange.intended", "token.replayed", "exchange.intended"])
    })

    test("of an operator's acts are used once each, by one key, also after a restart, and however many there are", async () => {
      expect(await ledger().useProof(proved("k1", "1"), NOW)).toBe(true)
      expect(await ledger().useProof(proved("k1", "2"), NOW)).toBe(true)
      await fixture.restart()
      for (const [key, id] of [
        ["k1", "1"],
        ["k1", "2"],
        ["k2", "3"],
      ] as const) {
        expect(await ledger().useProof(proved(key, id), NOW)).toBe(false)
      }
      expect(await ledger().useProof(proved("k1", "3"), NOW)).toBe(true)
      // It is no record: that of the act follows.
      expect(await events()).toEqual([])
    })

    test("do not bring back a token whose first use had none", async () => {
      await ledger().admit(admission("a", "token"))
      expect(await ledger().admit(exchange("b", "k1", "1"))).toEqual({ outcome: "already-used" })
      expect(await ledger().beginRevocation(revocation("a", { token: proved("k1", "2") }))).toEqual({
        outcome: "already-used",
      })
    })

    test("bind with a denial and with a revocation, too: each is a use", async () => {
      await ledger().admit(denied("k1", "1"))
      expect(await ledger().admit(exchange("a", "k2", "2"))).toEqual({ outcome: "already-used" })
      expect(await ledger().admit(exchange("a", "k1", "3"))).toEqual({ outcome: "admitted" })
      hands.turn()
      await ledger().beginRevocation(revocation("a", { token: proved("k1", "1") }))
      expect(await ledger().admit(exchange("b", "k2", "2"))).toEqual({ outcome: "already-used" })
      expect(await ledger().admit(exchange("b", "k1", "3"))).toEqual({ outcome: "admitted" })
    })

    test("of two keys at the same time: one binds, and all others are refused", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const key = `k${index % 2}`
          return { key, ...(await ledger().admit(exchange(`lease ${index}`, key, String(index)))) }
        }),
      )
      const admitted = outcomes.filter(({ outcome }) => outcome === "admitted")
      expect(new Set(admitted.map(({ key }) => key)).size).toBe(1)
      expect(admitted).toHaveLength(25)
      expect(outcomes.filter(({ outcome }) => outcome === "already-used")).toHaveLength(25)
    })

    test("the same one fifty times at once is admitted once, with a restart in between", async () => {
      await ledger().admit(exchange("first", "k1", "0"))
      const burst = (from: number) =>
        Promise.all(Array.from({ length: 25 }, (_, at) => ledger().admit(exchange(`lease ${from + at}`, "k1", "1"))))
      const before = await burst(0)
      await fixture.restart()
      const outcomes = [...before, ...(await burst(25))]
      expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
    })

    test("end a lease with the token that opened it", async () => {
      await ledger().admit(exchange("a", "k1", "1"))
      await ledger().settle(minted("a", revocable()))
      expect(await ledger().beginRevocation(revocation("a", { token: proved("k2", "2") }))).toEqual({
        outcome: "already-used",
      })
      expect(await ledger().beginRevocation(revocation("a", { token: token("token") }))).toEqual({
        outcome: "already-used",
      })
      expect(await ledger().beginRevocation(revocation("a", { token: proved("k1", "1") }))).toEqual({
        outcome: "already-used",
      })
      expect(await ledger().beginRevocation(revocation("a", { token: proved("k1", "2") }))).toMatchObject({
        outcome: "begun",
      })
    })

    test("are not used up by what a limit refuses, or by a lease that is taken", async () => {
      const tight = { ...DEFAULT_LIMITS, exchangesPerMinute: { max: 1, source: "daypass.yaml:7" } }
      await ledger().admit(exchange("a", "k1", "1"))
      expect(await ledger().admit({ ...exchange("b", "k1", "2"), limits: tight })).toMatchObject({
        outcome: "over-limit",
      })
      expect(await ledger().admit(exchange("a", "k1", "2"))).toEqual({ outcome: "lease-taken" })
      expect(await ledger().admit(exchange("b", "k1", "2"))).toEqual({ outcome: "admitted" })
      // A request that comes twice has the same lease, and is a replay.
      expect(await ledger().admit(exchange("b", "k1", "2"))).toEqual({ outcome: "already-used" })
    })

    test("keep a job from opening a lease that it has ended with the same token", async () => {
      await ledger().beginRevocation(revocation("late", { token: proved("k1", "1") }))
      expect(await ledger().admit(exchange("late", "k1", "2"))).toEqual({ outcome: "lease-taken" })
      expect(await ledger().admit(exchange("other", "k1", "2"))).toEqual({ outcome: "admitted" })
    })

    test("are remembered as long as their token, whatever the clock says meanwhile", async () => {
      const end = NOW + 10 * MINUTE
      const at = (now: number, use: Admission, lease: string) => ({
        ...use,
        now,
        lease: { ...opening(lease), settleBy: now + MINUTE, endsBy: now + HOUR },
      })
      await ledger().admit(exchange("a", "k1", "1"))
      await sweeper().takeDue(end + HOUR - 1000, 10)
      expect(await ledger().admit(at(NOW, exchange("b", "k1", "1"), "b"))).toEqual({ outcome: "already-used" })
      expect(await ledger().admit(at(NOW, exchange("c", "k1", "2"), "c"))).toEqual({ outcome: "admitted" })
      // A clock that was ahead made the ledger forget the token: neither it nor its proofs come back.
      await sweeper().takeDue(end + HOUR + 2000, 10)
      for (const [lease, id] of [
        ["d", "1"],
        ["e", "3"],
      ] as const)
        expect(await ledger().admit(at(NOW, exchange(lease, "k1", id), lease))).toEqual({ outcome: "too-old" })
      expect(await ledger().admit(at(NOW, exchange("f", "k2", "4"), "f"))).toEqual({ outcome: "too-old" })
    })

    test("bind nothing for a call that cannot be recorded", async () => {
      const unwritable = { ...exchange("a", "k1", "1"), audit: { ...record("exchange.intended"), reason: "\ud800" } }
      await expect(ledger().admit(unwritable)).rejects.toMatchObject({ code: "internal" })
      expect(await ledger().admit(exchange("a", "k2", "1"))).toEqual({ outcome: "admitted" })
    })
  })
}
