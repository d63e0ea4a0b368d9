import { describe, expect, it } from "vitest"
import type { EnvironmentDemand, ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import type { Boundary } from "../../../broker/core/policy/model.ts"
import { compilePattern } from "../../../broker/core/policy/pattern.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { explain } from "../../../broker/exchange/explain.ts"
import { type WorldOptions, world } from "./world.ts"

const DEMAND: EnvironmentDemand = { requiredReviewers: true, preventSelfReview: false }

const fact = (requiredReviewers: boolean): ProtectionFact => ({
  known: true,
  protection: { requiredReviewers, preventSelfReview: false, deploymentBranches: "all" },
})

function boundary(connection: string): Boundary {
  const everything = compilePattern("**")
  if (!everything.ok) throw new Error(everything.fault)
  return {
    name: "guarded",
    file: "daypass.yaml",
    line: 1,
    when: [{ claim: "ref", test: { kind: "any", patterns: [everything.value] } }],
    allow: [{ connection, line: 1, fields: new Map() }],
    require: [],
    protectedEnvironment: DEMAND,
  }
}

/** The same demand by a policy, and by a boundary. */
const DEMANDING: [string, Partial<WorldOptions>][] = [
  ["policy", { protectedEnvironment: DEMAND }],
  ["boundary", { boundaries: [boundary("staged")] }],
  ["policy and a boundary", { protectedEnvironment: DEMAND, boundaries: [boundary("staged")] }],
]

describe.each(DEMANDING)("an exchange below a demand of a %s", (_, demand) => {
  const grants = { one: "mints" } as const
  const at = (options: Partial<WorldOptions> = {}) => world({ grants, ...demand, ...options })

  it("asks the environment's host once, before anything is recorded, and mints when the answer is good", async () => {
    const { broker, call, story } = await at({ protection: fact(true) })
    await exchange(call(), broker)
    expect(story).toEqual(["verify", "policiesOf", "protectionOf", "admit", "mint one", "settle"])
  })

  it("mints nothing when the environment lacks something, says what, and records the denial", async () => {
    const { broker, call, story, recorded } = await at({ protection: fact(false) })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      code: "not_allowed",
      detail:
        "one: The environment production must be protected: add required reviewers. Change the environment in the repository's settings, then run the job again.",
    })
    expect(story).toEqual(["verify", "policiesOf", "protectionOf", "admit"])
    expect(recorded).toMatchObject([{ audit: { event: "exchange.denied", reason: "not_allowed: one" } }])
  })

  it("mints nothing when nobody knows", async () => {
    const { broker, call, story } = await at({ protection: { known: false, reason: "GitHub is down" } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ detail: expect.stringContaining("GitHub is down") })
    expect(story).toEqual(["verify", "policiesOf", "protectionOf", "admit"])
  })

  it.each<[string, Partial<WorldOptions>, Parameters<Awaited<ReturnType<typeof world>>["call"]>[0], string]>([
    ["a grant is not there", {}, { grants: ["one", "none"] }, "not_allowed"],
    ["the time asked for is too short", {}, { ttlSeconds: 1 }, "ttl_too_short"],
    ["the token must be bound to a key and is not", { requireBoundToken: true }, {}, "bound_token_required"],
    ["the boundaries refuse besides", { boundaries: [boundary("other")] }, {}, "not_allowed"],
    ["the environment is one without policies", { identity: { environment: "staging" } }, {}, "not_allowed"],
    ["the repository has no policies", { identity: { unitId: "42" } }, {}, "not_allowed"],
    ["the job is a stranger's", { identity: { ownerId: "666" } }, {}, "not_allowed"],
  ])("asks nobody where %s", async (_what, options, change, code) => {
    const { broker, call, story } = await at({ protection: fact(true), ...options })
    await expect(exchange(call(change), broker)).rejects.toMatchObject({ code })
    expect(story).not.toContain("protectionOf")
  })

  it("asks for a bound token, too: one that is bound goes on", async () => {
    const { broker, call, story } = await at({ protection: fact(true), requireBoundToken: true, boundTo: "thumb" })
    await exchange(call({ key: { thumbprint: "thumb" } }), broker)
    expect(story).toContain("protectionOf")
  })

  it("explains by the same answer, asked for once", async () => {
    const lacking = await at({ protection: fact(false) })
    expect(await explain(lacking.call(), lacking.broker)).toMatchObject({
      decision: "deny",
      code: "not_allowed",
      trace: { grants: [{ reason: expect.stringContaining("add required reviewers") }] },
    })
    expect(lacking.story).toEqual(["verify", "policiesOf", "protectionOf", "standing"])
    const good = await at({ protection: fact(true) })
    expect(await explain(good.call(), good.broker)).toMatchObject({ decision: "allow" })
    expect(good.story).toEqual(["verify", "policiesOf", "protectionOf", "standing"])
  })
})

it("an exchange below no demand asks nobody how an environment is protected", async () => {
  const { protectedEnvironment: _, ...free } = boundary("staged")
  const { broker, call, story } = await world({ grants: { one: "mints" }, boundaries: [free] })
  await exchange(call(), broker)
  expect(story).toEqual(["verify", "policiesOf", "admit", "mint one", "settle"])
})
