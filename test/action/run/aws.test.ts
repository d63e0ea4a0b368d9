import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { serveCredentials } from "../../../action/run/endpoint.ts"
import { actionNode } from "../../support/runner.ts"
import { type Expected, problem } from "../../support/scripted-broker.ts"
import { granted, leftIn, play, revoked, unmaskedLines } from "../story.ts"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))
/** The SDK's own provider chain in the command, as a program that uses the SDK has it. */
const SDK = `import { defaultProvider } from ${JSON.stringify(join(ROOT, "node_modules/@aws-sdk/credential-provider-node/dist-cjs/index.js"))}`
const module = (script: string) => `"${actionNode()}" --input-type=module - <<'SCRIPT'\n${script}\nSCRIPT`

const session = (number: number, account = "prod") => ({
  format: "aws-session",
  values: {
    "access-key-id": { value: `ASIA${account.toUpperCase()}${number}KEYID`, secret: true, env: "AWS_ACCESS_KEY_ID" },
    "secret-access-key": { value: `secret-${account}-${number}-value`, secret: true, env: "AWS_SECRET_ACCESS_KEY" },
    "session-token": { value: `token-${account}-${number}-value`, secret: true, env: "AWS_SESSION_TOKEN" },
    region: { value: account === "prod" ? "eu-west-1" : "us-east-2", secret: false, env: "AWS_REGION" },
    "account-id": { value: "111122223333", secret: false },
  },
})
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
/** A session that is renewed at the first question. The action knows its life from the first answer. */
const ending = (number: number, seconds: number): Expected[] =>
  granted({ "aws-deploy": session(number) }, { expires_at: inSeconds(seconds) })

let temp = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass temp-"))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

async function ran(script: readonly Expected[], run: string, step: Parameters<typeof play>[1] = {}) {
  const story = await play(script, { temp, ...step, inputs: { run, ...step.inputs } })
  return { ...story.run, requests: story.requests }
}

/** Prints a digest, because the secret itself is replaced. */
const DIGEST = `import { createHash } from "node:crypto"
const digest = (text) => createHash("sha256").update(String(text)).digest("hex").slice(0, 16)`
const digest = async (text: string) => {
  const { createHash } = await import("node:crypto")
  return createHash("sha256").update(text).digest("hex").slice(0, 16)
}

