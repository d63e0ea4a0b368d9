import { describe, expect, test } from "vitest"
import {
  diesAt,
  EXPIRED_MARGIN_MS,
  endWithTime,
  overAt,
  revokeAt,
  wasTried,
} from "../../broker/adapters/ledger/credential-ends.ts"
import {
  becameDue,
  failed,
  isBusy,
  isOvertaken,
  type Lease,
  minted,
  newlyExpired,
  prepared,
  revocableNow,
  revocationAsked,
  revocationBegun,
  revocationEnded,
} from "../../broker/adapters/ledger/lease-states.ts"
import type { LeaseCredentialState } from "../../broker/ports/ledger.ts"
import { expiring, HOUR, MINUTE, NOW, outliving, revocable } from "./ledger-samples.ts"

const DAY = 24 * HOUR

const OPEN: Lease = {
  state: "open",
  endsBy: NOW + 2 * HOUR,
  overSince: null,
  dueAt: NOW + 2 * HOUR,
  triedAt: null,
  attempts: 0,
  unknownUntil: 0,
  credentials: [],
}

const alive = (credential: ReturnType<typeof revocable>): LeaseCredentialState => ({ ...credential, ended: null })
const issued = (...credentials: readonly ReturnType<typeof revocable>[]) => minted(OPEN, credentials.map(alive))
const endsOf = (lease: Lease) => Object.fromEntries(lease.credentials.map(({ grant, ended }) => [grant, ended]))

describe("a lease that was minted", () => {
  test("is due when the first of what can be taken back is over", () => {
    expect(issued(outliving("late", 30), outliving("early", 15), expiring())).toMatchObject({
      state: "active",
      dueAt: NOW + 15 * MINUTE,
      attempts: 0,
      unknownUntil: 0,
    })
  })

  test("of which nothing is to be taken back is due when the last has expired", () => {
    const early = expiring("early", { expiresAt: NOW + MINUTE })
    expect(issued(early, expiring("late")).dueAt).toBe(NOW + HOUR)
    expect(issued(expiring("late"), early).dueAt).toBe(NOW + HOUR)
  })

  test.each([
    ["minted", (lease: Lease) => minted(lease, [])],
    ["failed", (lease: Lease) => failed(lease, [], NOW)],
  ])("is not %s again: a second outcome would bring back what has ended", (_, again) => {
    expect(() => again(issued(revocable()))).toThrow("The outcome of this exchange came too late, or twice.")
  })
})

describe("a lease whose exchange failed", () => {
  test("has failed when nothing is left, and is kept for 36 days", () => {
    expect(failed(OPEN, [], NOW)).toMatchObject({ state: "failed", dueAt: NOW + 36 * DAY })
  })

  test("is over as a whole: what is left is tried again in a minute or two", () => {
    expect(failed(OPEN, [alive(revocable())], NOW)).toMatchObject({
      state: "revoking",
      overSince: NOW,
      triedAt: NOW,
      dueAt: NOW + MINUTE,
    })
  })

  test("ends with what only expires, where nothing else is left", () => {
    expect(failed(OPEN, [alive(expiring())], NOW)).toMatchObject({ state: "expires-only" })
  })
})

