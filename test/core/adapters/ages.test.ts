import fc from "fast-check"
import { expect, it } from "vitest"
import { createKvPolicySource, POLICIES_STALE_SECONDS } from "../../../broker/adapters/cloudflare/kv-policy-source.ts"
import { createGitHubEnvironments } from "../../../broker/adapters/github/environments.ts"
import type { RepositoryMemory, RepositoryPolicyReader } from "../../../broker/adapters/github/repository-policies.ts"
import { createRepositoryReadings, STALE_MS } from "../../../broker/adapters/github/repository-readings.ts"
import { createKeptValues } from "../../../broker/adapters/memory/kept-values.ts"
import { createLogins } from "../../../broker/adapters/memory/logins.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { failed } from "../../../broker/github/answer.ts"
import { published } from "../../../cli/push/publication.ts"
import { TestClock } from "../../support/clock.ts"
import { runs } from "../../support/laws.ts"
import { job } from "../job.ts"
import { allowing, ISSUER_URL, setOf, TEST_PROVIDERS } from "../policy/support.ts"

/** A store of what ends, and what it gave: the age in seconds of what it serves, or null when it serves nothing. */
interface Store {
  renew(): Promise<void>
  serve(): Promise<number | null>
}

const STORES: readonly [string, number, (clock: TestClock) => Store][] = [
  [
    "a kept value",
    600,
    (clock) => {
      const kept = createKeptValues(clock)
      return {
        renew: () => kept.keep("place", new Secret(String(clock.elapsed())), 600),
        serve: async () => ageOf(clock, (await kept.get("place"))?.reveal()),
      }
    },
  ],
  [
    "a provider's login",
    // Ends after 300 s, and is not used in its last minute.
    240,
    (clock) => {
      const logins = createLogins(clock)
      return {
        async renew() {
          logins.keep("key", { value: clock.elapsed(), endsAt: new Date(clock.now().getTime() + 300_000) })
        },
        serve: async () => ageOf(clock, logins.get("key")?.value),
      }
    },
  ],
  [
    "policies in Workers KV that does not answer any more",
    // Still at that very second, and not after it.
    POLICIES_STALE_SECONDS + 1,
    (clock) => {
      const { current } = published(
        setOf({ "p.yaml": allowing("{ ref: refs/heads/main }") }),
        new Date(clock.now().getTime() - 86_400_000),
      )
      let askedAt: number | null = null
      let answers = true
      const source = createKvPolicySource(
        {
          async get() {
            if (!answers) throw new Error("KV is down")
            askedAt = clock.elapsed()
            return JSON.stringify(current)
          },
        },
        { clock, providers: TEST_PROVIDERS, floor: { raiseFloor: async () => true }, publishers: [], log: () => {} },
      )
      const served = async () => (await source.snapshot().catch(() => null)) !== null
      return {
        async renew() {
          answers = true
          await served()
          answers = false
        },
        serve: async () => ((await served()) ? ageOf(clock, askedAt) : null),
      }
    },
  ],
  [
    "an environment's protection",
    300,
    (clock) => {
      let askedAt: number | null = null
      const app = {
        async get() {
          askedAt = clock.elapsed()
          return { outcome: "ok", body: { name: "production" }, etag: null } as const
        },
      }
      const environments = createGitHubEnvironments({ app, issuerUrl: ISSUER_URL, clock })
      const ask = async () => void (await environments.protectionOf(job({ environment: "production" })))
      return {
        renew: ask,
        // It asks again by itself: what it serves is as old as its last question.
        serve: async () => {
          await ask()
          return ageOf(clock, askedAt)
        },
      }
    },
  ],
  [
    "a repository's own policies, while GitHub does not answer",
    STALE_MS / 1000,
    (clock) => {
      let isUp = false
      let confirmedAt: number | null = null
      const reader: RepositoryPolicyReader = {
        async read() {
          if (!isUp) return failed("does not answer")
          confirmedAt = clock.elapsed()
          return { outcome: "absent", fullName: "acme/shop", memory: {} as RepositoryMemory }
        },
      }
      const readings = createRepositoryReadings(reader, clock)
      return {
        async renew() {
          isUp = true
          await readings.current(job())
          isUp = false
        },
        serve: async () => ((await readings.current(job())).outcome === "known" ? ageOf(clock, confirmedAt) : null),
      }
    },
  ],
]

const ageOf = (clock: TestClock, since: unknown) =>
  since === undefined || since === null ? null : (clock.elapsed() - Number(since)) / 1000

const steps = fc.array(
  fc.record({
    jump: fc.integer({ min: -20_000, max: 20_000 }),
    pass: fc.constantFrom(0, 1, 30, 59, 61, 200, 301, 601),
    renews: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
)

it.each(STORES)(
  "%s is served for %i s of elapsed time and no longer, whatever the wall clock says",
  async (_, bound, make) => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
        const store = make(clock)
        for (const { jump, pass, renews } of plan) {
          clock.jump(jump)
          clock.advance(pass)
          if (renews) await store.renew()
          const age = await store.serve()
          if (age !== null) expect(age).toBeLessThan(bound)
          if (age !== null) expect(age).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: runs(300) },
    )
  },
)

it.each(STORES)("%s is still served just before that, although the wall clock jumps", async (_, bound, make) => {
  for (const jump of [-10_800, 10_800]) {
    const clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
    const store = make(clock)
    await store.renew()
    clock.jump(jump)
    clock.advance(bound - 1)
    expect(await store.serve()).toBe(bound - 1)
    clock.advance(1)
    const late = await store.serve()
    expect(late === null || late === 0).toBe(true)
  }
})
