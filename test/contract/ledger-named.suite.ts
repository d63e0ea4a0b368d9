import { describe, expect, test } from "vitest"
import { DEFAULT_LIMITS } from "../../broker/core/policy/limits.ts"
import type { LedgerHands } from "./ledger-hands.ts"
import {
  admission,
  expiring,
  failed,
  HOUR,
  MINUTE,
  minted,
  NOW,
  opening,
  preparation,
  RUN,
  revocable,
  revocation,
  token,
} from "./ledger-samples.ts"

const ENDED_EARLY = { code: "client_gone" }

/** What every ledger must do for jobs that choose their leases' ids, and so know them before the exchange has an outcome. */
export function whatJobsName({
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
  describe("a lease whose id its job has chosen", () => {
    test("is opened once, and a second request does not use its token up", async () => {
      await ledger().admit(admission("a"))
      expect(await ledger().admit(admission("a", "other"))).toEqual({ outcome: "lease-taken" })
      expect(await ledger().admit(admission("b", "other"))).toEqual({ outcome: "admitted" })
      expect(await events()).toEqual(["exchange.intended", "exchange.intended"])
    })

    test("is opened by one of fifty at the same time", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) => ledger().admit(admission("a", `token ${index}`))),
      )
      expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === "lease-taken")).toHaveLength(49)
    })

    test("is a replay when it comes twice with one token", async () => {
      await ledger().admit(admission("a", "token"))
      expect(await ledger().admit(admission("a", "token"))).toEqual({ outcome: "already-used" })
      expect(await events()).toEqual(["exchange.intended", "token.replayed"])
    })

    test("is not opened again when it is closed, nor by another run", async () => {
      await ledger().admit(admission("a"))
      await ledger().settle(failed("a"))
      const other = { ...opening("a"), runId: "another" }
      expect(await ledger().admit(admission("a", "other"))).toEqual({ outcome: "lease-taken" })
      expect(await ledger().admit({ ...admission("a", "other"), lease: other })).toEqual({ outcome: "lease-taken" })
    })

    test("is not handed out when its job ends it while the exchange is under way", async () => {
      await ledger().admit({ ...admission("a"), lease: { ...opening("a"), unknownUntil: NOW + HOUR } })
      const start = { outcome: "open", credentials: [], unknownUntil: NOW + HOUR }
      expect(await ledger().beginRevocation(revocation("a", { now: NOW }))).toEqual(start)
      expect(await ledger().beginRevocation(revocation("a", { now: NOW }))).toEqual(start)
      await restart()
      await expect(ledger().prepare(preparation("a", "vault"))).rejects.toMatchObject(ENDED_EARLY)
      await expect(ledger().settle(minted("a", revocable()))).rejects.toMatchObject(ENDED_EARLY)
      await ledger().settle(failed("a"))
      expect(await endOf("a")).toEqual({})
      expect(await events()).toEqual(["exchange.intended", "lease.revoking", "exchange.failed"])
    })

    test("keeps what its exchange could not revoke then, and has it tried again", async () => {
      await ledger().admit(admission("a"))
      await ledger().beginRevocation(revocation("a", { now: NOW }))
      await ledger().settle(failed("a", revocable(), expiring()))
      expect(await taken(NOW + 2 * MINUTE)).toEqual([["a", ["vault"]]])
      await settle("a", { vault: "revoked" }, NOW + 2 * MINUTE)
      expect(await endOf("a")).toEqual({ vault: "revoked", aws: "expires-only" })
    })

    test("tells what was prepared, and leaves it to the exchange until that must be over", async () => {
      await ledger().admit({ ...admission("a"), lease: { ...opening("a"), unknownUntil: NOW + HOUR } })
      await ledger().prepare(preparation("a", "vault", 0))
      expect(await ledger().beginRevocation(revocation("a", { now: NOW }))).toMatchObject({
        outcome: "open",
        credentials: [{ grant: "vault", ended: null, sealedHandle: "sealed vault" }],
        unknownUntil: 0,
      })
      expect(await taken(NOW + MINUTE - 1)).toEqual([])
      expect(await taken(NOW + MINUTE)).toEqual([["a", ["vault"]]])
      await settle("a", { vault: "revoked" }, NOW + MINUTE)
      expect(await endOf("a")).toEqual({ vault: "revoked" })
    })

    test("says until when what its interrupted exchange minted may live, also when the broker has closed it", async () => {
      await ledger().admit({ ...admission("a"), lease: { ...opening("a"), unknownUntil: NOW + HOUR } })
      await ledger().beginRevocation(revocation("a", { now: NOW }))
      expect(await sweeper().takeDue(NOW + MINUTE, 10)).toEqual([])
      expect(await ledger().beginRevocation(revocation("a"))).toEqual({
        outcome: "done",
        credentials: [],
        unknownUntil: NOW + HOUR,
      })
      expect((await reasons()).at(-1)).toBe(
        "lease.closed: unknown: the exchange was interrupted; what it minted lives at the latest until 2100-01-01T11:00:00.000Z",
      )
    })

    test("is not ended by another run while its exchange is under way", async () => {
      await ledger().admit(admission("a"))
      expect(await ledger().beginRevocation(revocation("a", { runId: "another" }))).toEqual({ outcome: "not-found" })
      await ledger().settle(minted("a", revocable()))
      expect(await events()).toEqual(["exchange.intended", "lease.refused", "exchange.minted"])
    })

    test("is not told of without a record while its exchange is under way: it would be handed out", async () => {
      await ledger().admit(admission("a"))
      await expect(ledger().look({ lease: "a", ...RUN })).rejects.toMatchObject({ code: "ledger_unavailable" })
      expect(await ledger().look({ lease: "a", ...RUN, runAttempt: "2" })).toBe(null)
    })

    test("is never opened when its job ended it before the exchange arrived", async () => {
      expect(await ledger().beginRevocation(revocation("a", { now: NOW }))).toEqual({ outcome: "not-found" })
      expect(await ledger().beginRevocation(revocation("a", { now: NOW }))).toEqual({ outcome: "not-found" })
      await restart()
      expect(await ledger().admit(admission("a"))).toEqual({ outcome: "lease-taken" })
      expect(await events()).toEqual([])
    })

    test("is opened beyond the limit of denials, where its early end leaves no row, and ends in its time", async () => {
      const limits = { ...DEFAULT_LIMITS, denialsPerHour: { max: 1, source: "daypass.yaml:7" } }
      for (const lease of ["other", "a"]) {
        expect(await ledger().beginRevocation(revocation(lease, { now: NOW, limits }))).toEqual({
          outcome: "not-found",
        })
      }
      expect((await ledger().standing(NOW)).denials).toMatchObject({ used: 1, counted: 1 })
      expect(await ledger().admit(admission("other"))).toEqual({ outcome: "lease-taken" })
      await issue("a", revocable())
      expect(await taken(NOW + HOUR)).toEqual([["a", ["vault"]]])
    })

    test("is opened although another run or attempt asked for its end before", async () => {
      await ledger().beginRevocation(revocation("a", { now: NOW, runId: "another" }))
      await ledger().beginRevocation(revocation("a", { now: NOW, runAttempt: "2" }))
      await issue("a", revocable())
      expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({ outcome: "begun" })
    })

    test("that never was is forgotten with the token that ended it, when no older one can be valid", async () => {
      await ledger().beginRevocation(revocation("a", { now: NOW, token: token("ending a") }))
      await sweeper().takeDue(NOW + HOUR + 10 * MINUTE, 10)
      expect(await ledger().admit(admission("a"))).toEqual({ outcome: "lease-taken" })
      await sweeper().takeDue(NOW + HOUR + 11 * MINUTE, 10)
      expect(await ledger().admit(admission("a"))).toEqual({ outcome: "too-old" })
      const next = { ...token("next"), expiresAt: NOW / 1000 + 2 * 60 * 60 }
      expect(await ledger().admit({ ...admission("a"), token: next })).toEqual({ outcome: "admitted" })
    })
  })
}
