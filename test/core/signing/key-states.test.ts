import { describe, expect, it } from "vitest"
import type { StoredKey } from "../../../broker/ports/key-ring.ts"
import {
  activeKey,
  addNext,
  first,
  PUBLISH_AHEAD_SECONDS,
  promote,
  publishedKeys,
  stateOf,
} from "../../../broker/signing/key-states.ts"

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
    expect(states(keys, later(599))).toEqual(["a retiring", "b active"])
    expect(states(keys, later(600))).toEqual(["a gone", "b active"])
    expect(publishedKeys(keys, later(600)).map((each) => each.kid)).toEqual(["b"])
  })

  it("is one next at a time, and nothing is promoted without one", () => {
    const keys = addNext(first(key("a"), T0), key("b"), T0) ?? []
    expect(addNext(keys, key("c"), T0)).toBeNull()
    expect(promote(first(key("a"), T0), at(PUBLISH_AHEAD_SECONDS * 2))).toBeNull()
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
})
