// Longer than most files on purpose: one contract, read in one place, for every implementation of the port.

import { beforeEach, describe, expect, test } from "vitest"
import { EXPIRED_MARGIN_MS } from "../../broker/adapters/ledger/credential-ends.ts"
import { exportTrail } from "../support/export-trail.ts"
import { verifyChain } from "../support/verify-chain.ts"
import { whatIsArchived } from "./ledger-archive.suite.ts"
import { whatIsCutShort } from "./ledger-cut-short.suite.ts"
import { whatIsSealedAnew } from "./ledger-handles.suite.ts"
import { ISSUER, type LedgerFixture, ledgerHands } from "./ledger-hands.ts"
import { whatIsLimited } from "./ledger-limits.suite.ts"
import { whatJobsName } from "./ledger-named.suite.ts"
import { whatOutlivesItsGrant } from "./ledger-outliving.suite.ts"
import { whatProofsBind } from "./ledger-proofs.suite.ts"
import {
  admission,
  denial,
  expiring,
  failed,
  HOUR,
  MINUTE,
  minted,
  mintedAtOnce,
  NOW,
  opening,
  preparation,
  record,
  revocable,
  revocation,
  revoked,
  token,
} from "./ledger-samples.ts"
import { whatSweepsTake } from "./ledger-sweeping.suite.ts"

/** An outcome for a lease that has one already, or that is over. */
const TOO_LATE = { code: "ledger_unavailable", detail: expect.stringContaining("came too late, or twice") }

