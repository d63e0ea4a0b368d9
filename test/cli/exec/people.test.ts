import { existsSync, readFileSync } from "node:fs"
import { decodeJwt } from "jose"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createHttp } from "../../../broker/adapters/web/http.ts"
import { run as login } from "../../../cli/login/login.ts"
import { loginFile } from "../../../cli/login/stored-login.ts"
import { type NodeBroker, startNodeBroker } from "../../support/broker-node.ts"
import { builtCli } from "../../support/built-cli.ts"
import { Person } from "../../support/openid/person.ts"
import { CLIENT, type OpenIdProvider, openIdProvider } from "../../support/openid/provider.ts"
import { actionNode } from "../../support/runner.ts"
import { folderOf, runWork, scriptedIo } from "../run-cli.ts"
import { endJobs, runJob } from "./job.ts"
import { leasesIn, recordsWith, WHOLE_LEASE } from "./trail.ts"

// A person signs in at a real OpenID provider, and the built command line asks a broker that runs.

const http = createHttp({ userAgent: "daypass-test" })
let provider: OpenIdProvider
let broker: NodeBroker

beforeAll(async () => {
  provider = await openIdProvider()
  const policies = folderOf({
    "daypass.yaml": `version: 1
issuers:
  staff: { family: openid, url: "${provider.url}", audience: ${CLIENT} }
connections:
  oidc: { provider: identity-token, audiences: ["https://dev.example.com"], people: true }
`,
    "people.yaml": `version: 1
people: true
allow:
  - { name: engineers, when: { groups: engineering, email: "*@example.com" }, grants: [dev] }
grants:
  dev: { connection: oidc, audience: "https://dev.example.com", env: DEV_TOKEN, ttl: 5m }
`,
  })
  broker = await startNodeBroker({ policies })
})
afterAll(async () => {
  await broker?.stop()
  await provider?.close()
  endJobs()
})

/** An account of a machine on which a person of this name has signed in. */
async function account(name: string) {
  // No CI: its variable is empty.
  const env = { HOME: folderOf({}), XDG_STATE_HOME: "", CI: "" }
  const io = { ...scriptedIo({ http, now: () => new Date(), env }), out: () => {}, err: () => {} }
  let signedIn: Promise<unknown> = Promise.resolve()
  const open = (address: string) => {
    const person = new Person()
    signedIn = person
      .open(address)
      .then((page) => person.submit(page, { login: name, password: "any" }))
      .then((page) => person.submit(page))
  }
  const world = { open, sleep: () => Promise.reject(new Error("nobody expected this")) }
  expect(await runWork("login", ["--broker", broker.url], io, (given) => login(given, io, world))).toBe(0)
  await signedIn
  const file = loginFile({ env, now: () => new Date() })
  return { env, file, token: (JSON.parse(readFileSync(file, "utf8")) as { token: string }).token }
}

const args = (...more: string[]) => ["--broker", broker.url, "--grants", "dev", ...more]
const SHOW = [actionNode(), "-e", "console.log(process.env.DEV_TOKEN.split('.')[1])"]

const leasesOf = async (person: string) => leasesIn(await recordsWith(person, broker))

describe("a person who is signed in", () => {
  test("runs commands with one login, one after the other and at the same time, and each ends its lease", async () => {
    const { env, token } = await account("first")
    const exec = () => runJob(["exec", ...args(), "--", ...SHOW], { env })
    const runs = [await exec(), ...(await Promise.all([exec(), exec()]))]
    for (const { code, out, err } of runs) {
      expect([code, err.includes(token)]).toEqual([0, false])
      expect(decodeJwt(`e30.${out.trim()}.c2ln`)).toMatchObject({
        aud: "https://dev.example.com",
        sub: "staff:person:first:environment:-:grant:dev",
      })
    }
    expect(await leasesOf("first")).toEqual([WHOLE_LEASE, WHOLE_LEASE, WHOLE_LEASE])
  })

  test("gets a token alone", async () => {
    const { env } = await account("second")
    const run = await runJob(["token", ...args()], { env })
    expect([run.code, decodeJwt(run.out.trim()).aud]).toEqual([0, "https://dev.example.com"])
  })

  test("can sign out while a command runs, which still ends its own lease; then signs in again", async () => {
    const { env, file } = await account("third")
    const out = `${actionNode()} ${await builtCli()} logout`
    const run = await runJob(["exec", ...args(), "--", "sh", "-c", out], { env })
    expect([run.code, run.out.split("\n")[0]]).toEqual([0, "Signed out. Commands that still run end what they got."])
    expect(existsSync(file)).toBe(false)
    expect(await leasesOf("third")).toEqual([WHOLE_LEASE])
    const again = await runJob(["exec", ...args(), "--", ...SHOW], { env })
    expect([again.code, again.out]).toEqual([125, ""])
    expect(again.err).toContain("You are not signed in: run daypass login.")
  })

  test("loses nothing to a copy of the token without the key", async () => {
    const { env, token } = await account("fourth")
    expect((await runJob(["exec", ...args(), "--", ...SHOW], { env })).code).toBe(0)
    const thief = await runJob(["exec", ...args("--token-file", "-"), "--", ...SHOW], { env: { CI: "" }, input: token })
    expect([thief.code, thief.out]).toEqual([125, ""])
    expect(thief.err).toContain("docs/codes.md#token_already_used")
  })

  test("is told to sign in again when the token was used by somebody else first", async () => {
    const { env, token } = await account("fifth")
    const thief = await runJob(["exec", ...args("--token-file", "-"), "--", ...SHOW], { input: token })
    expect(thief.code).toBe(0)
    const run = await runJob(["exec", ...args(), "--", ...SHOW], { env })
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("Run `daypass login` again: this login's token was used without its key")
  })

  test("is no job: a job of a CI on this account gets nothing by the login", async () => {
    const { env } = await account("sixth")
    const run = await runJob(["exec", ...args(), "--", ...SHOW], { env: { ...env, GITLAB_CI: "true" } })
    expect([run.code, run.out]).toEqual([125, ""])
    expect(run.err).toContain("the variable DAYPASS_ID_TOKEN is not set")
  })
})