describe("one AWS session", () => {
  test("is fetched by the SDK, and no key stands in the environment or in a file", async () => {
    const run = `env | grep -c "KEYI[D]" || true; grep -rc "KEYI[D]" "$(dirname "$0")" | grep -v ':0' || true; cat "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE"
${module(`${SDK}\n${DIGEST}
const { accessKeyId, secretAccessKey, sessionToken, expiration } = await defaultProvider()()
console.log("sdk", digest(accessKeyId), digest(secretAccessKey), digest(sessionToken), expiration instanceof Date, process.env.AWS_REGION)`)}`
    const ambient = {
      AWS_ACCESS_KEY_ID: "AKIAOLD",
      AWS_SECRET_ACCESS_KEY: "old",
      AWS_SESSION_TOKEN: "old",
      AWS_PROFILE: "old",
      AWS_CONFIG_FILE: "/nowhere",
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/old",
    }
    const step = await ran([...granted({ "aws-deploy": session(1) }), ...revoked()], run, {
      env: () => ambient,
    })
    const digests = await Promise.all(["ASIAPROD1KEYID", "secret-prod-1-value", "token-prod-1-value"].map(digest))
    expect(step.log).toContain(`\n0\nsdk ${digests.join(" ")} true eu-west-1\n`)
    expect(step.log).toContain(`not passed to the command: ${Object.keys(ambient).join(", ")}.`)
    expect([step.exitCode, leftIn(temp)]).toEqual([0, []])
    expect(unmaskedLines(step)).not.toMatch(/ASIAPROD1KEYID|-prod-1-value/)
    expect(step.summary).toContain("AWS_CONTAINER_CREDENTIALS_FULL_URI")
  })

  test("is given to requests alone that are as an SDK sends them", async () => {
    const run = module(`
import { request } from "node:http"
const url = new URL(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI)
const authorization = process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN
const ask = (name, options, path = url.pathname) => new Promise((resolve) => {
  request({ host: url.hostname, port: url.port, path, ...options, headers: { authorization, ...options.headers } }, (response) => {
    let text = ""
    response.on("data", (part) => { text += part })
    response.on("end", () => { console.log(name, response.statusCode, Object.keys(JSON.parse(text || "{}")).join()); resolve() })
  }).end()
})
await ask("good", {})
await ask("no authorization", { headers: { authorization: "" } })
await ask("wrong authorization", { headers: { authorization: authorization.slice(1) + "x" } })
await ask("bearer", { headers: { authorization: "Bearer " + authorization } })
await ask("another host", { headers: { host: "evil.example:" + url.port } })
await ask("localhost", { headers: { host: "localhost:" + url.port } })
await ask("a page", { headers: { origin: "http://evil.example" } })
await ask("POST", { method: "POST" })
await ask("HEAD", { method: "HEAD" })
await ask("another path", {}, "/aws-session/other")
await ask("a query", {}, url.pathname + "?x=1")`)
    const step = await ran([...granted({ "aws-deploy": session(1) }), ...revoked()], run)
    expect(step.log).toContain(`
good 200 AccessKeyId,SecretAccessKey,Token,Expiration
no authorization 401 Code,Message
wrong authorization 401 Code,Message
bearer 401 Code,Message
another host 403 Code,Message
localhost 403 Code,Message
a page 403 Code,Message
POST 405 Code,Message
HEAD 405 
another path 404 Code,Message
a query 404 Code,Message
`)
  })

  test("is renewed before it ends, once for all who ask, and every lease is revoked", async () => {
    const run = module(`${SDK}\n${DIGEST}
const found = await Promise.all([1, 2, 3, 4].map(() => defaultProvider()()))
console.log("sdk", ...found.map(({ accessKeyId }) => digest(accessKeyId)))
console.log(found[0].secretAccessKey)`)
    const script = [...ending(1, 2), ...ending(2, 900), ...revoked(), ...revoked()]
    const step = await ran(script, `sleep 1.5; ${run}`)
    expect(step.log).toContain(`\nsdk${` ${await digest("ASIAPROD2KEYID")}`.repeat(4)}\n***\n`)
    expect(step.masks).toContain("secret-prod-2-value")
    expect(unmaskedLines(step)).not.toContain("secret-prod-2-value")
    expect(step.requests.filter((request) => request.startsWith("DELETE"))).toEqual([
      expect.stringContaining("/v1/leases/lease-1 "),
      expect.stringContaining("/v1/leases/lease-2 "),
    ])
    expect(step.state).toMatchObject({ lease: "" })
  })

  test("is masked when it is renewed, although the command stopped the runner's commands", async () => {
    const run = `echo ::stop-commands::quiet; sleep 1.5; ${module(`${SDK}\nconsole.log((await defaultProvider()()).secretAccessKey)`)}`
    const { stdout } = await ran([...ending(1, 2), ...ending(2, 900), ...revoked(), ...revoked()], run)
    expect(stdout).toMatch(
      /\n::quiet::\n(?:::add-mask::.*\n)*::add-mask::secret-prod-2-value\n(?:::add-mask::.*\n)*::stop-commands::quiet\n/,
    )
    expect(stdout).toMatch(/\n\*\*\*\n::quiet::\n/)
  })

  test("that cannot be renewed is given out while it lives, and then none", async () => {
    const denied: Expected[] = [
      { on: "token" },
      { on: "exchange", reply: problem(403, "not_allowed", "Not any more.") },
    ]
    const run = module(`
const ask = async () => (await fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { authorization: process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN } })).status
const seen = [await ask()]
while (seen.at(-1) !== 503) {
  await new Promise((resolve) => setTimeout(resolve, 100))
  const status = await ask()
  if (status !== seen.at(-1)) seen.push(status)
}
console.log("seen", seen.join())`)
    const step = await ran([...ending(1, 5), ...denied, ...revoked()], run)
    expect(step.log).toContain("\nseen 200,503\n")
    expect(step.log).toContain(
      "::warning title=Daypass::The AWS session of aws-deploy could not be renewed yet: Not any more.",
    )
  })

  test("of a renewal is revoked by the post step when the step is killed, before the first one", async () => {
    const { requests } = await play([...revoked(), ...revoked()], {
      entry: "post",
      state: (origin) => {
        const leases = ["lease-1", "lease-2"].map((id) => ({ id, expiresAt: inSeconds(900) }))
        return { lease: JSON.stringify({ broker: origin, audience: origin, leases }) }
      },
    })
    expect(requests.filter((request) => request.startsWith("DELETE"))).toEqual([
      expect.stringContaining("/v1/leases/lease-2 "),
      expect.stringContaining("/v1/leases/lease-1 "),
    ])
  })

  test("whose lease is over when it is renewed is not revoked any more", async () => {
    const run = module(`${SDK}\nawait defaultProvider()()`)
    const step = await ran([...ending(1, -900), ...ending(2, 900), ...revoked()], run)
    expect(step.requests.filter((request) => request.startsWith("DELETE"))).toEqual([
      expect.stringContaining("/v1/leases/lease-2 "),
    ])
    expect([step.exitCode, step.state["lease"]]).toEqual([0, ""])
  })

  test("is not given to a command beside a key that would win over it", async () => {
    const key = { value: "AKIAOTHER", secret: false, env: "aws_access_key_id" }
    const script = [...granted({ "aws-deploy": session(1), other: { values: { key } } }), ...revoked()]
    const step = await ran(script, "true", { inputs: { grants: "aws-deploy,other" } })
    expect(step.exitCode).toBe(1)
    expect(step.log).toContain("would win over the AWS session of aws-deploy")
  })

  test("of another key is not taken from the job, under either of its names", async () => {
    const values = {
      id: { value: "AKIASTATICKEYID", secret: true, env: "AWS_ACCESS_KEY_ID" },
      token: { value: "token-of-static-key", secret: true, env: "AWS_SESSION_TOKEN" },
    }
    const env = () => ({ AWS_SESSION_TOKEN: "old", AWS_SECURITY_TOKEN: "old" })
    const run = `test -z "\${AWS_SECURITY_TOKEN+x}" && test "$AWS_SESSION_TOKEN" != old`
    const step = await ran([...granted({ "aws-deploy": { values } }), ...revoked()], run, { env })
    expect([step.exitCode, step.log]).toEqual([0, expect.stringContaining("to the command: AWS_SECURITY_TOKEN.")])
  })

  test("as variables is not beaten by a profile that the job selects, which JavaScript's SDK would prefer", async () => {
    const values = {
      id: { value: "ASIAVARIABLESKEY", secret: true, env: "AWS_ACCESS_KEY_ID" },
      token: { value: "token-of-variables", secret: true, env: "AWS_SESSION_TOKEN" },
    }
    const env = () => ({ AWS_PROFILE: "other", AWS_DEFAULT_PROFILE: "other" })
    const run = `test -z "\${AWS_PROFILE+x}\${AWS_DEFAULT_PROFILE+x}" && test -n "$AWS_SESSION_TOKEN"`
    const step = await ran([...granted({ "aws-deploy": { values } }), ...revoked()], run, { env })
    expect([step.exitCode, step.log]).toEqual([
      0,
      expect.stringContaining("to the command: AWS_PROFILE, AWS_DEFAULT_PROFILE."),
    ])
  })

  test("arrives as values when the format is not known", async () => {
    const script = [...granted({ "aws-deploy": { ...session(1), format: "aws-session-2" } }), ...revoked()]
    expect((await ran(script, `test -n "$AWS_SESSION_TOKEN" && echo has it`)).log).toContain("\nhas it\n")
  })

  test("that is not complete is refused, and the lease is revoked", async () => {
    const { "session-token": _, ...values } = session(1).values
    const step = await ran([...granted({ "aws-deploy": { format: "aws-session", values } }), ...revoked()], "true")
    expect([step.exitCode, step.log.includes("is not complete")]).toEqual([1, true])
  })
})

