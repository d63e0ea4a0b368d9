import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { StoredKey } from "../../../broker/ports/key-ring.ts"
import {
  activeKey,
  addNext,
  first,
  nextStateOf,
  PUBLISH_AFTER_SECONDS,
  PUBLISH_AHEAD_SECONDS,
  promote,
  publishedKeys,
  publishesNextAt,
  retire,
  stateOf,
} from "../../../broker/signing/key-states.ts"
import { runs } from "../../support/laws.ts"

const T0 = new Date("2026-11-22T00:00:00.000Z")
const at = (seconds: number) => new Date(T0.getTime() + seconds * 1000)
const key = (kid: string, createdAt = T0): StoredKey => ({
  kid,
  publicJwk: { kty: "RSA", n: kid, e: "AQAB" },
  sealedPrivateKey: "sealed",
  createdAt: createdAt.toISOString(),
  activatedAt: null,
  retiredAt: null,
})
const states = (keys: readonly StoredKey[] | null, now: Date) =>
  keys?.map((each) => `${each.kid} ${stateOf(each, now)}`)

describe("a signing key", () => {
  it("signs at once when it is the first", () => {
    expect(states(first(key("a"), T0), T0)).toEqual(["a active"])
  })

  it("is published as next before it signs", () => {
    const keys = addNext(first(key("a"), T0), key("b"), T0)
    expect(states(keys, T0)).toEqual(["a active", "b next"])
    expect(publishedKeys(keys ?? [], T0).map((each) => each.kid)).toEqual(["a", "b"])
    expect(activeKey(keys ?? [], T0)?.kid).toBe("a")
  })

  it("is not promoted before verifiers had time to see it", () => {
    const keys = addNext(first(key("a"), T0), key("b"), T0) ?? []
    expect(promote(keys, at(PUBLISH_AHEAD_SECONDS - 1))).toBeNull()
    expect(states(promote(keys, at(PUBLISH_AHEAD_SECONDS)), at(PUBLISH_AHEAD_SECONDS))).toEqual([
      "a retiring",
      "b active",
    ])
  })

  it("stays published until the last token it signed is dead, and is then gone", () => {
    const due = at(PUBLISH_AHEAD_SECONDS)
    const keys = promote(addNext(first(key("a"), T0), key("b"), T0) ?? [], due) ?? []
    const later = (seconds: number) => new Date(due.getTime() + seconds * 1000)
    expect(states(keys, later(PUBLISH_AFTER_SECONDS - 1))).toEqual(["a retiring", "b active"])
    expect(states(keys, later(PUBLISH_AFTER_SECONDS))).toEqual(["a gone", "b active"])
    expect(publishedKeys(keys, later(PUBLISH_AFTER_SECONDS)).map((each) => each.kid)).toEqual(["b"])
  })

  it("is one next at a time, and nothing is promoted without one", () => {
    const keys = addNext(first(key("a"), T0), key("b"), T0) ?? []
    expect(addNext(keys, key("c"), T0)).toBeNull()
    expect(promote(first(key("a"), T0), at(PUBLISH_AHEAD_SECONDS * 2))).toBeNull()
  })

  it("can be retired before its time, unless it signs", () => {
    const rotated = promote(addNext(first(key("a"), T0), key("b"), T0) ?? [], at(PUBLISH_AHEAD_SECONDS)) ?? []
    const now = at(PUBLISH_AHEAD_SECONDS + 1)
    const keys = addNext(rotated, key("c", now), now) ?? []
    expect(retire(keys, "b", now)).toBe("signing")
    expect(retire(keys, "d", now)).toBe("unknown")
    expect(states(retire(keys, "a", now) as StoredKey[], now)).toEqual(["b active", "c next"])
    expect(states(retire(keys, "c", now) as StoredKey[], now)).toEqual(["a retiring", "b active"])
    expect(retire(keys, "a", at(PUBLISH_AHEAD_SECONDS + PUBLISH_AFTER_SECONDS))).toBe("unknown")
  })

  it("tells its next state, and when", () => {
    const keys = addNext(first(key("a"), T0), key("b"), T0) ?? []
    const day = at(PUBLISH_AHEAD_SECONDS)
    expect(keys.map((each) => nextStateOf(each, keys, T0))).toEqual([
      { state: "retiring", at: day },
      { state: "active", at: day },
    ])
    const after = promote(keys, day) ?? []
    expect(after.map((each) => nextStateOf(each, after, day))).toEqual([
      { state: "gone", at: at(PUBLISH_AHEAD_SECONDS + PUBLISH_AFTER_SECONDS) },
      null,
    ])
  })

  it("is published by a schedule a day before the active one has signed long enough", () => {
    const month = 30 * PUBLISH_AHEAD_SECONDS
    const keys = first(key("a"), T0)
    expect(publishesNextAt([], T0, month)).toBeNull()
    expect(publishesNextAt(keys, T0, month)).toEqual(at(month - PUBLISH_AHEAD_SECONDS))
    expect(publishesNextAt(addNext(keys, key("b"), T0) ?? [], T0, month)).toBeNull()
  })

  it("leaves exactly one active through any number of rotations", () => {
    let keys = first(key("k0"), T0)
    for (let round = 1; round <= 5; round++) {
      const made = at(round * 3 * PUBLISH_AHEAD_SECONDS)
      keys = addNext(keys, key(`k${round}`, made), made) ?? []
      const due = new Date(made.getTime() + PUBLISH_AHEAD_SECONDS * 1000)
      keys = promote(keys, due) ?? []
      expect(keys.filter((each) => stateOf(each, due) === "active").map((each) => each.kid)).toEqual([`k${round}`])
    }
  })

  it("that signs is always one, and published, whatever the clock does and in whatever order operators and schedules act", () => {
    const day = PUBLISH_AHEAD_SECONDS
    const acts = fc.array(
      fc.oneof(
        fc.record({ jump: fc.integer({ min: -9 * day, max: 9 * day }) }),
        fc.record({ act: fc.constantFrom("publish", "promote", "replace", "retire") }),
      ),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(acts, (story) => {
        let now = T0
        let keys = first(key("0"), T0)
        for (const [index, one] of story.entries()) {
          const made = key(`${index + 1}`, now)
          if ("jump" in one) now = new Date(now.getTime() + one.jump * 1000)
          else if (one.act === "publish") keys = addNext(keys, made, now) ?? keys
          else if (one.act === "promote") keys = promote(keys, now) ?? keys
          else if (one.act === "replace") keys = first(made, now)
          else {
            const after = retire(keys, keys[index % keys.length]?.kid ?? "", now)
            if (typeof after !== "string") keys = after
          }
          const active = keys.filter((each) => stateOf(each, now) === "active")
          expect(active).toHaveLength(1)
          expect(publishedKeys(keys, now)).toEqual(expect.arrayContaining(active))
          expect(keys.filter((each) => stateOf(each, now) === "next").length).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: runs(500) },
    )
  })
})
