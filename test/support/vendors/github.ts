import { type Account, type GitHubApi, startGitHubApi } from "../github-api.ts"
import type { StartVendor } from "../vendor.ts"
import { revoked } from "./end-of-job.ts"

const ACME: Account = { login: "acme", id: 9001 }
/** The repository that the job is in. */
const TOOLS_ID = 42
const OPS_ID = 43
const GRANT = "github-release"
const FOUND = 200
const NOT_FOUND = 404
const UNAUTHORIZED = 401

/** As policies write a gap that the job's claim fills. */
const gap = (claim: string) => `$\{${claim}}`

/** GitHub, with a GitHub App that is installed on all of acme, and grants that take little of it. */
export const startGitHubVendor: StartVendor = async () => {
  const api = await startGitHubApi({ tokens: "stateless" })
  api.host(TOOLS_ID, ACME, "tools").push({ "README.md": "# Tools\n" })
  api.host(44, ACME, "docs").push({ "README.md": "# Docs\n" })
  api.host(OPS_ID, ACME, "ops").push({ "README.md": "# Ops\n" })
  api.install(ACME, { permissions: { contents: "write", issues: "write", administration: "write" } })
  let token = ""

  return {
    name: "github",
    gives: "a GitHub App's token for two repositories",
    connections: {
      "github-acme": {
        provider: "github",
        app_id: api.appId,
        key: "env:ACME_DEPLOY_APP_KEY",
        owner: ACME.login,
        owner_id: String(ACME.id),
        api_url: api.url,
      },
    },
    grants: {
      [GRANT]: {
        connection: "github-acme",
        repositories: [gap("repository_name"), "docs"],
        permissions: { contents: "write", issues: "read" },
        ttl: "10m",
      },
    },
    secrets: { ACME_DEPLOY_APP_KEY: api.key.pkcs1 },
    trust: () => {},
    async check({ env, masks }) {
      token = env["GH_TOKEN"] ?? ""
      return [
        ["GH_TOKEN is masked", token !== "" && masks.includes(token)],
        ["it opens the job's own repository", (await statusOf(api, `/repositories/${TOOLS_ID}`, token)) === FOUND],
        [
          "it opens none that the grant does not name",
          (await statusOf(api, `/repositories/${OPS_ID}`, token)) === NOT_FOUND,
        ],
      ]
    },
    async checkEnd({ log }) {
      const status = await statusOf(api, `/repositories/${TOOLS_ID}`, token)
      return [revoked(log, GRANT), ["GitHub takes it no longer", token !== "" && status === UNAUTHORIZED]]
    },
    fail: (how) => api.fail(how),
    requests: api.requests,
    alive: () => api.tokensAlive,
    assertClean: () => api.assertClean(),
    close: () => api.close(),
  }
}

/** As a step of the job would ask with its token. */
async function statusOf({ url }: GitHubApi, path: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "user-agent": "a-step-of-the-job" }
  const answer = await fetch(`${url}${path}`, { headers })
  await answer.arrayBuffer()
  return answer.status
}
