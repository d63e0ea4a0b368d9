import { createAppAuth } from "@octokit/auth-app"
import { Octokit } from "@octokit/core"
import { settings, tell } from "./tell.mjs"

const { baseUrl, appId, privateKey, wrongKey, installationId, repository, foreign } = settings
const [owner, repo] = repository.split("/")
const [, other] = foreign.split("/")

const held = new Octokit({ auth: process.env.GH_TOKEN, baseUrl })
const appWith = (key, more = {}) =>
  new Octokit({ authStrategy: createAppAuth, auth: { appId, privateKey: key, ...more }, baseUrl })
const nameOf = async (octokit, name) =>
  (await octokit.request("GET /repos/{owner}/{repo}", { owner, repo: name })).data.full_name

const steps = {
  repository: () => nameOf(held, repo),
  foreign: () => nameOf(held, other),
  app: async () => (await appWith(privateKey).request("GET /app")).data.id,
  installation: async () => (await appWith(privateKey).request("GET /orgs/{org}/installation", { org: owner })).data.id,
  async minted() {
    const octokit = appWith(privateKey, { installationId })
    const { token, permissions } = await octokit.auth({
      type: "installation",
      repositoryNames: [repo],
      permissions: { contents: "read" },
    })
    const name = await nameOf(new Octokit({ auth: token, baseUrl }), repo)
    await new Octokit({ auth: token, baseUrl }).request("DELETE /installation/token")
    const after = await nameOf(new Octokit({ auth: token, baseUrl }), repo).catch(({ status }) => status)
    return { name, permissions, after }
  },
  wrongKey: () => appWith(wrongKey).request("GET /app"),
  wrongToken: () => nameOf(new Octokit({ auth: "ghs_0123456789abcdefghijklmnopqrstuvwxyz", baseUrl }), repo),
  tooMuch: () =>
    appWith(privateKey, { installationId }).auth({ type: "installation", permissions: { packages: "write" } }),
}

await tell(settings.ended ? { repository: steps.repository } : steps)
