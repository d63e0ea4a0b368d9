import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { actionNode } from "../../support/runner.ts"
import { type Expected, problem } from "../../support/scripted-broker.ts"
import { granted, leftIn, revoked, unmaskedLines } from "../story.ts"
import { DIGEST, inSeconds, makeTemp, module, ran, token } from "./command.ts"

const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const TENANT = "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63"
const SUBSCRIPTION = "e5a7c9b1-8d42-4f60-a3b8-17f2c6d90e35"
const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16)

const login = (number: number, { authority = "https://login.microsoftonline.com/", subscription = true } = {}) => ({
  provider: "azure",
  format: "azure-federated",
  values: {
    "federated-token": { value: token(number), secret: true, env: "ARM_OIDC_TOKEN" },
    "federated-token-file": {
      value: token(number),
      secret: true,
      env: "AZURE_FEDERATED_TOKEN_FILE",
      file: { mode: "0600" },
    },
    "use-oidc": { value: "true", secret: false, env: "ARM_USE_OIDC" },
    "authority-host": { value: authority, secret: false, env: "AZURE_AUTHORITY_HOST" },
    "client-id": { value: CLIENT, secret: false, env: "AZURE_CLIENT_ID" },
    "arm-client-id": { value: CLIENT, secret: false, env: "ARM_CLIENT_ID" },
    "tenant-id": { value: TENANT, secret: false, env: "AZURE_TENANT_ID" },
    "arm-tenant-id": { value: TENANT, secret: false, env: "ARM_TENANT_ID" },
    ...(subscription && {
      "subscription-id": { value: SUBSCRIPTION, secret: false, env: "AZURE_SUBSCRIPTION_ID" },
      "arm-subscription-id": { value: SUBSCRIPTION, secret: false, env: "ARM_SUBSCRIPTION_ID" },
    }),
  },
})
const GRANT = { inputs: { grants: "azure" } }
const ending = (number: number, seconds: number): Expected[] =>
  granted({ azure: login(number) }, { expires_at: inSeconds(seconds) })

let temp: ReturnType<typeof makeTemp>
beforeEach(() => {
  temp = makeTemp()
})
afterEach(() => temp[Symbol.dispose]())

