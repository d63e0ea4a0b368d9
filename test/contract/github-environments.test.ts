import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createGitHubEnvironments } from "../../broker/adapters/github/environments.ts"
import type { EnvironmentProtection } from "../../broker/core/policy/environment-protection.ts"
import type { Environments } from "../../broker/ports/environments.ts"
import { job, withoutEnvironment } from "../core/job.ts"
import type { EnvironmentSettings } from "../support/github-api.ts"
import { ACME, type GitHubWorld, makeGitHubWorld, SHOP_ID } from "./github-world.ts"

const ISSUER_URL = "https://token.actions.githubusercontent.com"
const ASKED = `GET /repositories/${SHOP_ID}/environments/production`

let world: GitHubWorld
let environments: Environments
beforeEach(async () => {
  world = await makeGitHubWorld()
  environments = createGitHubEnvironments({ app: world.app, issuerUrl: ISSUER_URL, clock: world.clock })
})
afterEach(() => world.api.close())

const ask = (change: Parameters<typeof job>[0] = {}) => environments.protectionOf(job(change))
const reasonFor = async (change: Parameters<typeof job>[0] = {}) => {
  const fact = await ask(change)
  return fact.known ? "" : fact.reason
}
const askedFor = () => world.asked().filter((line) => line.includes("/environments/"))

describe("an environment's protection", () => {
  const octocat = { login: "octocat", id: 1 }
  const none: EnvironmentProtection = { requiredReviewers: false, preventSelfReview: false, deploymentBranches: "all" }
  const cases: [string, EnvironmentSettings, Partial<EnvironmentProtection>][] = [
    ["is none when a workflow made it", {}, {}],
    ["is none with a timer alone", { waitMinutes: 30 }, {}],
    ["has reviewers", { reviewers: [octocat] }, { requiredReviewers: true }],
    ["has no reviewers when the rule lists none", { reviewers: [], preventSelfReview: true }, {}],
    [
      "keeps people from their own reviews",
      { reviewers: [octocat], preventSelfReview: true },
      { requiredReviewers: true, preventSelfReview: true },
    ],
    ["is limited to protected branches", { branches: "protected" }, { deploymentBranches: "protected" }],
    ["is limited to selected branches", { branches: "custom" }, { deploymentBranches: "custom" }],
  ]
  test.each(cases)("%s", async (_, settings, expected) => {
    world.shop.environments.set("production", settings)
    expect(await ask()).toEqual({ known: true, protection: { ...none, ...expected } })
  })

  test.each(["eu/west 1", "ünï", "a%2Fb", "a?b#c", "..%2f", "Production"])(
    "is that of the environment %j",
    async (environment) => {
      world.shop.environments.set(environment, { branches: "protected" })
      world.shop.environments.set("other", {})
      expect(await ask({ environment })).toMatchObject({ known: true, protection: { deploymentBranches: "protected" } })
    },
  )

  test("is found by a name in another case, as GitHub finds it", async () => {
    world.shop.environments.set("Production", { branches: "custom" })
    expect(await ask()).toMatchObject({ known: true })
  })

  test("is found by the repository's id after a rename", async () => {
    world.shop.environments.set("production", {})
    world.shop.name = "store"
    expect(await ask()).toMatchObject({ known: true })
  })
})

