import { describe, expect, test } from "vitest"
import { DEFAULT_LIMITS } from "../../broker/core/policy/limits.ts"
import { ISSUER, type LedgerFixture, type LedgerHands } from "./ledger-hands.ts"
import {
  admission,
  denial,
  failed,
  HOUR,
  MINUTE,
  minted,
  NOW,
  opening,
  record,
  revocable,
  revocation,
  revoked,
  token,
} from "./ledger-samples.ts"

const limit = (max: number) => ({ max, source: "daypass.yaml:7" })
const LIMITS = { exchangesPerMinute: limit(3), openLeases: limit(4), denialsPerHour: limit(2) }

/** A token that was issued at `now`. */
const tokenAt = (key: string, now: number) => ({
  key,
  issuedAt: now / 1000,
  expiresAt: (now + 10 * MINUTE) / 1000,
})

/** What every ledger must do so that no repository's jobs can use up what belongs to all. */
export function whatIsLimited(fixture: LedgerFixture, hands: LedgerHands): void {
  const { ledger, sweeper, repository, events, reasons, settle } = hands
  const admit = (lease: string, now = NOW) =>
    ledger().admit({ ...admission(lease), token: tokenAt(lease, now), now, limits: LIMITS })
  const deny = (key: string, now = NOW) =>
    ledger().admit({ ...denial(key), token: tokenAt(key, now), now, limits: LIMITS })

  describe("what is limited", () => {
    test("are exchanges in a minute: the token is not used up, and works in the next minute", async () => {
      for (const lease of ["a", "b", "c"]) expect(await admit(lease)).toEqual({ outcome: "admitted" })
      expect(await admit("d", NOW + 50_000)).toEqual({
        outcome: "over-limit",
        reached: { name: "exchanges_per_minute", ...limit(3), used: 3, retryAfterSeconds: 10 },
      })
      expect(await admit("d", NOW + MINUTE)).toEqual({ outcome: "admitted" })
      expect(await events()).toEqual([...Array(3).fill("exchange.intended"), "limit.reached", "exchange.intended"])
      expect(await reasons()).toContain("limit.reached: exchanges_per_minute: a test")
    })

    test("is recorded once an hour for each limit, however often it is reached", async () => {
      for (const lease of ["a", "b", "c", "d", "e", "f"]) await admit(lease)
      expect((await events()).filter((event) => event === "limit.reached")).toHaveLength(1)
      await admit("g", NOW + HOUR)
      await fixture.restart()
      for (const lease of ["h", "i", "j", "k"]) await admit(lease, NOW + HOUR)
      expect((await events()).filter((event) => event === "limit.reached")).toHaveLength(2)
    })

    test("are not revocations: none waits until the closed leases of an earlier flood are deleted", async () => {
      const later = NOW + 40 * 24 * HOUR
      for (let one = 0; one < 20; one++) {
        await ledger().admit(admission(`old ${one}`))
        await ledger().settle(failed(`old ${one}`))
      }
      const lease = { ...opening("new"), endsBy: later }
      await ledger().admit({ ...admission("new"), lease, token: tokenAt("new", later), now: later })
      await ledger().settle(minted("new", revocable("vault", { expiresAt: null, grantedUntil: later })))
      const taken = await sweeper().takeDue(later, 10)
      expect(taken.map(({ lease }) => lease)).toEqual(["new"])
    })

    test("are open leases: one that is closed makes room", async () => {
      for (const [index, lease] of ["a", "b", "c", "d"].entries()) {
        await admit(lease, NOW + index * MINUTE)
        await ledger().settle(minted(lease, revocable()))
      }
      expect(await admit("e", NOW + 5 * MINUTE)).toMatchObject({
        outcome: "over-limit",
        reached: { name: "open_leases", used: 4 },
      })
      await ledger().beginRevocation(revocation("a"))
      expect(await admit("e", NOW + 5 * MINUTE)).toMatchObject({ outcome: "over-limit" })
      await ledger().settleRevocation(revoked("a", { vault: "revoked" }))
      expect(await admit("e", NOW + 5 * MINUTE)).toEqual({ outcome: "admitted" })
      expect((await ledger().standing(NOW + 5 * MINUTE)).openLeases).toBe(4)
    })

    test("are the open leases of a grant, in one environment", async () => {
      const limited = (lease: string, key: string) => ({
        ...admission(lease),
        lease: { ...opening(lease), limited: [{ grant: "db", key, max: 1, source: "production.yaml:9" }] },
      })
      expect(await ledger().admit(limited("a", "production db"))).toEqual({ outcome: "admitted" })
      expect(await ledger().admit(limited("b", "production db"))).toEqual({
        outcome: "over-limit",
        reached: {
          name: "max_open_leases",
          grant: "db",
          max: 1,
          source: "production.yaml:9",
          used: 1,
          retryAfterSeconds: 15,
        },
      })
      expect(await ledger().admit(limited("b", "staging db"))).toEqual({ outcome: "admitted" })
      expect((await reasons()).filter((reason) => reason.startsWith("limit.reached"))).toEqual([
        "limit.reached: max_open_leases of db: a test",
      ])
      await fixture.restart()
      // The exchange of a was interrupted: it holds no place for ever.
      await sweeper().takeDue(NOW + MINUTE, 10)
      expect(await ledger().admit({ ...limited("c", "production db"), now: NOW + MINUTE })).toEqual({
        outcome: "admitted",
      })
    })

    test("are recorded denials in an hour: what is beyond is answered, counted, and uses no token up", async () => {
      for (const key of ["a", "b"]) expect(await deny(key)).toEqual({ outcome: "admitted" })
      for (const key of ["c", "c", "d"]) expect(await deny(key)).toEqual({ outcome: "counted" })
      expect(await events()).toEqual(["exchange.denied", "exchange.denied"])
      expect(await ledger().standing(NOW)).toEqual({
        exchanges: { used: 0, resetsInSeconds: 60 },
        openLeases: 0,
        denials: { used: 2, counted: 3, resetsInSeconds: 3600 },
      })
      expect(await admit("c")).toEqual({ outcome: "admitted" })
    })

    test("is counted in one record when the hour is over, by the next call or by the sweep", async () => {
      for (const key of ["a", "b", "c", "d"]) await deny(key)
      await fixture.restart()
      await sweeper().takeDue(NOW + HOUR - 1, 10)
      expect(await events()).toHaveLength(2)
      await sweeper().takeDue(NOW + HOUR, 10)
      expect((await reasons()).at(-1)).toBe(
        "denials.counted: 2 further denials in the hour from 2100-01-01T10:00:00.000Z have no record of their own",
      )
      await sweeper().takeDue(NOW + 3 * HOUR, 10)
      expect(await events()).toHaveLength(3)
      for (const key of ["e", "f", "g"]) await deny(key, NOW + 3 * HOUR)
      await admit("h", NOW + 4 * HOUR)
      expect((await events()).slice(3)).toEqual([
        "exchange.denied",
        "exchange.denied",
        "denials.counted",
        "exchange.intended",
      ])
    })

    test("is one repository's own: another's jobs are not held up", async () => {
      for (const lease of ["a", "b", "c", "d"]) await admit(lease)
      const other = fixture.ledgers().of(ISSUER, `another than ${repository()}`)
      expect(await other.admit({ ...admission("a"), limits: LIMITS })).toEqual({ outcome: "admitted" })
    })

    test("never stands in the way of a revocation", async () => {
      await admit("a")
      await ledger().settle(minted("a", revocable()))
      for (const lease of ["b", "c", "d"]) await admit(lease)
      for (const key of ["x", "y", "z"]) await deny(key)
      expect(await ledger().beginRevocation(revocation("a", { limits: LIMITS }))).toMatchObject({ outcome: "begun" })
      await settle("a", { vault: "revoked" }, NOW + MINUTE)
      expect((await events()).at(-1)).toBe("lease.closed")
    })

    test("are signs of misuse, too: once for each token, and within the denials of the hour", async () => {
      const suspect = (key: string) =>
        ledger().suspect({ token: token(key), now: NOW, limits: LIMITS, audit: record("token.unbound") })
      for (const key of ["a", "a", "b", "c", "b", "d"]) await suspect(key)
      expect(await events()).toEqual(["token.unbound", "token.unbound"])
      // Beyond the limit nothing is kept of a token, so one that is sent again counts again.
      expect((await ledger().standing(NOW)).denials).toMatchObject({ used: 2, counted: 3 })
      // The job itself can still use its token.
      expect(await ledger().admit({ ...admission("lease", "a"), limits: DEFAULT_LIMITS })).toEqual({
        outcome: "admitted",
      })
    })

    test("is nothing for a repository of which nothing is known", async () => {
      expect(await ledger().standing(NOW + 30_000)).toEqual({
        exchanges: { used: 0, resetsInSeconds: 30 },
        openLeases: 0,
        denials: { used: 0, counted: 0, resetsInSeconds: 3570 },
      })
      expect(await events()).toEqual([])
    })
  })

  describe("what is read while nothing can be written", () => {
    test("is a lease of the same run, and nothing of it changes", async () => {
      await hands.issue("a", revocable())
      const lease = { lease: "a", runId: "100", runAttempt: "1" }
      expect(await ledger().look(lease)).toEqual([{ ...revocable(), ended: null }])
      expect(await ledger().look({ ...lease, runId: "101" })).toBeNull()
      expect(await ledger().look({ ...lease, lease: "b" })).toBeNull()
      expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({ outcome: "begun" })
    })

    test("are the leases that are due, as a sweep would take them", async () => {
      await hands.issue("a", revocable())
      await hands.issue("b", revocable("late", { grantedUntil: NOW + 2 * HOUR, expiresAt: null }))
      const due = async (now: number) => (await sweeper().lookDue(now, 10)).map(({ lease }) => lease)
      expect(await due(NOW + HOUR - 1)).toEqual([])
      expect(await due(NOW + HOUR)).toEqual(["a"])
      expect(await due(NOW + HOUR)).toEqual(["a"])
      expect(await hands.taken(NOW + HOUR)).toEqual([["a", ["vault"]]])
    })

    test("can be recorded later, in one step, and only while the lease is open", async () => {
      await hands.issue("a", revocable("one"), revocable("two"))
      await ledger().recordRevocation(revoked("a", { one: "revoked", two: "failed" }))
      expect((await events()).at(-1)).toBe("lease.revoking")
      await ledger().recordRevocation(revoked("a", { one: "revoked", two: "revoked" }, NOW + 10 * MINUTE))
      await ledger().recordRevocation(revoked("a", { two: "failed" }, NOW + 20 * MINUTE))
      expect(await hands.endOf("a")).toEqual({ one: "revoked", two: "revoked" })
      expect((await events()).slice(2)).toEqual(["lease.revoking", "lease.closed"])
    })
  })
}