describe("a lease that its job ends", () => {
  test("is over from then on, or from when it was over already", () => {
    const begun = revocationBegun(issued(revocable(), expiring()), NOW + MINUTE)
    expect(begun).toMatchObject({
      state: "revoking",
      overSince: NOW + MINUTE,
      triedAt: NOW + MINUTE,
      attempts: 1,
      dueAt: NOW + 2 * MINUTE,
    })
    expect(endsOf(begun)).toEqual({ vault: null, aws: "expires-only" })
    expect(revocationBegun(begun, NOW + 3 * MINUTE)).toMatchObject({ overSince: NOW + MINUTE, attempts: 2 })
    // A clock that was set back: what is over does not come back.
    expect(revocationBegun(begun, NOW).overSince).toBe(NOW)
  })

  test.each([
    [{ one: "revoked", two: "revoked" }, "revoked"],
    [{ one: "revoked", two: "failed" }, "revoking"],
  ] as const)("and that comes out as %j is %s", (outcomes, state) => {
    const begun = revocationBegun(issued(revocable("one"), revocable("two")), NOW)
    expect(revocationEnded(begun, outcomes, NOW)).toMatchObject({ state })
  })

  test.each([
    ["what only expires", [revocable(), expiring()], NOW, "expires-only"],
    [
      "what has certainly expired",
      [revocable(), revocable("short", { expiresAt: NOW - EXPIRED_MARGIN_MS })],
      NOW + 2 * MINUTE,
      "expired",
    ],
    [
      "what only expires and what has expired",
      [revocable(), expiring(), expiring("short", { expiresAt: NOW + MINUTE })],
      NOW + 2 * MINUTE,
      "expires-only",
    ],
  ] as const)("is told by its weakest end: beside what was revoked, %s", (_, credentials, now, state) => {
    const begun = revocationBegun(issued(...credentials), now)
    expect(revocationEnded(begun, { vault: "revoked" }, now)).toMatchObject({ state, dueAt: now + 36 * DAY })
  })

  test("takes no outcome from a prototype, and none for what has ended", () => {
    const begun = revocationBegun(issued(revocable("toString"), expiring()), NOW)
    expect(endsOf(revocationEnded(begun, { aws: "revoked" }, NOW))).toEqual({ toString: null, aws: "expires-only" })
  })

  test("waits twice as long after each attempt, an hour at most, and never beyond its own end", () => {
    let lease = revocationBegun(issued(revocable("vault", { expiresAt: NOW + 100 * DAY })), NOW)
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt += 1) {
      lease = revocationEnded(lease, { vault: "failed" }, NOW)
      waits.push((lease.dueAt - NOW) / MINUTE)
      lease = revocationBegun(lease, NOW)
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60])
    const short = revocationBegun(issued(revocable("vault", { expiresAt: NOW + 30_000 - EXPIRED_MARGIN_MS })), NOW)
    expect(short.dueAt).toBe(NOW + 30_000)
  })

  test("is due when the last of what was tried has expired, if that is before the next attempt", () => {
    const lease = revocationBegun(
      issued(
        revocable("one", { expiresAt: NOW + 10_000 - EXPIRED_MARGIN_MS }),
        revocable("two", { expiresAt: NOW + 20_000 - EXPIRED_MARGIN_MS }),
      ),
      NOW,
    )
    expect(lease.dueAt).toBe(NOW + 20_000)
  })

  test("while the broker takes a part of it back, is over, and the rest is next", () => {
    const swept = becameDue(issued(outliving("one", 15), outliving("two", 30)), NOW + 15 * MINUTE)
    expect(swept).toMatchObject({ state: "revoking", overSince: null })
    const asked = revocationAsked(swept, NOW + 15 * MINUTE)
    expect(asked).toMatchObject({ state: "revoking", overSince: NOW + 15 * MINUTE + 1, dueAt: NOW + 16 * MINUTE })
    expect(wasTried(alive(outliving("two", 30)), asked)).toBe(false)
    expect(revocationAsked(asked, NOW + 16 * MINUTE)).toBe(asked)
  })
})

describe("a lease whose time has come", () => {
  test("expires where its exchange was never heard of again", () => {
    expect(becameDue(OPEN, NOW + 2 * HOUR)).toMatchObject({ state: "expired", dueAt: NOW + 2 * HOUR + 36 * DAY })
  })

  test("begins to revoke what was prepared for an exchange that was never heard of again", () => {
    const lease = prepared(OPEN, alive(revocable("vault", { grantedUntil: null, expiresAt: null })))
    const swept = becameDue(lease, NOW + MINUTE)
    expect(swept).toMatchObject({ state: "revoking", overSince: NOW + MINUTE })
    expect(revocableNow(swept).map(({ grant }) => grant)).toEqual(["vault"])
    expect(() => prepared(issued(revocable()), alive(revocable("other")))).toThrow("came too late")
  })

  test("is busy for a minute after an attempt began, and only while it is revoking", () => {
    const begun = revocationBegun(issued(revocable()), NOW)
    expect([isBusy(begun, NOW), isBusy(begun, NOW + MINUTE - 1), isBusy(begun, NOW + MINUTE)]).toEqual([
      true,
      true,
      false,
    ])
    const waiting = revocationEnded(revocationBegun(begun, NOW), { vault: "failed" }, NOW)
    expect(isBusy(waiting, NOW + MINUTE)).toBe(false)
    expect(isBusy(issued(revocable()), NOW)).toBe(false)
  })

  test("goes on where nothing of it is over yet", () => {
    const lease = issued(outliving("one", 15))
    expect(becameDue(lease, NOW + MINUTE)).toEqual(lease)
  })

  test("ends with what never expires and cannot be taken back", () => {
    const lease = issued(expiring("forever", { expiresAt: null }))
    expect(lease.dueAt).toBe(NOW + 2 * HOUR)
    expect(becameDue(lease, NOW + 2 * HOUR - 1)).toMatchObject({ state: "active" })
    expect(becameDue(lease, NOW + 2 * HOUR)).toMatchObject({ state: "expires-only" })
  })

  test("begins a new attempt at what is newly over without the wait of what failed before", () => {
    let lease = becameDue(issued(outliving("one", 15), outliving("two", 30)), NOW + 15 * MINUTE)
    expect(newlyExpired(issued(outliving("one", 15)), lease)).toEqual(["one"])
    lease = { ...revocationEnded(lease, { one: "failed" }, NOW + 15 * MINUTE), attempts: 9 }
    const before = lease
    lease = becameDue(lease, NOW + 30 * MINUTE)
    expect(lease).toMatchObject({ attempts: 1, dueAt: NOW + 31 * MINUTE })
    expect(newlyExpired(before, lease)).toEqual(["two"])
  })

  test("that was closed stays closed", () => {
    const closed = failed(OPEN, [], NOW)
    expect(isOvertaken(closed)).toBe(true)
    expect(() => revocationBegun({ ...closed, credentials: [alive(revocable())] }, NOW)).toThrow(
      "a lease that is failed cannot become revoking",
    )
  })
})

