import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SignJWT } from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type GitHub, startGitHub } from "../support/github.ts"
import {
  type GitHubApi,
  type HostedRepository,
  type Installation,
  type Review,
  startGitHubApi,
} from "../support/github-api.ts"
import { giveBack, publicJwk, takeKey } from "../support/github-keys.ts"
import {
  type AccessToken,
  type Deployment,
  type GitLabApi,
  type GitLabProject,
  type ProtectedEnvironment,
  startGitLabApi,
} from "../support/gitlab-api.ts"
import gitlabJob from "../vectors/claims/gitlab-protected-environment.json" with { type: "json" }
import { DEPLOYMENT, type RunningBroker, type StartBroker, send } from "./world.ts"

const GITLAB = "https://gitlab.example.com"
const AUDIENCE = "https://notes.example.com"

const organisation = (github: string, keys: readonly object[]) => `version: 1
issuers:
  github: { family: github-actions, url: "${github}", owners: { acme: "9001" } }
  gitlab: { family: gitlab, url: "${GITLAB}", owners: { my-group: "72" }, jwks: ${JSON.stringify({ keys })} }
connections:
  notes: { provider: identity-token, audiences: ["${AUDIENCE}"] }
`
const policy = (unit: string) => `version: 1
${unit}
environment: production
protected_environment: { required_reviewers: true, prevent_self_review: true }
allow:
  - { name: all, grants: [note, emergency] }
grants:
  note: { connection: notes, audience: "${AUDIENCE}" }
  emergency: { connection: notes, audience: "${AUDIENCE}", break_glass: { reason: required, ttl: 1h } }
`

