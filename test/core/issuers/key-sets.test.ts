// Longer than most: a cached set has one life, and each of its ages is told from the others only beside them.
import { beforeAll, beforeEach, describe, expect, test } from "vitest"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { createKeySets, type KeySets } from "../../../broker/issuers/key-sets.ts"
import { HttpError } from "../../../broker/ports/http.ts"
import { cryptography } from "../../support/cryptography.ts"
import {
  DISCOVERY_URL,
  ISSUER_URL,
  issuer,
  JWKS_URL,
  makeKey,
  publicJwk,
  refusal,
  type TestKey,
  TestNetwork,
  testClock,
} from "./fixture.ts"

const MINUTE = 60
/** Of real time: for how long a request here waits for keys that others fetch. */
const WAIT_MS = 40
const ONE_FETCH = [DISCOVERY_URL, JWKS_URL]

let first: TestKey
let second: TestKey
let clock: ReturnType<typeof testClock>
let network: TestNetwork
let keySets: KeySets

beforeAll(async () => {
  first = await makeKey("first")
  second = await makeKey("second")
})

beforeEach(() => {
  clock = testClock()
  network = new TestNetwork()
  network.publish([publicJwk(first)])
  keySets = createKeySets(network.http, clock, cryptography, WAIT_MS)
})

const find = (kid: string, alg = "RS256", at = issuer()) => keySets.find(at, githubActions, kid, alg)
const fetches = () => network.urls.filter((url) => url === DISCOVERY_URL).length
const goDown = () => network.answer(DISCOVERY_URL, new HttpError("unreachable"))

describe("an issuer's keys", () => {
  test("are fetched by way of its discovery document, with bounds, and imported once", async () => {
    const key = await find("first")
    expect(key).not.toBeNull()
    expect(await find("first")).toBe(key)
    expect(network.urls).toEqual(ONE_FETCH)
    for (const request of network.requests) {
      expect(request).toMatchObject({ method: "GET", timeoutMs: 5_000, maxBytes: 65_536 })
      expect(Object.keys(request.headers ?? {})).toEqual(["accept"])
      expect(request.body).toBeUndefined()
    }
  })

  test("are fetched from a path below the issuer for a family that says so", async () => {
    network.answer(`${ISSUER_URL}/jwks`, { body: { keys: [publicJwk(first)] } })
    const family = { ...githubActions, keys: { by: "path", path: "/jwks" } } as const
    expect(await keySets.find(issuer(), family, "first", "RS256")).not.toBeNull()
    expect(network.urls).toEqual([`${ISSUER_URL}/jwks`])
  })

  test("are found for the algorithm that they are for, and no other", async () => {
    expect(await find("first", "RS512")).toBeNull()
    expect(await find("first", "HS256")).toBeNull()
    network.publish([publicJwk(first, { alg: "RS512" }), publicJwk(second)])
    clock.advance(31)
    expect(await find("second")).not.toBeNull()
    expect(await find("first")).toBeNull()
  })

  test("that name no algorithm are found for those of the family", async () => {
    network.publish([publicJwk(first, { alg: undefined })])
    expect(await find("first")).not.toBeNull()
    expect(await find("first", "RS512")).toBeNull()
  })

  test("are kept apart from another issuer's, even of the same kid", async () => {
    const other = "https://issuer.example"
    network.publish([publicJwk(second, { kid: "first" })], other, `${other}/keys`)
    const mine = await find("first")
    const others = await find("first", "RS256", issuer({ name: "other", url: other }))
    expect(others).not.toBeNull()
    expect(others).not.toBe(mine)
  })

  test("are kept for a bounded number of issuers: the one listed longest ago is fetched again", async () => {
    await find("first")
    for (let index = 0; index < 64; index += 1) {
      const url = `https://issuer-${index}.example`
      network.publish([publicJwk(first)], url, `${url}/keys`)
      await find("first", "RS256", issuer({ name: `issuer-${index}`, url }))
    }
    await find("first")
    expect(fetches()).toBe(2)
  })
})

