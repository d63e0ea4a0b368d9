import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createGitHubEnvironments } from "../../broker/adapters/github/environments.ts"
import { createGitLabApi } from "../../broker/adapters/gitlab/api.ts"
import { createGitLabEnvironments } from "../../broker/adapters/gitlab/environments.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { Secret } from "../../broker/core/secret.ts"
import type { Environments } from "../../broker/ports/environments.ts"
import { job, withoutEnvironment } from "../core/job.ts"
import { TestClock } from "../support/clock.ts"
import type { Review } from "../support/github-api.ts"
import {
  type AccessToken,
  type Deployment,
  type DeploymentApproval,
  type GitLabApi,
  startGitLabApi,
} from "../support/gitlab-api.ts"
import { type GitHubWorld, makeGitHubWorld } from "./github-world.ts"

const OCTOCAT = { login: "octocat", id: 583231 }
const HUBOT = { login: "hubot", id: 2 }
const MONA = { login: "mona", id: 3 }
const COMMENT = "the database is down"

const reasonOf = async (environments: Environments, identity: Parameters<Environments["approvalsOf"]>[0]) => {
  const fact = await environments.approvalsOf(identity)
  return fact.known ? "" : fact.reason
}

describe("a run's approvals at GitHub", () => {
  const RUN = "10988497055"
  let world: GitHubWorld
  let environments: Environments
  beforeEach(async () => {
    world = await makeGitHubWorld()
    environments = createGitHubEnvironments({
      app: world.app,
      issuerUrl: "https://token.actions.githubusercontent.com",
      clock: world.clock,
    })
  })
  afterEach(() => world.api.close())

  const review = (change: Partial<Review> = {}): Review => ({
    by: HUBOT,
    state: "approved",
    comment: COMMENT,
    environments: ["production"],
    ...change,
  })
  const approved = { approver: "hubot", approverId: "2", comment: COMMENT }

  test.each<[string, readonly Review[], readonly object[]]>([
    ["are none when nobody reviewed it", [], []],
    ["have who, by id, and the comment", [review()], [approved]],
    ["have no comment when there is none", [review({ comment: "" })], [{ ...approved, comment: "" }]],
    ["have the starter's own, which the decision leaves out", [review({ by: OCTOCAT })], [{ approverId: "583231" }]],
    ["are of that environment alone", [review({ environments: ["staging"] })], []],
    ["are of that environment among others", [review({ environments: ["staging", "production"] })], [approved]],
    ["are of its name in another case, as GitHub has it", [review({ environments: ["Production"] })], [approved]],
    ["have no rejection", [review({ state: "rejected" })], []],
    ["have nothing that is only pending", [review({ state: "pending" })], []],
    ["have no approval of a person who rejected it, too", [review(), review({ state: "rejected" })], []],
    [
      "keep it when the person rejected another environment",
      [review(), review({ state: "rejected", environments: ["staging"] })],
      [approved],
    ],
    ["have no App's", [review({ type: "Bot" })], []],
    ["have every person's", [review(), review({ by: MONA })], [approved, { approver: "mona" }]],
  ])("%s", async (_, reviews, expected) => {
    world.shop.runs.set(RUN, [...reviews]).set("7", [review({ by: MONA })])
    const fact = await environments.approvalsOf(job())
    expect(fact).toMatchObject({ known: true, approvals: expected, startedBy: [] })
    expect(fact.known && fact.approvals).toHaveLength(expected.length)
  })

  test("are asked for by the repository's id, once in three seconds for each run", async () => {
    world.shop.runs.set(RUN, []).set("8", [review({ by: MONA })])
    world.shop.name = "store"
    expect(await environments.approvalsOf(job())).toMatchObject({ approvals: [] })
    world.shop.runs.set(RUN, [review()])
    world.clock.advance(2)
    expect(await environments.approvalsOf(job())).toMatchObject({ approvals: [] })
    expect(await environments.approvalsOf(job({ runId: "8" }))).toMatchObject({ approvals: [{ approver: "mona" }] })
    expect(await reasonOf(environments, job({ runAttempt: "2" }))).toMatch(/only the first counts/)
    world.clock.advance(1)
    expect(await environments.approvalsOf(job())).toMatchObject({ approvals: [approved] })
    expect(world.asked().filter((line) => line.includes(`/${RUN}/`))).toHaveLength(2)
  })

  test.each<[string, () => unknown, RegExp]>([
    ["the run does not exist", () => {}, /shows no run 10988497055 of acme\/shop to the broker's GitHub App/],
    ["the App is not installed", () => world.api.uninstall(world.installation), /not installed on acme\/shop: install/],
    [
      "the App lacks the permission",
      () => Object.assign(world.installation, { permissions: { contents: "read" } }),
      /may not read Actions of acme\/shop: give the App the permission Actions: read/,
    ],
    [
      "GitHub asks for patience",
      () => world.api.limit({ kind: "primary", status: 403, resetInSeconds: 90 }),
      /limits the broker/,
    ],
    ["GitHub fails", () => world.api.fail("unavailable"), /status 503/],
    [
      "GitHub describes them otherwise",
      () => world.api.override(/approvals/, { status: 200, body: [{ state: "approved", user: HUBOT }] }),
      /unexpected form/,
    ],
    ["GitHub sends no list", () => world.api.override(/approvals/, { status: 200, body: {} }), /unexpected form/],
  ])("are unknown when %s", async (_, break_, reason) => {
    break_()
    expect(await reasonOf(environments, job())).toMatch(reason)
  })

  test.each<[string, Parameters<typeof job>[0], RegExp]>([
    ["a later attempt, whose list has the earlier reviews", { runAttempt: "2" }, /only the first counts/],
    ["no known attempt", { runAttempt: "" }, /only the first counts/],
    ["no known run", { runId: "" }, /which run/],
    ["a run that is another path", { runId: "7/../8" }, /which run/],
    ["another issuer", { issuerUrl: "https://ghes.example.com/_services/token" }, /does not serve this issuer/],
  ])("are unknown, and not asked for, in a job of %s", async (_, change, reason) => {
    world.shop.runs.set(RUN, [review()])
    expect(await reasonOf(environments, job(change))).toMatch(reason)
    expect(await reasonOf(environments, withoutEnvironment(job()))).toMatch(/no environment/)
    expect(world.asked()).toEqual([])
  })
})

describe("a job's approvals at GitLab", () => {
  let gitlab: GitLabApi
  let access: AccessToken
  let deployments: Deployment[]
  let environments: Environments
  beforeEach(async () => {
    gitlab = await startGitLabApi()
    deployments = []
    gitlab.projects.set(20, { id: 20, isPrivate: true, environments: new Map(), deployments })
    access = { scopes: ["read_api"], roles: new Map([[20, 40]]), isRevoked: false }
    const clock = new TestClock(Date.parse("2026-11-22T10:00:00Z"))
    const http = createHttp({ userAgent: "daypass-test/1" })
    const api = createGitLabApi({ apiUrl: gitlab.apiUrl, token: new Secret(gitlab.addToken(access)), http, clock })
    environments = createGitLabEnvironments({ api, issuerUrl: "https://gitlab.example.com", clock })
  })
  afterEach(() => gitlab.close())

  const ofGitLab = (change: Parameters<typeof job>[0] = {}) =>
    job({
      issuer: "gitlab",
      issuerUrl: "https://gitlab.example.com",
      unitKind: "project",
      unit: "my-group/my-project",
      unitId: "20",
      runId: "574",
      runAttempt: "302",
      ...change,
    })
  const approval = (change: Partial<DeploymentApproval> = {}): DeploymentApproval => ({
    by: [2, "hubot"],
    status: "approved",
    comment: COMMENT,
    ...change,
  })
  const deployment = (change: Partial<Deployment> = {}): Deployment => ({
    id: 42,
    environment: "production",
    jobId: 302,
    user: [1, "sample-user"],
    approvals: [approval()],
    ...change,
  })
  const approved = { approver: "hubot", approverId: "2", comment: COMMENT }

  test.each<[string, Partial<Deployment>, readonly object[]]>([
    ["have who, by id, and the comment", {}, [approved]],
    ["are read below the rules that asked for them", { byRules: true }, [approved]],
    ["are none when nobody approved it", { approvals: [] }, []],
    ["have no rejection", { approvals: [approval({ status: "rejected" })] }, []],
    [
      "have no comment when there is none",
      { approvals: [{ by: [2, "hubot"], status: "approved" }] },
      [{ comment: "" }],
    ],
    ["have no access token's", { approvals: [approval({ by: [9, "project_20_bot_4ffca2"] })] }, []],
    ["have no group's access token's", { approvals: [approval({ by: [9, "group_72_bot"] })] }, []],
    [
      "have no approval of a person who rejected it by another rule",
      { approvals: [approval(), approval({ status: "rejected" }), approval({ by: [3, "mona"] })] },
      [{ approver: "mona" }],
    ],
  ])("%s", async (_, change, expected) => {
    deployments.push(deployment({ id: 41, jobId: 301 }), deployment(change), deployment({ id: 43, jobId: 303 }))
    const fact = await environments.approvalsOf(ofGitLab())
    expect(fact).toMatchObject({ known: true, approvals: expected, startedBy: ["1", "1"] })
    expect(fact.known && fact.approvals).toHaveLength(expected.length)
  })

  test("are of the deployment of that very job: one that is tried again needs new ones", async () => {
    deployments.push(deployment())
    expect(await reasonOf(environments, ofGitLab({ runAttempt: "399" }))).toMatch(/shows no deployment of this job/)
    expect(await reasonOf(environments, ofGitLab({ environment: "staging" }))).toMatch(/shows no deployment/)
  })

  test("are found among the newest of a long list, and unknown behind them", async () => {
    for (let id = 1; id <= 42; id++) deployments.push(deployment({ id, jobId: 260 + id }))
    expect(await environments.approvalsOf(ofGitLab())).toMatchObject({ approvals: [approved] })
    expect(await reasonOf(environments, ofGitLab({ runAttempt: "261" }))).toMatch(/among the newest 20 of "production"/)
  })

  test.each<[string, () => unknown, RegExp]>([
    ["the project is not visible", () => access.roles.delete(20), /does not show the deployments of my-group/],
    ["the role is too low", () => access.roles.set(20, 10), /the role Maintainer/],
    ["the scope is missing", () => Object.assign(access, { scopes: [] }), /the scope read_api/],
    ["the token was revoked", () => Object.assign(access, { isRevoked: true }), /DAYPASS_GITLAB_TOKEN/],
    ["GitLab asks for patience", () => gitlab.limit({}), /limits the broker/],
    ["GitLab is down", () => gitlab.fail("reset"), /could not be reached/],
    ["GitLab sends another deployment", () => gitlab.override("/42", { ...answer, id: 41 }), /unexpected form/],
    [
      "GitLab sends another job's",
      () => gitlab.override("/42", { ...answer, deployable: { id: 301 } }),
      /unexpected form/,
    ],
    ["GitLab sends no list", () => gitlab.override("/deployments", {}), /unexpected form/],
    ["a status is no text", () => gitlab.override("/42", { ...answer, approvals: [{ status: 1 }] }), /unexpected form/],
  ])("are unknown when %s", async (_, break_, reason) => {
    deployments.push(deployment())
    break_()
    expect(await reasonOf(environments, ofGitLab())).toMatch(reason)
  })
  const answer = { id: 42, environment: { name: "production" }, deployable: { id: 302 }, approvals: [] }

  test("are unknown, and not asked for, without a job's id, for another issuer, and in no environment", async () => {
    expect(await reasonOf(environments, ofGitLab({ runAttempt: "302/../1" }))).toMatch(/which job/)
    expect(await reasonOf(environments, ofGitLab({ issuerUrl: "https://gitlab.com" }))).toMatch(/does not serve/)
    expect(await reasonOf(environments, withoutEnvironment(ofGitLab()))).toMatch(/no environment/)
    expect(gitlab.requests).toEqual([])
  })
})
