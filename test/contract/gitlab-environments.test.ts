import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createGitLabApi } from "../../broker/adapters/gitlab/api.ts"
import { createGitLabEnvironments } from "../../broker/adapters/gitlab/environments.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import type { EnvironmentProtection } from "../../broker/core/policy/environment-protection.ts"
import { Secret } from "../../broker/core/secret.ts"
import type { Environments } from "../../broker/ports/environments.ts"
import { job, withoutEnvironment } from "../core/job.ts"
import { TestClock } from "../support/clock.ts"
import {
  type AccessToken,
  type GitLabApi,
  type GitLabProject,
  type ProtectedEnvironment,
  startGitLabApi,
} from "../support/gitlab-api.ts"

const ISSUER_URL = "https://gitlab.example.com"
const PROJECT = 20
const ASKED = [`GET /api/v4/projects/20 200`, `GET /api/v4/projects/20/protected_environments/production 200`]

let gitlab: GitLabApi
let token: AccessToken
let project: GitLabProject
let clock: TestClock
let environments: Environments
let secret: string
let seen = 0

beforeEach(async () => {
  gitlab = await startGitLabApi()
  project = { id: PROJECT, isPrivate: true, allowsOwnApproval: false, environments: new Map() }
  gitlab.projects.set(PROJECT, project)
  token = { scopes: ["read_api"], roles: new Map([[PROJECT, 40]]), isRevoked: false }
  secret = gitlab.addToken(token)
  clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
  const http = createHttp({ userAgent: "daypass-test/1" })
  const api = createGitLabApi({ apiUrl: gitlab.apiUrl, token: new Secret(secret), http, clock })
  environments = createGitLabEnvironments({ api, issuerUrl: ISSUER_URL, clock })
  seen = 0
})
afterEach(() => gitlab.close())

const deployment = (change: Parameters<typeof job>[0] = {}, action: unknown = "start") =>
  job({
    issuer: "gitlab",
    issuerUrl: ISSUER_URL,
    unitKind: "project",
    unit: "my-group/my-project",
    unitId: `${PROJECT}`,
    claims: action === undefined ? {} : { environment_action: action as string },
    ...change,
  })
const ask = (change: Parameters<typeof job>[0] = {}) => environments.protectionOf(deployment(change))
const reasonFor = async (identity = deployment()) => {
  const fact = await environments.protectionOf(identity)
  return fact.known ? "" : fact.reason
}
/** What was asked since the last call; the two requests of one question come in any order. */
const asked = () => {
  const lines = gitlab.requests.slice(seen)
  seen = gitlab.requests.length
  return [...lines].sort()
}

describe("an environment's protection", () => {
  const none: EnvironmentProtection = { requiredReviewers: false, preventSelfReview: false, deploymentBranches: "all" }
  const reviewed = { ...none, requiredReviewers: true, preventSelfReview: true }
  test.each<[string, ProtectedEnvironment, boolean | undefined, EnvironmentProtection]>([
    ["has no reviewers without approvals", {}, false, none],
    ["has reviewers by a rule", { rules: [1] }, false, reviewed],
    ["has reviewers by one of its rules", { rules: [0, 2] }, false, reviewed],
    ["has reviewers by the count of older servers", { count: 1 }, false, reviewed],
    ["has none when its rules require no approval, whatever the count", { rules: [0], count: 3 }, false, none],
    ["lets people approve their own", { rules: [1] }, true, { ...reviewed, preventSelfReview: false }],
    ["is not known to keep them from it", { rules: [1] }, undefined, { ...reviewed, preventSelfReview: false }],
  ])("%s", async (_, environment, allowsOwnApproval, expected) => {
    if (allowsOwnApproval === undefined) delete project.allowsOwnApproval
    else project.allowsOwnApproval = allowsOwnApproval
    project.environments.set("production", environment)
    expect(await ask()).toEqual({ known: true, protection: expected })
  })

  test.each(["review/eu west", "ünï", "a%2Fb", "a?b#c", "..%2f"])("is that of the environment %j", async (name) => {
    project.environments.set(name, { rules: [1] }).set("other", {})
    expect(await ask({ environment: name })).toMatchObject({ known: true, protection: { requiredReviewers: true } })
  })

  test("is that of the name in exactly these letters, because GitLab tells Production from production", async () => {
    project.environments.set("Production", { rules: [1] })
    expect(await reasonFor()).toContain('shows no protected environment "production"')
  })
})

describe("what is known holds", () => {
  test("for five minutes, without a request", async () => {
    project.environments.set("production", { rules: [1] })
    await ask()
    project.environments.set("production", {})
    clock.advance(5 * 60 - 1)
    expect(await ask()).toMatchObject({ protection: { requiredReviewers: true } })
    expect(asked()).toEqual(ASKED)
    clock.advance(1)
    expect(await ask()).toMatchObject({ protection: { requiredReviewers: false } })
    expect(asked()).toEqual(ASKED)
  })

  test("for that environment of that project alone", async () => {
    const other: GitLabProject = { id: 21, environments: new Map([["production", {}]]) }
    gitlab.projects.set(21, other)
    token.roles.set(21, 40)
    project.environments.set("production", { rules: [1] }).set("staging", {})
    expect(await ask()).toMatchObject({ protection: { requiredReviewers: true } })
    expect(await ask({ environment: "staging" })).toMatchObject({ protection: { requiredReviewers: false } })
    expect(await ask({ unitId: "21" })).toMatchObject({ protection: { requiredReviewers: false } })
  })

  test("for deployments alone: another job of the environment waits for no approval", async () => {
    project.environments.set("production", { rules: [1] })
    expect(await ask()).toMatchObject({ known: true })
    expect(await environments.protectionOf(deployment({}, "verify"))).toMatchObject({ known: false })
  })

  test("no longer than that when GitLab is down: then nothing is known", async () => {
    project.environments.set("production", { rules: [1] })
    await ask()
    gitlab.fail("unavailable")
    clock.advance(5 * 60)
    expect(await reasonFor()).toContain("GitLab answered with status 503")
  })
})