describe("what is known holds", () => {
  test("for five minutes, without a request", async () => {
    world.shop.environments.set("production", { branches: "protected" })
    await ask()
    world.shop.environments.set("production", {})
    world.clock.advance(5 * 60 - 1)
    expect(await ask()).toMatchObject({ protection: { deploymentBranches: "protected" } })
    world.clock.advance(1)
    expect(await ask()).toMatchObject({ protection: { deploymentBranches: "all" } })
    expect(askedFor()).toEqual([`${ASKED} 200`, `${ASKED} 200`])
  })

  test("for that environment of that repository alone", async () => {
    const tools = world.api.host(42, ACME, "tools")
    world.shop.environments.set("production", { branches: "protected" }).set("staging", {})
    tools.environments.set("production", { branches: "custom" })
    expect(await ask()).toMatchObject({ protection: { deploymentBranches: "protected" } })
    expect(await ask({ environment: "staging" })).toMatchObject({ protection: { deploymentBranches: "all" } })
    expect(await ask({ unitId: "42" })).toMatchObject({ protection: { deploymentBranches: "custom" } })
  })

  test("no longer than that when GitHub is down: then nothing is known", async () => {
    world.shop.environments.set("production", { branches: "protected" })
    await ask()
    world.api.fail("unavailable")
    world.clock.advance(5 * 60)
    expect(await reasonFor()).toContain("GitHub answered with status 503")
  })
})

describe("what is not known", () => {
  test("is asked for again after three seconds", async () => {
    expect(await ask()).toMatchObject({ known: false })
    world.shop.environments.set("production", {})
    world.clock.advance(2)
    expect(await ask()).toMatchObject({ known: false })
    world.clock.advance(1)
    expect(await ask()).toMatchObject({ known: true })
  })

  const reasons: [string, () => unknown, RegExp][] = [
    ["the environment does not exist", () => {}, /no environment "production" of acme\/shop .*create it/],
    [
      "the App is not installed",
      () => world.api.uninstall(world.installation),
      /not installed on acme\/shop: install it/,
    ],
    [
      "the App lacks the permission",
      () => Object.assign(world.installation, { permissions: { contents: "read" } }),
      /permission Actions: read/,
    ],
    [
      "the installation is suspended",
      () => Object.assign(world.installation, { suspendedAt: "2026-01-01T00:00:00Z" }),
      /suspended/,
    ],
    [
      "GitHub asks for patience",
      () => world.api.limit({ kind: "secondary", status: 403, retryAfterSeconds: 90 }),
      /requests until 2026-11-22T10:01:30Z/,
    ],
    ["GitHub fails", () => world.api.fail("reset"), /GitHub could not be reached/],
    ["GitHub points elsewhere", () => world.api.fail("redirect"), /never followed/],
  ]
  test.each(reasons)("says so when %s", async (_, break_, reason) => {
    break_()
    expect(await reasonFor()).toMatch(reason)
  })

  const bodies: [string, unknown][] = [
    ["no name", { protection_rules: [], deployment_branch_policy: null }],
    ["another name", { name: "staging", protection_rules: [], deployment_branch_policy: null }],
    ["rules that are none", { name: "production", protection_rules: {}, deployment_branch_policy: null }],
    [
      "flags that are texts",
      {
        name: "production",
        protection_rules: [],
        deployment_branch_policy: { protected_branches: "true", custom_branch_policies: "false" },
      },
    ],
    [
      "branches limited in two ways",
      {
        name: "production",
        protection_rules: [],
        deployment_branch_policy: { protected_branches: true, custom_branch_policies: true },
      },
    ],
    ["a repository in its place", { id: 41, name: "shop", full_name: "acme/shop" }],
  ]
  test.each(bodies)("is what GitHub describes with %s", async (_, body) => {
    world.api.override(/environments/, { status: 200, body })
    expect(await reasonFor()).toContain("is unknown. GitHub described")
  })

  test.each(["", ".", ".."])("is an environment named %j, which is not asked for", async (environment) => {
    expect(await ask({ environment })).toMatchObject({ known: false })
    expect(world.asked()).toEqual([])
  })

  test("is that of a job in no environment, or of another issuer, which are not asked for", async () => {
    expect(await environments.protectionOf(withoutEnvironment(job()))).toMatchObject({ known: false })
    const fact = await ask({ issuerUrl: "https://ghes.example.com/_services/token" })
    expect(fact).toEqual({ known: false, reason: "The broker's GitHub App does not serve this issuer." })
    expect(world.asked()).toEqual([])
  })
})