describe("for ten minutes", () => {
  test("keys are served without asking the issuer", async () => {
    await find("first")
    clock.advance(9 * MINUTE - 1)
    await find("first")
    expect(fetches()).toBe(1)
  })

  test("and no longer: then a key that vanished is gone, and a new one is there", async () => {
    await find("first")
    network.publish([publicJwk(second)])
    clock.advance(10 * MINUTE)
    expect(await find("first")).toBeNull()
    expect(await find("second")).not.toBeNull()
    expect(fetches()).toBe(2)
  })

  test("the last minute of which one request refreshes them, and the others do not wait for it", async () => {
    await find("first")
    clock.advance(9 * MINUTE)
    const release = network.hold()
    const refreshing = find("first")
    expect(await find("first")).not.toBeNull()
    expect(await find("first")).not.toBeNull()
    release()
    expect(await refreshing).not.toBeNull()
    expect(fetches()).toBe(2)
  })

  test("counted from when the fetch began, not from when it ended", async () => {
    const release = network.hold()
    const fetching = find("first")
    clock.advance(9 * MINUTE)
    release()
    await fetching
    await find("first")
    expect(fetches()).toBe(2)
  })
})

describe("while the issuer is down", () => {
  test("its keys are served up to an hour old, and asked for every 30 s at most", async () => {
    await find("first")
    goDown()
    for (let elapsed = 10 * MINUTE; elapsed < 60 * MINUTE; elapsed += 10) {
      clock.advance(elapsed === 10 * MINUTE ? elapsed : 10)
      expect(await find("first")).not.toBeNull()
    }
    expect(fetches()).toBe(1 + (50 * MINUTE) / 30)
    clock.advance(10)
    expect(await refusal(find("first"))).toMatchObject({ code: "issuer_unavailable", status: 503 })
  })

  test("only one request asks, and the others are served at once", async () => {
    await find("first")
    goDown()
    clock.advance(10 * MINUTE)
    await find("first")
    clock.advance(30)
    const release = network.hold()
    const asking = find("first")
    expect(await find("first")).not.toBeNull()
    release()
    await asking
    expect(fetches()).toBe(3)
  })

  test("and there are no keys, requests fail at once between tries five seconds apart", async () => {
    goDown()
    const error = await refusal(find("first"))
    expect(error.retryAfterSeconds).toBe(5)
    expect(error.detail).toContain(`${ISSUER_URL} could not be fetched: its discovery document could not be reached`)
    clock.advance(4)
    expect((await refusal(find("first"))).retryAfterSeconds).toBe(1)
    expect(fetches()).toBe(1)
    clock.advance(1)
    network.publish([publicJwk(first)])
    expect(await find("first")).not.toBeNull()
    expect(fetches()).toBe(2)
  })

  test("a kid that is not at hand is not said to be unknown", async () => {
    await find("first")
    goDown()
    clock.advance(5 * MINUTE)
    expect(await refusal(find("second"))).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: 30 })
    clock.advance(10)
    expect(await refusal(find("second"))).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: 20 })
    expect(await find("first")).not.toBeNull()
    expect(fetches()).toBe(2)
  })
})

describe("an unknown kid", () => {
  test("is answered without a fetch within 30 s of the last, however many ask", async () => {
    await find("first")
    clock.advance(29)
    for (let index = 0; index < 100; index += 1) expect(await find(`made-up-${index}`)).toBeNull()
    expect(fetches()).toBe(1)
  })

  test("fetches anew after that, once in 30 s, and finds a key that is new", async () => {
    await find("first")
    network.publish([publicJwk(first), publicJwk(second)])
    clock.advance(30)
    expect(await find("second")).not.toBeNull()
    for (let index = 0; index < 100; index += 1) expect(await find(`made-up-${index}`)).toBeNull()
    expect(fetches()).toBe(2)
  })

  test("asked for while another request fetches is told to come back, not that it is forged", async () => {
    await find("first")
    network.publish([publicJwk(first), publicJwk(second)])
    clock.advance(30)
    const release = network.hold()
    const fetching = find("second")
    expect(await refusal(find("second"))).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: 1 })
    release()
    expect(await fetching).not.toBeNull()
    expect(await find("second")).not.toBeNull()
    expect(fetches()).toBe(2)
  })
})