describe("an Azure login", () => {
  test("is what the SDKs and Terraform read, and no token stands in the environment", async () => {
    const run = `env | grep -c "claims-[1]" || true; stat -c '%a' "$AZURE_FEDERATED_TOKEN_FILE" "$(dirname "$(dirname "$AZURE_CONFIG_DIR")")"; env | grep -E '^(AZURE|ARM)_' | grep -vE '_FILE=|_DIR=|REQUEST' | sort
${module(`${DIGEST}
import { readFileSync } from "node:fs"
console.log("file", digest(readFileSync(process.env.AZURE_FEDERATED_TOKEN_FILE, "utf8")))
const { ARM_OIDC_REQUEST_URL, ARM_OIDC_REQUEST_TOKEN } = process.env
const headers = { Accept: "application/json", Authorization: "Bearer " + ARM_OIDC_REQUEST_TOKEN }
const response = await fetch(ARM_OIDC_REQUEST_URL + "?audience=api%3A%2F%2FAzureADTokenExchange", { headers })
console.log("url", response.status, digest((await response.json()).value))`)}`
    const ambient = {
      AZURE_CLIENT_SECRET: "old",
      AZURE_CONFIG_DIR: "/old",
      ARM_OIDC_TOKEN: "old",
      ARM_OIDC_TOKEN_FILE_PATH: "/old",
      ARM_CLIENT_SECRET: "old",
      IDENTITY_ENDPOINT: "http://old.example",
    }
    const step = await ran([...granted({ azure: login(1) }), ...revoked()], run, {
      ...GRANT,
      temp: temp.path,
      env: () => ambient,
    })
    expect(step.log).toContain(`
0
600
700
ARM_CLIENT_ID=${CLIENT}
ARM_SUBSCRIPTION_ID=${SUBSCRIPTION}
ARM_TENANT_ID=${TENANT}
ARM_USE_OIDC=true
AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/
AZURE_CLIENT_ID=${CLIENT}
AZURE_SUBSCRIPTION_ID=${SUBSCRIPTION}
AZURE_TENANT_ID=${TENANT}
file ${digest(token(1))}
url 200 ${digest(token(1))}
`)
    expect(step.log).toContain(`not passed to the command: ${Object.keys(ambient).join(", ")}.`)
    expect([step.exitCode, leftIn(temp.path)]).toEqual([0, []])
    expect(unmaskedLines(step)).not.toContain("login-claims-1")
  })

  test("is written anew while the command runs, in one step, and every lease is revoked", async () => {
    const run = module(`${DIGEST}
import { readFileSync, readdirSync, statSync } from "node:fs"
import { dirname } from "node:path"
const path = process.env.AZURE_FEDERATED_TOKEN_FILE
const seen = new Set()
while (!seen.has("${digest(token(3))}")) {
  seen.add(digest(readFileSync(path, "utf8")))
  await new Promise((resolve) => setImmediate(resolve))
}
console.log("seen", ...seen, (statSync(path).mode & 0o777).toString(8), readdirSync(dirname(path)).join())`)
    const script = [...ending(1, 2), ...ending(2, 2), ...ending(3, 300), ...revoked(), ...revoked(), ...revoked()]
    const step = await ran(script, run, { ...GRANT, temp: temp.path })
    // The command may have looked for the first time after a renewal.
    const [first, second, third] = [1, 2, 3].map((number) => digest(token(number)))
    expect(step.log).toMatch(new RegExp(`\nseen (?:${first} )?(?:${second} )?${third} 600 token\n`))
    expect(step.log.match(/^Renewed azure, until /gm)).toHaveLength(2)
    expect(unmaskedLines(step)).not.toMatch(/login-claims-[123]/)
    expect(step.requests.filter((request) => request.startsWith("DELETE"))).toHaveLength(3)
    expect([step.state["lease"], leftIn(temp.path)]).toEqual(["", []])
  })

  test("that cannot be renewed is a warning, and the next try is sooner", async () => {
    const denied: Expected[] = [{ on: "token" }, { on: "exchange", reply: problem(403, "not_allowed", "Not now.") }]
    const run = module(`import { readFileSync } from "node:fs"
const read = () => readFileSync(process.env.AZURE_FEDERATED_TOKEN_FILE, "utf8")
const first = read()
const start = Date.now()
while (read() === first) await new Promise((resolve) => setTimeout(resolve, 20))
console.log("anew within", Math.ceil((Date.now() - start) / 1000), "s")`)
    const script = [...ending(1, 8), ...denied, ...ending(2, 300), ...revoked(), ...revoked()]
    const step = await ran(script, run, { ...GRANT, temp: temp.path })
    // 40 % of 8 s, and then a quarter of that.
    expect(step.log).toMatch(/\nanew within [4-6] s\n/)
    expect(step.log).toContain("::warning title=Daypass::The Azure login of azure could not be renewed yet: Not now.")
    expect(step.exitCode).toBe(0)
  })

  test("is one only: a second one has the same variables", async () => {
    const step = await ran([...granted({ azure: login(1), other: login(2) }), ...revoked()], "true", {
      temp: temp.path,
      inputs: { grants: "azure,other" },
    })
    expect(step.exitCode).toBe(1)
    expect(step.log).toContain("cannot have two logins of Azure, because both use the same variables: azure and other")
  })

  test("is not given to a command beside a secret that would win over it", async () => {
    const other = { values: { secret: { value: "client-secret", secret: true, env: "AZURE_CLIENT_SECRET" } } }
    const step = await ran([...granted({ azure: login(1), other }), ...revoked()], "true", {
      temp: temp.path,
      inputs: { grants: "azure,other" },
    })
    expect([step.exitCode, step.log.includes("would win over the Azure login of azure")]).toEqual([1, true])
  })

  test("that is not complete is refused, and the lease is revoked", async () => {
    for (const missing of ["federated-token", "client-id", "tenant-id", "authority-host"]) {
      const values = Object.fromEntries(Object.entries(login(1).values).filter(([name]) => name !== missing))
      const script = [...granted({ azure: { ...login(1), values } }), ...revoked()]
      const step = await ran(script, "true", { ...GRANT, temp: temp.path })
      expect([step.exitCode, step.log.includes(`the credential of azure has no ${missing}`)]).toEqual([1, true])
    }
  })
})

