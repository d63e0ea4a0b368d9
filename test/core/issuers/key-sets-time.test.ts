// What clocks that are set, forward and back, do to cached keys.
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { createKeySets } from "../../../broker/issuers/key-sets.ts"
import type { Clock } from "../../../broker/ports/clock.ts"
import { HttpError } from "../../../broker/ports/http.ts"
import { cryptography } from "../../support/cryptography.ts"
import { DISCOVERY_URL, issuer, makeKey, publicJwk, type TestKey, TestNetwork } from "./fixture.ts"

const SECOND = 1_000
const MINUTE = 60 * SECOND

let kept: TestKey
let withdrawn: TestKey

beforeAll(async () => {
  kept = await makeKey("kept")
  withdrawn = await makeKey("withdrawn")
})

/** What happens before a request. Times are milliseconds. */
interface Step {
  readonly passes: number
  readonly jump: number
  readonly up: boolean
}

const jumps = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -3 * 60 * MINUTE, max: 3 * 60 * MINUTE }),
  fc.constantFrom(-400 * 24 * 60 * MINUTE, 400 * 24 * 60 * MINUTE),
)
const steps = fc.array(
  fc.record<Step>({ passes: fc.integer({ min: 1, max: 25 * MINUTE }), jump: jumps, up: fc.boolean() }),
  { minLength: 1, maxLength: 25 },
)

/** A world in which real time, the wall clock and `elapsed` are told apart. */
function world(elapsedJumps: boolean) {
  let real = 0
  let jumped = 0
  const network = new TestNetwork()
  const clock: Clock = {
    now: () => new Date(1_800_000_000_000 + real + jumped),
    elapsed: () => real + (elapsedJumps ? jumped : 0),
  }
  const keySets = createKeySets(network.http, clock, cryptography)
  const find = async (kid: string) => {
    try {
      return (await keySets.find(issuer(), githubActions, kid, "RS256")) === null ? "unknown" : "found"
    } catch (error) {
      if (error instanceof BrokerError && error.code === "issuer_unavailable") return "unavailable"
      throw error
    }
  }
  return {
    find,
    real: () => real,
    pass(step: Step, keys: readonly TestKey[]) {
      real += step.passes
      jumped += step.jump
      network.publish(keys.map((key) => publicJwk(key)))
      if (!step.up) network.answer(DISCOVERY_URL, new HttpError("unreachable"))
    },
  }
}

describe("when the wall clock is set at every step", () => {
  test("keys verify exactly as long as without, for the same passing of time", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const [jumping, steady] = [world(false), world(false)]
        for (const [index, step] of all.entries()) {
          const keys = index < all.length / 2 ? [kept, withdrawn] : [kept]
          jumping.pass(step, keys)
          steady.pass({ ...step, jump: 0 }, keys)
          expect(await jumping.find("withdrawn")).toBe(await steady.find("withdrawn"))
          expect(await jumping.find("kept")).toBe(await steady.find("kept"))
        }
      }),
      { numRuns: 60 },
    )
  })

  test("a withdrawn key verifies for an hour at most, and for ten minutes while its issuer answers", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat({ max: 20 }), async (all, withdrawal) => {
        const { find, pass, real } = world(false)
        let lastPublished = 0
        let lastDown = Number.NEGATIVE_INFINITY
        for (const [index, step] of all.entries()) {
          const published = index <= withdrawal
          pass(step, published ? [kept, withdrawn] : [kept])
          const outcome = await find("withdrawn")
          if (!step.up) lastDown = real()
          if (published) lastPublished = real()
          else if (outcome === "found") {
            expect(real() - lastPublished).toBeLessThan(60 * MINUTE)
            // A fetch that failed is not repeated for 30 s.
            const isAsked = step.up && real() - lastDown >= 30 * SECOND
            expect(isAsked && real() - lastPublished >= 10 * MINUTE).toBe(false)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test("a good key of an issuer that answers is always found", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { find, pass } = world(false)
        for (const step of all) {
          pass({ ...step, up: true }, [kept])
          expect(await find("kept")).toBe("found")
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe("when `elapsed` itself goes back, as a platform without a monotonic clock may let it", () => {
  test("everything cached counts as stale: only what the issuer says after that verifies", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 26 * MINUTE, max: 180 * MINUTE }), async (all, back) => {
        const { find, pass } = world(true)
        for (const step of all) {
          pass({ ...step, jump: 0, up: true }, [kept, withdrawn])
          expect(await find("withdrawn")).toBe("found")
          pass({ ...step, jump: -back, up: false }, [kept])
          expect(await find("withdrawn")).toBe("unavailable")
          pass({ passes: 5 * SECOND, jump: 0, up: true }, [kept])
          expect(await find("withdrawn")).toBe("unknown")
          expect(await find("kept")).toBe("found")
          // The next round publishes it again: an unknown key is asked for at most every 30 s.
          pass({ passes: 30 * SECOND, jump: 0, up: true }, [kept])
        }
      }),
      { numRuns: 60 },
    )
  })

  test("and no request waits for the moment to come again", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { find, pass } = world(true)
        for (const step of all) {
          pass({ ...step, up: true }, [kept])
          expect(await find("kept")).toBe("found")
        }
      }),
      { numRuns: 60 },
    )
  })
})
