import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Azure, startAzure } from "../../support/azure.ts"
import { type NodeBroker, startNodeBroker } from "../../support/broker-node.ts"
import { type GitHub, startGitHub } from "../../support/github.ts"
import { type Google, startGoogle } from "../../support/google.ts"
import { actionNode, runAction } from "../../support/runner.ts"
import { TOOLS, toolsJob, trustBroker, writeToolsPolicy } from "../../support/vendor-world.ts"
import { leftIn } from "../story.ts"
import { makeTemp, module } from "./command.ts"

// Commands log in with tokens that a real broker signs, at stand-ins that verify its signature, the audience and the subject.

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const ACCOUNT = "shop-deploy@acme-prod.iam.gserviceaccount.com"
const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const AUDIENCE = "api://AzureADTokenExchange"
const SUPPORT = (name: string) => JSON.stringify(new URL(`../../support/${name}`, import.meta.url).pathname)

const ends = new AsyncDisposableStack()
let [github, google, azure, broker] = [] as unknown as [GitHub, Google, Azure, NodeBroker]
let runs = 5000

beforeAll(async () => {
  const temp = ends.adopt(makeTemp(), (one) => one[Symbol.dispose]())
  const policies = join(temp.path, "policies")
  mkdirSync(policies)
  github = ends.adopt(await startGitHub(), (one) => one.close())
  google = ends.adopt(await startGoogle(), (one) => one.close())
  azure = ends.adopt(await startAzure(), (one) => one.close())
  const endpoints = { sts_endpoint: google.url, iam_credentials_endpoint: google.url }
  const connections = {
    google: {
      provider: "google",
      workload_identity_provider: PROVIDER,
      service_accounts: [ACCOUNT],
      federated_tokens: true,
      ...endpoints,
    },
    azure: {
      provider: "azure",
      tenant: azure.tenant,
      client_ids: [CLIENT],
      federated_tokens: true,
      authority: azure.url,
    },
  }
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections: ${JSON.stringify(connections)}
`,
  )
  const hand_over = "federated-token"
  const grants = {
    deploy: { connection: "google", service_account: ACCOUNT, hand_over, ttl: "20m" },
    principal: { connection: "google", hand_over },
    untrusted: { connection: "google", service_account: ACCOUNT, hand_over },
    tools: { connection: "azure", client_id: CLIENT, hand_over, ttl: "90m" },
  }
  writeToolsPolicy(policies, [{ grants }])
  broker = ends.adopt(await startNodeBroker({ policies }), async (one) => void (await one.stop()))
  const trust = ({ issuer, subject }: { issuer: string; subject(grant: string): string }) => {
    google.addProvider({ name: PROVIDER, issuer, condition: ({ repository_id: id }) => id === TOOLS.repository_id })
    const members = [`principal://iam.googleapis.com/${POOL}/subject/${subject("deploy")}`]
    google.addServiceAccount({ email: ACCOUNT, bindings: [{ role: "roles/iam.workloadIdentityUser", members }] })
    azure.addClient({ clientId: CLIENT, credentials: [{ issuer, subject: subject("tools"), audience: AUDIENCE }] })
  }
  await trustBroker([{ trust }], broker.url)
})
afterAll(() => ends.disposeAsync())

async function ran(
  grants: string,
  run: string,
  more: { inputs?: Record<string, string>; env?: Record<string, string> } = {},
) {
  using temp = makeTemp()
  const job = github.job(toolsJob(`${runs++}`))
  const step = await runAction({
    entry: "main",
    inputs: { broker: broker.url, grants, run, ...more.inputs },
    idToken: { url: job.requestUrl, requestToken: job.requestToken },
    temp: temp.path,
    ...(more.env && { env: more.env }),
  })
  expect(leftIn(temp.path), "no file stays").toEqual([])
  return step
}

/** Logs in as Google's libraries do, by the file alone. */
const GOOGLE = (after = "") =>
  module(`import { readFileSync } from "node:fs"
import { logInWithFile } from ${SUPPORT("google/external-account.ts")}
const account = JSON.parse(readFileSync(process.env.GOOGLE_APPLICATION_CREDENTIALS, "utf8"))
const { url, headers, format } = account.credential_source
const subject = async () => (await (await fetch(url, { headers })).json())[format.subject_token_field_name]
console.log("logged in:", await logInWithFile(account, await subject()).then(() => "yes", (error) => error.message))
${after}`)