describe("what is not known", () => {
  test("is asked for again after three seconds", async () => {
    expect(await ask()).toMatchObject({ known: false })
    project.environments.set("production", {})
    clock.advance(2)
    expect(await ask()).toMatchObject({ known: false })
    clock.advance(1)
    expect(await ask()).toMatchObject({ known: true })
  })

  test.each<[string, () => unknown, RegExp]>([
    ["the environment is not protected", () => project.environments.clear(), /protect it in the project itself/],
    ["the project is not visible", () => token.roles.delete(PROJECT), /does not show my-group\/my-project/],
    ["the project is gone", () => gitlab.projects.delete(PROJECT), /does not show my-group\/my-project/],
    ["the role is too low", () => token.roles.set(PROJECT, 30), /the role Maintainer in the project/],
    ["the scope is missing", () => Object.assign(token, { scopes: ["read_registry"] }), /the scope read_api/],
    ["the token was revoked", () => Object.assign(token, { isRevoked: true }), /check DAYPASS_GITLAB_TOKEN/],
    ["GitLab fails", () => gitlab.fail("reset"), /GitLab could not be reached/],
    ["GitLab points elsewhere", () => gitlab.fail("redirect"), /never followed/],
    ["GitLab sends too much", () => gitlab.fail("oversized"), /too large/],
    ["GitLab sends no JSON", () => gitlab.fail("garbage"), /not JSON/],
  ])("says so when %s, and nothing of the token", async (_, break_, reason) => {
    project.environments.set("production", { rules: [1] })
    break_()
    const said = await reasonFor()
    expect(said).toMatch(reason)
    expect(said).toMatch(/\.$/)
    expect(said).not.toContain(secret)
  })

  test.each<[string, { readonly retryAfter?: string }, number]>([
    ["as long as GitLab says", { retryAfter: "90" }, 90],
    ["a minute when it does not say", {}, 60],
    ["a minute when what it says is no number", { retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT" }, 60],
    ["an hour at most", { retryAfter: "999999999" }, 3600],
  ])("is not asked for during a rate limit: %s", async (_, limit, seconds) => {
    project.environments.set("production", { rules: [1] })
    gitlab.limit(limit)
    expect(await reasonFor()).toMatch(/GitLab limits the broker's requests/)
    gitlab.limit(null)
    asked()
    clock.advance(seconds - 1)
    expect(await reasonFor(deployment({ environment: "staging" }))).toMatch(/GitLab limits the broker's requests/)
    expect(asked()).toEqual([])
    clock.advance(4)
    expect(await ask()).toMatchObject({ known: true })
  })

  const good = { name: "production", deploy_access_levels: [], required_approval_count: 1, approval_rules: [] }
  test.each<[string, string, unknown]>([
    ["no name", "/production", { ...good, name: undefined }],
    ["another name", "/production", { ...good, name: "staging" }],
    ["approvals that are texts", "/production", { ...good, required_approval_count: "1" }],
    ["approvals below nothing", "/production", { ...good, required_approval_count: -1 }],
    ["rules that are none", "/production", { ...good, approval_rules: {} }],
    ["rules without a number", "/production", { ...good, approval_rules: [{ group_id: 1 }] }],
    ["a list in its place", "/production", [good]],
    ["a flag that is a text", "/20", { id: PROJECT, allow_pipeline_trigger_approve_deployment: "false" }],
    ["another project", "/20", { id: 21, allow_pipeline_trigger_approve_deployment: false }],
    ["nothing of the project", "/20", null],
  ])("is what GitLab describes with %s", async (_, part, body) => {
    project.environments.set("production", { rules: [1] })
    gitlab.override(part, body)
    expect(await reasonFor()).toContain("is unknown. GitLab described it in an unexpected form.")
  })

  test.each(["", ".", "..", "\ud800"])("is an environment named %j, which is not asked for", async (environment) => {
    expect(await ask({ environment })).toMatchObject({ known: false })
    expect(asked()).toEqual([])
  })

  test.each<[string, unknown, RegExp]>([
    ["verify", "verify", /write `action: start` below its `environment`/],
    ["stop", "stop", /write `action: start` below its `environment`/],
    ["no text", true, /update the GitLab server/],
    ["not said", undefined, /update the GitLab server/],
  ])("is that of a job whose action is %s, which is not asked for", async (_, action, reason) => {
    const identity = deployment({ claims: action === undefined ? {} : { environment_action: action as string } })
    expect(await reasonFor(identity)).toMatch(reason)
    expect(asked()).toEqual([])
  })

  test("is that of a job in no environment, or of another issuer, which are not asked for", async () => {
    expect(await environments.protectionOf(withoutEnvironment(deployment()))).toMatchObject({ known: false })
    const fact = await ask({ issuerUrl: "https://gitlab.com" })
    expect(fact).toEqual({ known: false, reason: "The broker's access token does not serve this issuer." })
    expect(asked()).toEqual([])
  })
})