describe("when a credential ends", () => {
  const lease = { endsBy: NOW + 2 * HOUR, overSince: null, triedAt: null }

  test.each([
    ["its granted time", outliving("a", 15), lease, NOW + 15 * MINUTE],
    ["its own end", revocable("a", { expiresAt: NOW + MINUTE }), lease, NOW + MINUTE],
    [
      "its lease's end, where it has none",
      revocable("a", { expiresAt: null, grantedUntil: null }),
      lease,
      NOW + 2 * HOUR,
    ],
    ["the end of its lease as a whole", outliving("a", 15), { ...lease, overSince: NOW }, NOW],
  ])("nothing of it should live longer than %s", (_, credential, over, expected) => {
    expect(overAt(alive(credential), over)).toBe(expected)
  })

  test.each([
    ["what is over before it dies", alive(outliving("a", 15)), NOW + 15 * MINUTE],
    ["what dies at that very time, by the broker's clock", alive(revocable()), NOW + HOUR],
    ["what only expires", alive(expiring("a", { expiresAt: null })), Number.POSITIVE_INFINITY],
    ["what has ended", { ...outliving("a", 15), ended: "revoked" as const }, Number.POSITIVE_INFINITY],
  ])("the broker takes back %s at %s", (_, credential, expected) => {
    expect(revokeAt(credential, lease)).toBe(expected)
  })

  test("it was tried when it was over by the last attempt", () => {
    const credential = alive(outliving("a", 15))
    const at = NOW + 15 * MINUTE
    expect(wasTried(credential, lease)).toBe(false)
    expect(wasTried(credential, { ...lease, triedAt: at - 1 })).toBe(false)
    expect(wasTried(credential, { ...lease, triedAt: at })).toBe(true)
    // 1970 is an attempt, too: only null is none.
    expect(wasTried(credential, { ...lease, overSince: -1, triedAt: 0 })).toBe(true)
    expect(wasTried(credential, { ...lease, overSince: -1, triedAt: null })).toBe(false)
  })

  test("by itself is when it expires", () => {
    expect([diesAt(alive(expiring())), diesAt(alive(expiring("a", { expiresAt: null })))]).toEqual([
      NOW + HOUR,
      Number.POSITIVE_INFINITY,
    ])
  })

  test.each([
    ["what has expired", expiring(), lease, NOW + HOUR, "expired"],
    ["what has not", expiring(), lease, NOW + HOUR - 1, null],
    ["what can be taken back and has certainly expired", revocable(), lease, NOW + HOUR + EXPIRED_MARGIN_MS, "expired"],
    [
      "what can be taken back and may live by another clock",
      revocable(),
      lease,
      NOW + HOUR + EXPIRED_MARGIN_MS - 1,
      null,
    ],
    ["what can be taken back from a lease that is over", revocable(), { ...lease, overSince: NOW }, NOW, null],
    ["what only expires, from a lease that is over", expiring(), { ...lease, overSince: NOW }, NOW, "expires-only"],
    ["what only expires, from a lease that goes on", expiring(), lease, NOW, null],
    [
      "what never expires, at its lease's end",
      expiring("a", { expiresAt: null }),
      lease,
      NOW + 2 * HOUR,
      "expires-only",
    ],
    ["what never expires, before", expiring("a", { expiresAt: null }), lease, NOW + 2 * HOUR - 1, null],
  ] as const)("and time passes: %s", (_, credential, times, now, ended) => {
    const [after] = endWithTime([alive(credential)], times, now)
    expect(after).toEqual({ ...credential, ended, sealedHandle: ended === null ? credential.sealedHandle : null })
  })

  test("it has ended for good: time changes nothing of it", () => {
    const revoked = { ...revocable(), sealedHandle: null, ended: "revoked" as const }
    expect(endWithTime([revoked], { ...lease, overSince: NOW }, NOW + DAY)).toEqual([revoked])
    const letBe = { ...expiring(), ended: "expires-only" as const }
    expect(endWithTime([letBe], { ...lease, overSince: NOW }, NOW + DAY)).toEqual([letBe])
  })
})
