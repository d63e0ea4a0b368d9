import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { type Account, startGitHubApi } from "../../support/github-api.ts"
import { assertRefused, type StartClientVendor } from "./vendor.ts"

const ACME: Account = { login: "acme", id: 9001 }
const GRANT = "clients-github"

/** Octokit with the delivered token, and `@octokit/auth-app` with the App's own key. */
export const startGitHubClients: StartClientVendor = async () => {
  const api = await startGitHubApi()
  for (const [id, name] of [
    [42, "tools"],
    [43, "ops"],
  ] as const)
    api.host(id, ACME, name).push({ "README.md": "#\n" })
  const installation = api.install(ACME, { permissions: { contents: "write", metadata: "read" } })
  const wrongKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
  const settings = {
    baseUrl: api.url,
    appId: api.appId,
    privateKey: api.key.pkcs8,
    wrongKey: wrongKey.export({ type: "pkcs8", format: "pem" }),
    installationId: installation.id,
    repository: "acme/tools",
    foreign: "acme/ops",
  }
  return {
    name: "github",
    connections: {
      "clients-github": {
        provider: "github",
        app_id: api.appId,
        key: "env:CLIENTS_APP_KEY",
        owner: ACME.login,
        owner_id: String(ACME.id),
        api_url: api.url,
      },
    },
    grants: {
      [GRANT]: {
        connection: "clients-github",
        repositories: ["tools"],
        permissions: { contents: "read" },
        ttl: "10m",
      },
    },
    secrets: { CLIENTS_APP_KEY: api.key.pkcs1 },
    trust() {},
    async use({ node }, check) {
      const told = await node("github", settings)
      await check("Octokit reads the granted repository with the delivered GH_TOKEN, and no other", () => {
        assert.equal(told["repository"], "acme/tools")
        assertRefused(told, "foreign", /^HttpError 404 Not Found/)
      })
      await check("@octokit/auth-app signs in as the App, mints a narrow token, and ends it", () => {
        assert.equal(String(told["app"]), api.appId)
        assert.equal(told["installation"], installation.id)
        const minted = { name: "acme/tools", permissions: { contents: "read", metadata: "read" }, after: 401 }
        assert.deepEqual(told["minted"], minted)
      })
      await check("Octokit tells of a wrong key, a wrong token and a permission that the App lacks", () => {
        assertRefused(told, "wrongKey", /^HttpError 401 /)
        assertRefused(told, "wrongToken", /^HttpError 401 Bad credentials/)
        assertRefused(told, "tooMuch", /^HttpError 422 /)
      })
    },
    async useAfter({ node }, check) {
      const told = await node("github", { ...settings, ended: true })
      await check("Octokit is refused with the delivered token after the job", () =>
        assertRefused(told, "repository", /^HttpError 401 Bad credentials/),
      )
    },
    assertClean: () => api.assertClean(),
    close: () => api.close(),
  }
}