describe("a set without a usable key", () => {
  const EMPTY = [
    ["that is empty", () => []],
    ["whose keys are too weak", () => [publicJwk(first, { e: "Aw" })]],
    ["whose keys are for another algorithm", () => [publicJwk(first, { alg: "RS512" })]],
  ] as const

  test.each(EMPTY)("%s is not believed while younger keys are known", async (_, keys) => {
    await find("first")
    network.publish(keys())
    clock.advance(31)
    expect(await refusal(find("second"))).toMatchObject({ code: "issuer_unavailable", status: 503 })
    for (let minutes = 1; minutes < 59; minutes += 1) {
      clock.advance(MINUTE)
      expect(await find("first")).not.toBeNull()
    }
    // An hour is over: these keys are no longer believed, and the issuer's own word is all there is.
    clock.advance(MINUTE + 30)
    expect(await find("first")).toBeNull()
  })

  test.each(EMPTY)("%s is believed when no keys are known", async (_, keys) => {
    network.publish(keys())
    expect(await find("first")).toBeNull()
    clock.advance(31)
    network.publish([publicJwk(first)])
    expect(await find("first")).not.toBeNull()
  })

  test("does not undo the withdrawal of one key among several", async () => {
    network.publish([publicJwk(first), publicJwk(second)])
    await find("first")
    network.publish([publicJwk(second)])
    clock.advance(10 * MINUTE)
    expect(await find("first")).toBeNull()
    network.publish([])
    clock.advance(10 * MINUTE)
    expect(await refusal(find("first"))).toMatchObject({ code: "issuer_unavailable" })
    expect(await find("second")).not.toBeNull()
  })
})

describe("before the first keys are there", () => {
  test("requests fetch side by side up to a bound, and the others wait for a time", async () => {
    const release = network.hold()
    const asking = Array.from({ length: 32 }, () => find("first"))
    expect(await refusal(find("first"))).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: 1 })
    release()
    expect(await Promise.all(asking)).not.toContain(null)
    expect(fetches()).toBe(32)
  })

  test("256 requests at once get them with 32 fetches", async () => {
    const release = network.hold()
    const asking = Array.from({ length: 256 }, () => find("first"))
    release()
    expect(await Promise.all(asking)).not.toContain(null)
    expect(fetches()).toBe(32)
  })

  test("those that wait are refused with the others when the fetch fails", async () => {
    keySets = createKeySets(network.http, clock, cryptography)
    goDown()
    const release = network.hold()
    const asking = Array.from({ length: 40 }, () => refusal(find("first")))
    release()
    for (const { code, detail } of await Promise.all(asking)) {
      expect(code).toBe("issuer_unavailable")
      expect(detail).toContain("its discovery document could not be reached")
    }
  })

  test("requests that were cancelled in the middle keep nobody out for longer than ten seconds", async () => {
    network.hold()
    for (let index = 0; index < 32; index += 1) void find("first")
    expect((await refusal(find("first"))).code).toBe("issuer_unavailable")
    clock.advance(10)
    const release = network.hold()
    const asking = find("first")
    release()
    expect(await asking).not.toBeNull()
  })

  test("a slow fetch does not bring back what a later one found withdrawn", async () => {
    const url = `${ISSUER_URL}/jwks`
    const family = { ...githubActions, keys: { by: "path", path: "/jwks" } } as const
    const findAt = (kid: string) => keySets.find(issuer(), family, kid, "RS256")

    network.answer(url, { body: { keys: [publicJwk(first)] } })
    const releaseSlow = network.hold()
    const slow = findAt("first")
    await network.reached(1)
    clock.advance(1)
    network.answer(url, { body: { keys: [publicJwk(second)] } })
    const releaseFast = network.hold()
    const fast = findAt("second")
    await network.reached(2)
    releaseFast()
    expect(await fast).not.toBeNull()
    releaseSlow()
    expect(await slow).toBeNull()
    expect(await findAt("first")).toBeNull()
  })
})
