import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { decodeJwt } from "jose"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type NodeBroker, startNodeBroker } from "../../support/broker-node.ts"
import { type GitHub, startGitHub } from "../../support/github.ts"
import { actionNode } from "../../support/runner.ts"
import { endJobs, makeFolder, runJob } from "./job.ts"
import { leasesIn, recordsWith, WHOLE_LEASE } from "./trail.ts"

// The built command line against a broker that runs, with tokens that the broker verifies.

const JOB = {
  repository: "acme/shop",
  repository_id: "41",
  repository_owner: "acme",
  repository_owner_id: "9001",
  ref: "refs/heads/main",
  environment: "production",
}

let [github, broker] = [] as unknown as [GitHub, NodeBroker]
let runs = 7000

beforeAll(async () => {
  const policies = makeFolder()
  mkdirSync(join(policies, "acme/shop"), { recursive: true })
  github = await startGitHub()
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }
`,
  )
  writeFileSync(
    join(policies, "acme/shop/production.yaml"),
    `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: deploy from main
    when: { ref: refs/heads/main, event_name: push }
    grants: [vault]
grants:
  vault: { connection: oidc, audience: "https://vault.example.com", env: VAULT_ID_TOKEN, ttl: 5m }
`,
  )
  broker = await startNodeBroker({ policies })
})
afterAll(async () => {
  await broker.stop()
  await github.close()
  endJobs()
})

const claims = () => ({ ...JOB, run_id: String(++runs) })
const SHOW = [actionNode(), "-e", "console.log(process.env.VAULT_ID_TOKEN.split('.')[1])"]
const args = (...more: string[]) => ["--broker", broker.url, "--grants", "vault", ...more]
const payloadOf = (line: string) => decodeJwt(`e30.${line.trim()}.c2ln`)

describe("a broker that runs", () => {
  test("gives a command of GitHub what its policy allows, and ends the lease", async () => {
    const job = github.job(claims())
    const run = await runJob(["exec", ...args(), "--", ...SHOW], { env: { GITHUB_ACTIONS: "true", ...job.env } })
    expect([run.err.includes("Got vault for the command"), run.code, run.left]).toEqual([true, 0, []])
    expect(payloadOf(run.out)).toMatchObject({
      aud: "https://vault.example.com",
      sub: "github:repository:41:environment:production:grant:vault",
    })
    expect(leasesIn(await recordsWith(String(runs), broker))).toEqual([WHOLE_LEASE])
  })

  test("refuses a token for another audience, with advice for a command line", async () => {
    const token = await github.mint(claims(), { audience: "https://elsewhere.example.com" })
    const run = await runJob(["exec", ...args("--token-file", "-"), "--", ...SHOW], { input: token })
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("docs/codes.md#token_audience_mismatch")
  })

  test("gives `daypass token` the secret alone", async () => {
    const job = github.job(claims())
    const run = await runJob(["token", ...args()], { env: { GITHUB_ACTIONS: "true", ...job.env } })
    expect([run.code, decodeJwt(run.out.trim())["aud"]]).toEqual([0, "https://vault.example.com"])
  })
})