describe("several AWS sessions", () => {
  test("are a profile each, without a default one", async () => {
    const run = module(`${SDK}\n${DIGEST}
import { readFileSync } from "node:fs"
for (const profile of ["prod", "test"]) {
  const { accessKeyId, expiration } = await defaultProvider({ profile })()
  console.log(profile, digest(accessKeyId), expiration instanceof Date)
}
await defaultProvider()().catch((error) => console.log("default:", error.name))
const config = readFileSync(process.env.AWS_CONFIG_FILE, "utf8")
console.log(config.match(/region = .*/g).join(), process.env.AWS_REGION)
// The SDK for Go removes the quotes of a value that begins and ends with one, and cmd those of a line that begins with one.
console.log(config.match(/credential_process = [^"'].*'[^']+' (?:prod|test)$/gm).length)`)
    const grants = { prod: session(1), test: session(1, "test") }
    const step = await ran([...granted(grants), ...revoked()], run, {
      inputs: { grants: "prod,test" },
    })
    expect(step.log).toContain(`
prod ${await digest("ASIAPROD1KEYID")} true
test ${await digest("ASIATEST1KEYID")} true
default: CredentialsProviderError
region = eu-west-1,region = us-east-2 undefined
2
`)
    expect([step.exitCode, leftIn(temp)]).toEqual([0, []])
  })

  test("are refused on a runner whose folder a shell would take for a command, and the lease is revoked", async () => {
    const folder = join(temp, "a'$(touch planted)")
    const step = await ran([...granted({ prod: session(1), test: session(2) }), ...revoked()], "true", {
      temp: folder,
      inputs: { grants: "prod,test" },
    })
    expect([step.exitCode, leftIn(folder)]).toEqual([1, []])
    expect(step.stdout).toContain("::error title=Daypass%3A delivery_refused::One command cannot have several AWS")
  })

  test("have a folder that a shell would expand in quotes", async () => {
    const folder = join(temp, "a $(echo planted) `echo planted`")
    const run = module(`${SDK}\n${DIGEST}
console.log(digest((await defaultProvider({ profile: "prod" })()).accessKeyId))`)
    const step = await ran([...granted({ prod: session(1), test: session(2) }), ...revoked()], run, {
      temp: folder,
      inputs: { grants: "prod,test" },
    })
    expect(step.log).toContain(`\n${await digest("ASIAPROD1KEYID")}\n`)
  })

  test("are not given out after the step", async () => {
    const helper = join(ROOT, "action/dist/aws-profile.js")
    const { status, stdout, stderr } = spawnSync(actionNode(), [helper, join(temp, "gone.json"), "prod"], {
      encoding: "utf8",
    })
    expect([status, stdout, stderr]).toEqual([1, "", "The Daypass step that gave this profile has ended.\n"])
  })
})

test("a connection without a request is closed", async () => {
  const endpoint = await serveCredentials([])
  try {
    for (const start of ["", "GET / HTTP/1.1\r\nx: "]) {
      const socket = connect(Number(new URL(endpoint.urlOf("/")).port), "127.0.0.1")
      socket.write(start)
      const slow = setInterval(() => start !== "" && socket.write("x"), 100)
      await new Promise((resolve) => socket.on("error", resolve).on("close", resolve).resume())
      clearInterval(slow)
    }
  } finally {
    endpoint.close()
  }
})