describe("Google, with a broker's own tokens", () => {
  test("lets a command log in as the service account, for as long as the grant says", async () => {
    const step = await ran("deploy", GOOGLE())
    expect(step.log).toContain("logged in: yes")
    expect(google.issued.at(-1)).toMatchObject({ members: [`serviceAccount:${ACCOUNT}`], lifetimeSeconds: 1_200 })
    expect(step.exitCode).toBe(0)
  })

  test("lets a command log in as the job's own principal, until the broker's token ends", async () => {
    expect((await ran("principal", GOOGLE())).log).toContain("logged in: yes")
    const issued = google.issued.at(-1)
    expect(issued?.members[0]).toContain(
      `/subject/github:repository:${TOOLS.repository_id}:environment:production:grant:principal`,
    )
    expect(issued?.lifetimeSeconds).toBeGreaterThan(240)
    expect(issued?.lifetimeSeconds).toBeLessThanOrEqual(300)
  })

  test("refuses a grant whose subject the account does not trust", async () => {
    expect((await ran("untrusted", GOOGLE())).log).toMatch(/logged in: 403 .*getAccessToken/)
  })

  test("is not reached any more when the command has ended", async () => {
    const step = await ran("deploy", `grep -o 'http://127[^"]*' "$GOOGLE_APPLICATION_CREDENTIALS"`)
    const url = /http:\/\/127\.0\.0\.1:\d+\/google-federated\/deploy/.exec(step.log)?.[0] ?? "none"
    await expect(fetch(url)).rejects.toThrow("fetch failed")
  })
})

describe("Azure, with a broker's own tokens", () => {
  const LOGIN = `const logIn = async (assertion) => {
  const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID } = process.env
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: AZURE_CLIENT_ID,
    scope: "https://management.azure.com/.default",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  })
  return (await fetch(AZURE_AUTHORITY_HOST + AZURE_TENANT_ID + "/oauth2/v2.0/token", { method: "POST", body })).status
}`

  test("lets a command log in by the file, and by the URL that Terraform asks", async () => {
    const step = await ran(
      "tools",
      module(`import { readFileSync } from "node:fs"
${LOGIN}
console.log("by file:", await logIn(readFileSync(process.env.AZURE_FEDERATED_TOKEN_FILE, "utf8")))
const { ARM_OIDC_REQUEST_URL: url, ARM_OIDC_REQUEST_TOKEN: token } = process.env
const answer = await fetch(url + "?audience=api%3A%2F%2FAzureADTokenExchange", { headers: { authorization: "Bearer " + token } })
console.log("by URL:", await logIn((await answer.json()).value))`),
    )
    expect(step.log).toContain("\nby file: 200\nby URL: 200\n")
    expect(azure.issued.at(-1)).toMatchObject({ clientId: CLIENT, resource: "https://management.azure.com" })
  })

  test("lets az log in before the command", async () => {
    using programs = makeTemp()
    const az = `#!${actionNode()}
import { readFileSync } from "node:fs"
${LOGIN}
const args = process.argv.slice(2)
const [, path] = args.find((arg) => arg.startsWith("--federated-token=@"))?.split("=@") ?? []
const isLogin = args[0] === "login" && args.includes("--service-principal") && args[args.indexOf("--username") + 1] === process.env.AZURE_CLIENT_ID
const status = isLogin && path ? await logIn(readFileSync(path, "utf8")) : 0
console.log("az login:", status)
process.exitCode = status === 200 ? 0 : 1
`
    writeFileSync(join(programs.path, "az.mjs"), az)
    writeFileSync(
      join(programs.path, "az"),
      `#!/bin/sh\nexec "${actionNode()}" "${join(programs.path, "az.mjs")}" "$@"\n`,
    )
    chmodSync(join(programs.path, "az"), 0o755)
    const env = { PATH: `${programs.path}:${process.env["PATH"]}` }
    const step = await ran("tools", "echo the command ran", { inputs: { "azure-cli": "login" }, env })
    expect(step.log).toContain("az login: 200\nthe command ran\n")
    expect(step.exitCode).toBe(0)
  })
})

test("one command can have logins of Google and Azure", async () => {
  const step = await ran(
    "deploy, tools",
    `test -f "$GOOGLE_APPLICATION_CREDENTIALS" && test -f "$AZURE_FEDERATED_TOKEN_FILE" && echo both`,
  )
  expect(step.log).toContain("\nboth\n")
})