/** What every implementation of the ledger must do. */
export function ledgerContract(name: string, fixture: LedgerFixture): void {
  const hands = ledgerHands(fixture)
  const { repository, ledger, sweeper, trail, events, reasons, issue, taken, settle, endOf } = hands

  describe(`the ledger ${name}`, () => {
    beforeEach(() => hands.turn())

    describe("admitting", () => {
      test("takes a token once", async () => {
        expect(await ledger().admit(admission("a", "token"))).toEqual({ outcome: "admitted" })
        expect(await ledger().admit(admission("b", "token"))).toEqual({ outcome: "already-used" })
        expect(await events()).toEqual(["exchange.intended", "token.replayed"])
      })

      test("takes one of fifty that carry the same token at the same time", async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, (_, index) => ledger().admit(admission(`lease ${index}`, "token"))),
        )
        expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
        expect(await events()).toEqual(["exchange.intended", "token.replayed"])
      })

      test("takes one of fifty even when it was restarted in between", async () => {
        const burst = () =>
          Promise.all(
            Array.from({ length: 25 }, () =>
              ledger()
                .admit(denial("token"))
                .catch(() => ({ outcome: "failed" })),
            ),
          )
        const before = await burst()
        await fixture.restart()
        const outcomes = [...before, ...(await burst())]
        expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
        expect(outcomes).not.toContainEqual({ outcome: "failed" })
        expect(await events()).toEqual(["exchange.denied", "token.replayed"])
      })

      test("knows a token of another repository not at all", async () => {
        await ledger().admit(denial("token"))
        expect(await fixture.ledgers().of(ISSUER, `another than ${repository()}`).admit(denial("token"))).toEqual({
          outcome: "admitted",
        })
        expect(await fixture.ledgers().of(`${ISSUER}/other`, repository()).admit(denial("token"))).toEqual({
          outcome: "admitted",
        })
        expect(await events()).toEqual(["exchange.denied"])
      })

      test("records the intent before it answers", async () => {
        await ledger().admit(admission("a"))
        await fixture.restart()
        expect(await trail()).toMatchObject([{ record: { ...record("exchange.intended", "a"), seq: 1 } }])
      })

      test("uses a denied job's token up, and opens no lease for it", async () => {
        await ledger().admit(denial("token"))
        expect(await ledger().admit(admission("a", "token"))).toEqual({ outcome: "already-used" })
        expect(await ledger().beginRevocation(revocation("a"))).toEqual({ outcome: "not-found" })
      })

      test("changes nothing when it cannot record", async () => {
        const unwritable = { ...admission("a", "token"), audit: { ...record("exchange.intended"), reason: "\ud800" } }
        await expect(ledger().admit(unwritable)).rejects.toMatchObject({ code: "internal" })
        expect(await ledger().admit(admission("a", "token"))).toEqual({ outcome: "admitted" })
        expect(await events()).toEqual(["exchange.intended"])
      })

      test("undoes only the call that fails among those that come with it", async () => {
        const outcomes = await Promise.allSettled([
          ledger().admit(admission("a")),
          ledger().admit({ ...denial("bad"), audit: { ...record("exchange.denied"), reason: "\ud800" } }),
          ledger().admit(admission("b")),
        ])
        expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
        expect((await trail()).map(({ record }) => record.lease)).toEqual(["a", "b"])
      })
    })

    describe("admitting what is minted already", () => {
      test("uses the token up, opens the lease and settles it, in one record", async () => {
        const admission = mintedAtOnce("a", [expiring("b"), expiring("a")], "token")
        expect(await ledger().admitMinted(admission)).toEqual({ outcome: "admitted" })
        await fixture.restart()
        expect(await trail()).toMatchObject([{ record: { ...record("exchange.minted", "a"), seq: 1 } }])
        expect(await ledger().admit(denial("token"))).toEqual({ outcome: "already-used" })
        expect(await ledger().standing(NOW)).toMatchObject({ exchanges: { used: 1 }, openLeases: 1 })
        await expect(ledger().settle(minted("a", expiring()))).rejects.toMatchObject(TOO_LATE)
        expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({
          outcome: "begun",
          credentials: [
            { ...expiring("a"), ended: "expires-only" },
            { ...expiring("b"), ended: "expires-only" },
          ],
        })
      })

      test("is one of fifty with the same token", async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            ledger().admitMinted(mintedAtOnce(`lease ${index}`, undefined, "token")),
          ),
        )
        expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
        expect(await events()).toEqual(["exchange.minted", "token.replayed"])
      })

      test("is refused for a lease that is there, or that its job has ended already", async () => {
        await ledger().admitMinted(mintedAtOnce("a"))
        await ledger().beginRevocation(revocation("b", { token: token("ending") }))
        for (const lease of ["a", "b"]) {
          expect(await ledger().admitMinted(mintedAtOnce(lease, undefined, "another"))).toEqual({
            outcome: "lease-taken",
          })
        }
        expect(await ledger().admitMinted(mintedAtOnce("c", undefined, "another"))).toEqual({ outcome: "admitted" })
      })

      test("ends with its time, and changes nothing when it cannot be recorded", async () => {
        const unwritable = { ...record("exchange.minted"), reason: "\ud800" }
        await expect(ledger().admitMinted({ ...mintedAtOnce("a"), audit: unwritable })).rejects.toMatchObject({
          code: "internal",
        })
        expect(await ledger().admitMinted(mintedAtOnce("a"))).toEqual({ outcome: "admitted" })
        expect(await sweeper().takeDue(NOW + HOUR, 10)).toEqual([])
        expect(await endOf("a")).toEqual({ aws: "expired" })
        expect((await reasons()).at(1)).toBe("lease.closed: expired: its time ran out")
      })
    })

    describe("settling", () => {
      test("records the outcome, and keeps what the lease needs for its end", async () => {
        await issue("a", revocable(), expiring())
        await fixture.restart()
        expect(await events()).toEqual(["exchange.intended", "exchange.minted"])
        expect(await ledger().beginRevocation(revocation("a"))).toEqual({
          outcome: "begun",
          credentials: [
            { ...expiring(), ended: "expires-only" },
            { ...revocable(), ended: null },
          ],
        })
      })

      test("is refused for a lease that was never opened, or was settled before", async () => {
        await expect(ledger().settle(minted("a"))).rejects.toMatchObject({ code: "internal" })
        await issue("b", expiring())
        await expect(ledger().settle(minted("b", expiring("other")))).rejects.toMatchObject(TOO_LATE)
        await expect(ledger().settle(failed("b", revocable()))).rejects.toMatchObject(TOO_LATE)
        expect(await events()).toEqual(["exchange.intended", "exchange.minted"])
      })

      test("closes the lease of a failed exchange that left nothing", async () => {
        await ledger().admit(admission("a"))
        await ledger().settle(failed("a"))
        expect(await endOf("a")).toEqual({})
        expect(await sweeper().takeDue(NOW + 24 * HOUR, 10)).toEqual([])
        expect(await events()).toEqual(["exchange.intended", "exchange.failed"])
      })

      test("has what a failed exchange left tried again, even if it has expired by the broker's clock", async () => {
        await ledger().admit(admission("a"))
        await ledger().settle(failed("a", revocable("vault", { expiresAt: NOW })))
        expect(await taken(NOW + 2 * MINUTE)).toEqual([["a", ["vault"]]])
      })

      test("replaces what was prepared, whatever the outcome", async () => {
        for (const [lease, settlement] of [
          ["a", minted("a", revocable("vault", { sealedHandle: "the credential's own" }))],
          ["b", failed("b")],
        ] as const) {
          await ledger().admit(admission(lease))
          await ledger().prepare(preparation(lease, "vault"))
          await ledger().settle(settlement)
        }
        expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({
          outcome: "begun",
          credentials: [{ grant: "vault", sealedHandle: "the credential's own" }],
        })
        expect(await endOf("b")).toEqual({})
      })

      test("has what a failed exchange could not take back at once taken back soon", async () => {
        await ledger().admit(admission("a"))
        await ledger().settle(failed("a", revocable(), expiring()))
        expect(await sweeper().takeDue(NOW + 1000, 10)).toEqual([])
        expect(await sweeper().takeDue(NOW + 2 * MINUTE, 10)).toMatchObject([
          {
            lease: "a",
            credentials: [
              { grant: "aws", ended: "expires-only" },
              { grant: "vault", ended: null },
            ],
          },
        ])
      })
    })

    describe("revoking", () => {
      test.each([
        ["another run", { runId: "101" }],
        ["another attempt", { runAttempt: "2" }],
      ])("knows no lease of %s", async (_name, other) => {
        await issue("a", revocable())
        expect(await ledger().beginRevocation(revocation("a", other))).toEqual({ outcome: "not-found" })
        expect(await events()).toEqual(["exchange.intended", "exchange.minted", "lease.refused"])
        await ledger().beginRevocation(revocation("nothing", other))
        expect(await events()).toHaveLength(3)
      })

      test("knows no lease of another repository, and none that was never opened", async () => {
        await issue("a", revocable())
        const other = fixture.ledgers().of(ISSUER, `another than ${repository()}`)
        expect(await other.beginRevocation(revocation("a"))).toEqual({ outcome: "not-found" })
        expect(await ledger().beginRevocation(revocation("b"))).toEqual({ outcome: "not-found" })
      })

      test("takes a fresh token", async () => {
        await ledger().admit(admission("a", "token"))
        await ledger().settle(minted("a", revocable()))
        const used = revocation("a", { token: { ...token("token"), expiresAt: NOW / 1000 } })
        expect(await ledger().beginRevocation(used)).toEqual({ outcome: "already-used" })
        expect(await ledger().beginRevocation(used)).toEqual({ outcome: "already-used" })
        expect(await events()).toEqual(["exchange.intended", "exchange.minted", "token.replayed"])
      })

      test("uses its token up, for revocations and exchanges alike", async () => {
        await issue("a", revocable())
        await ledger().beginRevocation(revocation("a", { token: { ...token("token"), expiresAt: NOW / 1000 } }))
        expect(await ledger().admit(admission("b", "token"))).toEqual({ outcome: "already-used" })
      })

      test("closes the lease and tells how, from then on", async () => {
        await issue("a", revocable("one"), revocable("two"), expiring())
        await ledger().beginRevocation(revocation("a"))
        await ledger().settleRevocation(revoked("a", { one: "revoked", two: "revoked", aws: "expires-only" }))
        await fixture.restart()
        expect(await endOf("a")).toEqual({ one: "revoked", two: "revoked", aws: "expires-only" })
        expect(await events()).toEqual(["exchange.intended", "exchange.minted", "lease.revoking", "lease.closed"])
      })

      test("twice is one revocation", async () => {
        await issue("a", revocable())
        const starts = await Promise.all([1, 2, 3].map(() => ledger().beginRevocation(revocation("a"))))
        expect(starts.map(({ outcome }) => outcome).sort()).toEqual(["begun", "busy", "busy"])
        await ledger().settleRevocation(revoked("a", { vault: "revoked" }))
        await ledger().settleRevocation(revoked("a", { vault: "failed" }))
        expect(await endOf("a")).toEqual({ vault: "revoked" })
        expect(await events()).toEqual(["exchange.intended", "exchange.minted", "lease.revoking", "lease.closed"])
      })

      test("keeps no handle of a credential that has ended", async () => {
        await issue("a", revocable("one"), revocable("two"))
        await ledger().beginRevocation(revocation("a"))
        await ledger().settleRevocation(revoked("a", { one: "revoked", two: "failed" }))
        const start = await ledger().beginRevocation(revocation("a"))
        expect(start).toMatchObject({
          outcome: "busy",
          credentials: [
            { grant: "one", ended: "revoked", sealedHandle: null },
            { grant: "two", ended: null, sealedHandle: "sealed two" },
          ],
        })
      })

      test("does not call a lease closed that is not, whatever its caller believes", async () => {
        await issue("a", revocable())
        await ledger().beginRevocation(revocation("a"))
        await ledger().settleRevocation(revoked("a", { vault: "failed" }))
        expect((await events()).at(-1)).toBe("lease.revoking")
      })

      test("leaves alone what its settlement does not name", async () => {
        await issue("a", revocable())
        await ledger().beginRevocation(revocation("a"))
        await ledger().settleRevocation(revoked("a", { other: "revoked" }))
        expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({
          outcome: "busy",
          credentials: [{ ended: null }],
        })
      })

      test("is not settled where it was never begun", async () => {
        await issue("a", revocable())
        await expect(ledger().settleRevocation(revoked("a", {}))).rejects.toMatchObject({ code: "internal" })
        await expect(ledger().settleRevocation(revoked("b", {}))).rejects.toMatchObject({ code: "internal" })
      })
    })

    describe("sweeping", () => {
      test("finds nothing where nothing ever was", async () => {
        expect(await sweeper().takeDue(NOW, 10)).toEqual([])
      })

      test("leaves a lease alone before its time", async () => {
        await issue("a", revocable(), expiring("aws", { expiresAt: NOW + 30 * MINUTE }))
        expect(await sweeper().takeDue(NOW + HOUR - 1, 10)).toEqual([])
        expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({ outcome: "begun" })
      })

      test("closes a lease whose credentials have all expired", async () => {
        await issue("a", expiring())
        expect(await sweeper().takeDue(NOW + HOUR, 10)).toEqual([])
        expect(await endOf("a")).toEqual({ aws: "expired" })
        expect((await trail()).at(-1)?.record).toMatchObject({ event: "lease.closed", lease: "a", identity: null })
      })

      test("asks the vendor about what can be revoked and has expired by the broker's clock, for a day and two hours", async () => {
        await issue("a", revocable())
        expect(await taken(NOW + HOUR)).toEqual([["a", ["vault"]]])
        await settle("a", { vault: "failed" }, NOW + HOUR)
        expect(await taken(NOW + 26 * HOUR)).toEqual([["a", ["vault"]]])
        await settle("a", { vault: "failed" }, NOW + 26 * HOUR)
        expect(await taken(NOW + 27 * HOUR)).toEqual([])
        expect(await endOf("a")).toEqual({ vault: "expired" })
      })

      test("closes a lease whose exchange was interrupted, and says until when what it minted may live", async () => {
        const until = NOW + HOUR
        await ledger().admit({ ...admission("a"), lease: { ...opening("a"), unknownUntil: until } })
        await ledger().admit(admission("b"))
        await fixture.restart()
        expect(await sweeper().takeDue(NOW + MINUTE - 1, 10)).toEqual([])
        expect(await sweeper().takeDue(NOW + MINUTE, 10)).toEqual([])
        expect((await reasons()).slice(2)).toEqual([
          `lease.closed: unknown: the exchange was interrupted; what it minted lives at the latest until ${new Date(until).toISOString()}`,
          "lease.closed: failed: the exchange was interrupted, and nothing left the broker",
        ])
        await expect(ledger().settle(minted("a", revocable()))).rejects.toMatchObject(TOO_LATE)
      })

      test("revokes what was prepared for an exchange that was interrupted, and says what stays unknown", async () => {
        await ledger().admit({ ...admission("a"), lease: { ...opening("a"), unknownUntil: NOW + HOUR } })
        await ledger().prepare(preparation("a", "vault", NOW + 30 * MINUTE))
        await ledger().admit({ ...admission("b"), lease: { ...opening("b"), unknownUntil: NOW + HOUR } })
        await ledger().prepare(preparation("b", "vault", 0))
        await fixture.restart()
        expect(await taken(NOW + MINUTE)).toEqual([
          ["a", ["vault"]],
          ["b", ["vault"]],
        ])
        for (const lease of ["a", "b"]) await settle(lease, { vault: "revoked" }, NOW + 2 * MINUTE)
        expect((await reasons()).slice(2)).toEqual([
          "lease.closed: a test; unknown: the exchange was interrupted; what it minted lives at the latest until 2100-01-01T10:30:00.000Z",
          "lease.closed: a test",
        ])
      })

      test("hands out what does not expire by itself when its lease ends, once at a time", async () => {
        await issue("a", revocable("forever", { expiresAt: null }))
        const taken = await sweeper().takeDue(NOW + 2 * HOUR, 10)
        expect(taken).toEqual([
          { lease: "a", credentials: [{ ...revocable("forever", { expiresAt: null }), ended: null }] },
        ])
        expect(await sweeper().takeDue(NOW + 2 * HOUR + 1000, 10)).toEqual([])
        await ledger().settleRevocation(revoked("a", { forever: "revoked" }, NOW + 2 * HOUR + 2000))
        expect(await endOf("a")).toEqual({ forever: "revoked" })
        expect(await events()).toEqual(["exchange.intended", "exchange.minted", "lease.revoking", "lease.closed"])
      })

      test("takes over a revocation that was begun and never settled", async () => {
        await issue("a", revocable())
        await ledger().beginRevocation(revocation("a"))
        await fixture.restart()
        expect(await sweeper().takeDue(NOW + MINUTE + 1000, 10)).toEqual([])
        expect(await sweeper().takeDue(NOW + 3 * MINUTE, 10)).toMatchObject([{ lease: "a" }])
        expect(await events()).toEqual(["exchange.intended", "exchange.minted", "lease.revoking"])
      })

      test("waits longer after each attempt that fails, and never beyond the credential's own end", async () => {
        await issue("a", revocable("vault", { expiresAt: NOW + 5 * HOUR - EXPIRED_MARGIN_MS }))
        await ledger().beginRevocation(revocation("a", { now: NOW }))
        await ledger().settleRevocation(revoked("a", { vault: "failed" }, NOW))
        const attempts: number[] = []
        for (let now = NOW; now < NOW + 6 * HOUR; now += MINUTE) {
          if ((await sweeper().takeDue(now, 10)).length === 0) continue
          attempts.push((now - NOW) / MINUTE)
          await ledger().settleRevocation(revoked("a", { vault: "failed" }, now))
        }
        const waits = attempts.map((at, index) => at - (attempts[index - 1] ?? 0))
        expect(waits.slice(0, 5)).toEqual([2, 4, 8, 16, 32])
        expect(new Set(waits.slice(5))).toEqual(new Set([60]))
        expect(await endOf("a")).toEqual({ vault: "expired" })
        expect((await events()).at(-1)).toBe("lease.closed")
      })

      test("waits longer after each attempt of the job's own, too", async () => {
        await issue("a", revocable("vault", { expiresAt: NOW + 5 * HOUR }))
        for (const minutes of [0, 2, 6]) {
          const now = NOW + minutes * MINUTE
          expect(await ledger().beginRevocation(revocation("a", { now }))).toMatchObject({ outcome: "begun" })
          await settle("a", { vault: "failed" }, now)
        }
        expect(await taken(NOW + 14 * MINUTE - 1)).toEqual([])
        expect(await taken(NOW + 14 * MINUTE)).toEqual([["a", ["vault"]]])
      })

      test("hands out no more than asked for, the longest due first, and the rest the next time", async () => {
        for (const [lease, minutes] of [
          ["late", 3],
          ["early", 1],
          ["middle", 2],
        ] as const) {
          await ledger().admit({ ...admission(lease), lease: { ...opening(lease), endsBy: NOW + minutes * MINUTE } })
          await ledger().settle(minted(lease, revocable("forever", { expiresAt: null })))
        }
        const now = NOW + HOUR
        expect((await sweeper().takeDue(now, 2)).map(({ lease }) => lease)).toEqual(["early", "middle"])
        expect((await sweeper().takeDue(now, 2)).map(({ lease }) => lease)).toEqual(["late"])
      })

      test("forgets tokens an hour after they died, and none that a clock set back could still verify", async () => {
        await ledger().admit(denial("token"))
        await sweeper().takeDue(NOW + HOUR + 10 * MINUTE, 10)
        expect(await ledger().admit(denial("token"))).toEqual({ outcome: "already-used" })
        await sweeper().takeDue(NOW + HOUR + 11 * MINUTE, 10)
        // By a clock that was set back, or on a machine with another clock.
        expect(await ledger().admit(denial("token"))).toEqual({ outcome: "too-old" })
        expect(
          await ledger().admit({ ...denial("next"), token: { ...token("next"), expiresAt: NOW / 1000 + 601 } }),
        ).toEqual({
          outcome: "admitted",
        })
      })

      test("forgets a closed lease once no job can still ask for it", async () => {
        await issue("a", revocable())
        await ledger().beginRevocation(revocation("a"))
        await ledger().settleRevocation(revoked("a", { vault: "revoked" }))
        await sweeper().takeDue(NOW + 35 * 24 * HOUR, 10)
        expect(await endOf("a")).toEqual({ vault: "revoked" })
        await sweeper().takeDue(NOW + 40 * 24 * HOUR, 10)
        expect(await ledger().beginRevocation(revocation("a"))).toEqual({ outcome: "not-found" })
        expect(await events()).toHaveLength(4)
      })
    })

    whatOutlivesItsGrant(hands)

    whatSweepsTake(hands)
    whatIsLimited(fixture, hands)
    whatIsCutShort(hands)
    whatIsSealedAnew(hands)
    whatJobsName(hands)
    whatProofsBind(fixture, hands)
    whatIsArchived(hands)

    describe("the audit trail", () => {
      test("is empty where nothing ever was", async () => {
        expect(await trail()).toEqual([])
      })

      test("is a chain from its first record, whatever came at the same time and across a restart", async () => {
        const burst = (from: number) =>
          Promise.all(
            Array.from({ length: 20 }, async (_, index) => {
              const lease = `lease ${from + index}`
              await issue(lease, revocable())
              await ledger().beginRevocation(revocation(lease))
              await ledger().settleRevocation(revoked(lease, { vault: "revoked" }))
            }),
          )
        await burst(0)
        await fixture.restart()
        await burst(20)
        const records = await trail()
        expect(records.map(({ record }) => record.seq)).toEqual(Array.from({ length: 160 }, (_, index) => index + 1))
        const file = new TextEncoder().encode(exportTrail({ issuer: ISSUER, unit_id: repository() }, records))
        expect(verifyChain([file])).toMatchObject({ ok: true, ledgers: [{ seq: 160, chain: records.at(-1)?.chain }] })
        const other = new TextEncoder().encode(exportTrail({ issuer: ISSUER, unit_id: "other" }, records))
        expect(verifyChain([other])).toMatchObject({ ok: false, fault: { seq: 1 } })
      })

      test("is read in pages", async () => {
        for (const key of ["a", "b", "c", "d"]) await ledger().admit(denial(key))
        const seqs = async (after: number, limit: number) =>
          (await ledger().auditTrail(after, limit)).map(({ record }) => record.seq)
        expect(await seqs(0, 2)).toEqual([1, 2])
        expect(await seqs(2, 10)).toEqual([3, 4])
        expect(await seqs(4, 10)).toEqual([])
      })
    })
  })
}
