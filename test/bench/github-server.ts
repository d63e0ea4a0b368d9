// The strict stand-in for GitHub's API as a process of its own, so that its work is not on the thread that sends the load.
// Run as: node github-server.ts, prints one line of JSON: where it is, the App's id and its key.
import { startGitHubApi } from "../support/github-api.ts"

const api = await startGitHubApi({ tokens: "stateless" })
const acme = { login: "acme", id: 9001 }
api.host(41, acme, "shop")
api.install(acme, { permissions: { contents: "write" } })
process.on("SIGTERM", () => process.exit(0))
console.log(JSON.stringify({ url: api.url, appId: api.appId, key: api.key.pkcs8 }))
