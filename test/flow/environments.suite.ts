import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SignJWT } from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type GitHubApi, startGitHubApi } from "../support/github-api.ts"
import { giveBack, publicJwk, takeKey } from "../support/github-keys.ts"
import { type AccessToken, type GitLabApi, type GitLabProject, startGitLabApi } from "../support/gitlab-api.ts"
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
  - { name: all, grants: [note] }
grants:
  note: { connection: notes, audience: "${AUDIENCE}" }
`

/** One broker, and jobs of two hosts: each environment's own host is asked how it is protected. */
export function environmentsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`protected environments of two hosts on ${runtime}`, () => {
    const key = takeKey()
    const folder = mkdtempSync(join(tmpdir(), "daypass-flow-"))
    const project: GitLabProject = { id: 20, isPrivate: true, allowsOwnApproval: false, environments: new Map() }
    const access: AccessToken = { scopes: ["read_api"], roles: new Map([[20, 40]]), isRevoked: false }
    let github: GitHub
    let githubApi: GitHubApi
    let gitlab: GitLabApi
    let secret: string
    let broker: RunningBroker

    beforeAll(async () => {
      ;[github, githubApi, gitlab] = await Promise.all([startGitHub(), startGitHubApi(), startGitLabApi()])
      gitlab.projects.set(20, project)
      secret = gitlab.addToken(access)
      const acme = { login: "acme", id: 9001 }
      const shop = githubApi.host(41, acme, "shop")
      shop.push({ "README.md": "# Shop\n" })
      shop.environments.set("production", { reviewers: [{ login: "octocat", id: 1 }], preventSelfReview: true })
      githubApi.install(acme)
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

    const exchange = async (token: string) => {
      const { status, json } = await send(broker, "/v1/exchange", { token, body: { grants: ["note"] } })
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
  })
}