/** One broker, and jobs of two hosts: each environment's own host is asked how it is protected. */
export function environmentsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`protected environments of two hosts on ${runtime}`, () => {
    const key = takeKey()
    const folder = mkdtempSync(join(tmpdir(), "daypass-flow-"))
    const deployments: Deployment[] = []
    const environments = new Map<string, ProtectedEnvironment>()
    const project: GitLabProject = { id: 20, isPrivate: true, allowsOwnApproval: false, environments, deployments }
    const access: AccessToken = { scopes: ["read_api"], roles: new Map([[20, 40]]), isRevoked: false }
    let github: GitHub
    let githubApi: GitHubApi
    let shop: HostedRepository
    let app: Installation
    let gitlab: GitLabApi
    let secret: string
    let broker: RunningBroker

    beforeAll(async () => {
      ;[github, githubApi, gitlab] = await Promise.all([startGitHub(), startGitHubApi(), startGitLabApi()])
      gitlab.projects.set(20, project)
      secret = gitlab.addToken(access)
      const acme = { login: "acme", id: 9001 }
      shop = githubApi.host(41, acme, "shop")
      shop.push({ "README.md": "# Shop\n" })
      shop.environments.set("production", { reviewers: [{ login: "octocat", id: 1 }], preventSelfReview: true })
      app = githubApi.install(acme)
      const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
      write("daypass.yaml", organisation(github.issuer, [publicJwk(key)]))
      write("shop.yaml", policy('issuer: github\nrepository: acme/shop\nrepository_id: "41"'))
      write("project.yaml", policy('issuer: gitlab\nproject: my-group/my-project\nproject_id: "20"'))
      broker = await startBroker({
        policies: folder,
        movableClock: true,
        settings: {
          DAYPASS_GITHUB_APP_ID: githubApi.appId,
          DAYPASS_GITHUB_APP_KEY: githubApi.key.pkcs1,
          DAYPASS_GITHUB_API_URL: githubApi.url,
          DAYPASS_GITHUB_ISSUER: github.issuer,
          DAYPASS_GITLAB_TOKEN: secret,
          DAYPASS_GITLAB_ISSUER: GITLAB,
          DAYPASS_GITLAB_API_URL: gitlab.apiUrl,
        },
      })
    })
    afterAll(async () => {
      await broker?.stop()
      await Promise.all([github?.close(), githubApi?.close(), gitlab?.close()])
      giveBack([key])
      rmSync(folder, { recursive: true, force: true })
    })

    const exchange = async (token: string, grant = "note") => {
      const { status, json } = await send(broker, "/v1/exchange", { token, body: { grants: [grant] } })
      return { status, detail: String(json["detail"] ?? "") }
    }
    const tokenOfGitLab = (claims: Readonly<Record<string, unknown>> = {}) => {
      const iat = Math.floor(Date.now() / 1000)
      const own = { aud: broker.url, iss: GITLAB, jti: randomUUID(), iat, nbf: iat - 5, exp: iat + 600 }
      return new SignJWT({ ...gitlabJob, ...own, ...claims })
        .setProtectedHeader({ typ: "JWT", alg: "RS256", kid: key.kid })
        .sign(key.privateKey)
    }

    it("are asked at GitLab, whose token stays in the broker", async () => {
      const denied = await exchange(await tokenOfGitLab())
      expect(denied.status).toBe(403)
      expect(denied.detail).toMatch(/shows no protected environment "production" of my-group\/my-project: protect it/)
      expect(denied.detail).toContain("Change the environment under Settings > CI/CD > Protected environments")
      project.environments.set("production", { rules: [1] })
      await broker.advance(3)
      expect(await exchange(await tokenOfGitLab())).toMatchObject({ status: 200 })
      const verify = await exchange(await tokenOfGitLab({ environment_action: "verify" }))
      expect(verify.detail).toContain("Only deployments wait for approval, and this job is none")
      expect(`${broker.output()}${denied.detail}${verify.detail}${broker.stored()}`).not.toContain(secret)
    })

    it("are asked at GitHub for GitHub's jobs", async () => {
      const before = gitlab.requests.length
      const token = await github.mint(DEPLOYMENT, { audience: broker.url })
      expect(await exchange(token)).toMatchObject({ status: 200 })
      expect(githubApi.requests).toContain("GET /repositories/41/environments/production 200")
      expect(gitlab.requests).toHaveLength(before)
    })

    it("say who approved a run of GitHub: somebody else, of this environment, with a reason, in the first attempt", async () => {
      const mint = (claims: object = {}) =>
        github.mint({ ...DEPLOYMENT, actor_id: "583231", ...claims }, { audience: broker.url })
      const approved: Review = { by: { login: "hubot", id: 2 }, state: "approved", environments: ["production"] }
      const by = async (change: Partial<Review>) => {
        shop.runs.set("7001", [{ ...approved, comment: "it burns", ...change }])
        await broker.advance(3)
      }

      app.permissions = { contents: "read", actions: "read" }
      expect((await exchange(await mint(), "emergency")).detail).toContain("GitHub shows no run 7001 of acme/shop")
      await by({ by: { login: "octocat", id: 583231 } })
      const own = await exchange(await mint(), "emergency")
      expect(own).toMatchObject({ status: 403, detail: expect.stringContaining("nobody else has approved it") })
      await by({ comment: "" })
      expect((await exchange(await mint(), "emergency")).detail).toContain("1 approved without a comment")
      await by({ state: "rejected" })
      expect((await exchange(await mint(), "emergency")).status).toBe(403)
      await by({ environments: ["staging"] })
      expect((await exchange(await mint(), "emergency")).status).toBe(403)
      await by({})
      expect((await exchange(await mint({ run_attempt: "2" }), "emergency")).detail).toContain("only the first counts")
      expect(await exchange(await mint(), "emergency")).toMatchObject({ status: 200 })
      app.permissions = { contents: "read" }
      githubApi.revokeTokens()
      await broker.advance(3)
      const unpermitted = await exchange(await mint(), "emergency")
      expect(unpermitted).toMatchObject({
        status: 403,
        detail: expect.stringContaining("the permission Actions: read"),
      })
    })

    it("say who approved a job of GitLab", async () => {
      project.environments.set("production", { rules: [1] })
      await broker.advance(3)
      expect((await exchange(await tokenOfGitLab(), "emergency")).detail).toContain("shows no deployment of this job")
      const by = (id: number, comment?: string): Deployment => ({
        id: 42,
        environment: "production",
        jobId: 302,
        user: [1, "sample-user"],
        approvals: [{ by: [id, "hubot"], status: "approved", ...(comment === undefined ? {} : { comment }) }],
      })
      for (const refused of [by(1, "it burns"), by(2)]) {
        deployments.splice(0, 1, refused)
        await broker.advance(3)
        expect(await exchange(await tokenOfGitLab(), "emergency")).toMatchObject({ status: 403 })
      }
      deployments.splice(0, 1, by(2, "it burns"))
      await broker.advance(3)
      expect(await exchange(await tokenOfGitLab(), "emergency")).toMatchObject({ status: 200 })
      expect(`${broker.output()}${broker.stored()}`).not.toContain(secret)
    })
  })
}