describe("az", () => {
  /** Writes down how it was started. Takes a value from a file behind an at sign, as the real one does. */
  const AZ = `#!${actionNode()}
const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs")
const args = process.argv.slice(2)
const shown = args.map((arg) => arg.replace(/=@.*\\/\\.run\\/azure\\/token$/, "=@<token file>"))
appendFileSync(process.env.AZ_LOG, shown.join(" ") + "\\n")
if (process.env.AZ_FAILS === args[0]) {
  console.error("ERROR: AADSTS700213: No matching federated identity record found.")
  process.exit(1)
}
if (args[0] === "login") {
  const [, path] = args.find((arg) => arg.startsWith("--federated-token=@")).split("=@")
  const client_assertion = readFileSync(path, "utf8")
  mkdirSync(process.env.AZURE_CONFIG_DIR, { recursive: true })
  writeFileSync(process.env.AZURE_CONFIG_DIR + "/service_principal_entries.json", JSON.stringify([{ client_id: args[3], tenant: args[5], client_assertion }]))
}
`

  /** A PATH in which `az` is this stand-in. */
  function withAz(more: Record<string, string> = {}) {
    const programs = join(temp.path, "programs")
    mkdirSync(programs)
    writeFileSync(join(programs, "az"), AZ)
    chmodSync(join(programs, "az"), 0o755)
    return () => ({ PATH: `${programs}:${process.env["PATH"]}`, AZ_LOG: join(temp.path, "az.log"), ...more })
  }
  const asked = () => readFileSync(join(temp.path, "az.log"), "utf8").trim().split("\n")
  const LOGIN = { grants: "azure", "azure-cli": "login" }

  test("is logged in before the command, in a folder of its own that is gone with the step", async () => {
    const run = module(`${DIGEST}
import { readFileSync } from "node:fs"
const [entry] = JSON.parse(readFileSync(process.env.AZURE_CONFIG_DIR + "/service_principal_entries.json", "utf8"))
console.log("az has", digest(entry.client_assertion))`)
    const script = [...granted({ azure: login(1) }), ...revoked()]
    const step = await ran(script, run, { temp: temp.path, inputs: LOGIN, env: withAz() })
    expect(step.log).toContain(`az has ${digest(token(1))}`)
    expect(asked()).toEqual([
      `login --service-principal --username ${CLIENT} --tenant ${TENANT} --federated-token=@<token file> --only-show-errors --output none`,
      `account set --subscription ${SUBSCRIPTION} --only-show-errors --output none`,
    ])
    expect(leftIn(temp.path).sort()).toEqual(["az.log", "programs"])
  })

  test("gets the new token with each renewal, and what else it keeps stays", async () => {
    const run = module(`${DIGEST}
import { readFileSync, statSync, writeFileSync } from "node:fs"
const path = process.env.AZURE_CONFIG_DIR + "/service_principal_entries.json"
const read = () => JSON.parse(readFileSync(path, "utf8"))
const others = [{ client_id: "other", client_assertion: "theirs" }, { client_id: process.env.AZURE_CLIENT_ID, client_secret: "kept" }]
writeFileSync(path, JSON.stringify([...others, ...read()]))
while (digest(read()[2].client_assertion) === "${digest(token(1))}") await new Promise((resolve) => setTimeout(resolve, 20))
const [one, two, { client_assertion, ...rest }] = read()
console.log(JSON.stringify([one, two, rest]), digest(client_assertion), (statSync(path).mode & 0o777).toString(8))`)
    const script = [...ending(1, 3), ...ending(2, 300), ...revoked(), ...revoked()]
    const step = await ran(script, run, { temp: temp.path, inputs: LOGIN, env: withAz() })
    const kept = [
      { client_id: "other", client_assertion: "theirs" },
      { client_id: CLIENT, client_secret: "kept" },
      { client_id: CLIENT, tenant: TENANT },
    ]
    expect(step.log).toContain(`\n${JSON.stringify(kept)} ${digest(token(2))} 600\n`)
  })

  test.each([
    ["no JSON", "no JSON"],
    ["another form", '{"client_id": "x"}'],
    ["another client", '[{"client_id": "other", "client_assertion": "theirs"}]'],
    ["a certificate", `[{"client_id": "${CLIENT}", "certificate": "theirs"}]`],
  ])("keeps its entries of %s as they are", async (_, text) => {
    const run = module(`import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
const { AZURE_CONFIG_DIR: folder, AZURE_FEDERATED_TOKEN_FILE: file } = process.env
mkdirSync(folder, { recursive: true })
const path = folder + "/service_principal_entries.json"
writeFileSync(path, ${JSON.stringify(text)})
while (readFileSync(file, "utf8") === ${JSON.stringify(token(1))}) await new Promise((resolve) => setTimeout(resolve, 20))
await new Promise((resolve) => setTimeout(resolve, 100))
console.log("kept:", readFileSync(path, "utf8") === ${JSON.stringify(text)})`)
    const script = [...ending(1, 3), ...ending(2, 300), ...revoked(), ...revoked()]
    const step = await ran(script, run, { ...GRANT, temp: temp.path })
    expect(step.log).toContain("\nkept: true\n")
    expect(step.log).not.toContain("::warning")
  })

  test("cannot hold the step with a pipe in the place of its entries", async () => {
    const run = `mkdir -p "$AZURE_CONFIG_DIR"; mkfifo "$AZURE_CONFIG_DIR/service_principal_entries.json"
while [ "$(cat "$AZURE_FEDERATED_TOKEN_FILE")" = "${token(1)}" ]; do sleep 0.1; done; echo went on`
    const script = [...ending(1, 3), ...ending(2, 300), ...revoked(), ...revoked()]
    expect((await ran(script, run, { ...GRANT, temp: temp.path })).log).toContain("\nwent on\n")
  })

  test("is told its cloud, and does without a subscription", async () => {
    const credential = login(1, { authority: "https://login.microsoftonline.us/", subscription: false })
    const script = [...granted({ azure: credential }), ...revoked()]
    await ran(script, "true", { temp: temp.path, inputs: LOGIN, env: withAz() })
    expect(asked()).toEqual([
      "cloud set --name AzureUSGovernment --only-show-errors --output none",
      expect.stringMatching(/^login .*@<token file> --allow-no-subscriptions --only-show-errors/),
    ])
  })

  test("that cannot log in fails the step, shows its reason, and the command does not run", async () => {
    const step = await ran([...granted({ azure: login(1) }), ...revoked()], "echo the command ran", {
      temp: temp.path,
      inputs: LOGIN,
      env: withAz({ AZ_FAILS: "login" }),
    })
    expect(step.exitCode).toBe(1)
    expect(step.log).toContain("ERROR: AADSTS700213")
    expect(step.log).toContain("::error title=Daypass%3A azure_login_failed::az login ended with exit code 1.")
    expect(step.log).not.toContain("the command ran")
    expect(leftIn(temp.path).sort()).toEqual(["az.log", "programs"])
  })

  test("needs a login of Azure among the grants", async () => {
    const step = await ran([...granted(), ...revoked()], "true", {
      temp: temp.path,
      inputs: { "azure-cli": "login" },
      env: withAz(),
    })
    expect(step.exitCode).toBe(1)
    expect(step.log).toContain("The input `azure-cli` needs a grant of Azure")
  })

  test.each([
    ["that is not there", { "azure-cli": "login", run: "true" }, "no az is in this job's PATH"],
    ["with another word", { "azure-cli": "yes", run: "true" }, "The input `azure-cli` must be login, or left out"],
    ["for no command", { "azure-cli": "login", run: "" }, "is for a command; write the input `run`"],
  ])("%s: nothing is asked of the broker", async (_, inputs, says) => {
    const empty = join(temp.path, "empty")
    mkdirSync(empty)
    const step = await ran([], "true", {
      temp: temp.path,
      inputs: { shell: `${actionNode()} {0}`, ...inputs, ...(inputs.run === "" && { shell: "" }) },
      env: () => ({ PATH: empty }),
    })
    expect([step.exitCode, step.log.includes(says)]).toEqual([1, true])
    expect(step.requests).toEqual([])
  })
})
