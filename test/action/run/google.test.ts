import { createHash } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Expected, problem } from "../../support/scripted-broker.ts"
import { granted, leftIn, revoked, unmaskedLines } from "../story.ts"
import { DIGEST, inSeconds, makeTemp, module, ran, token } from "./command.ts"

const POOL =
  "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16)

const login = (number: number, { account = "deploy", impersonates = true } = {}) => ({
  provider: "google",
  format: "google-federated",
  values: {
    "federated-token": { value: token(number, account), secret: true },
    audience: { value: POOL, secret: false },
    "token-url": { value: "https://sts.googleapis.com/v1/token", secret: false },
    ...(impersonates && {
      "impersonation-url": { value: `https://iamcredentials.googleapis.com/v1/${account}`, secret: false },
      "impersonation-seconds": { value: "900", secret: false },
    }),
    project: { value: `acme-${account}`, secret: false, env: "GOOGLE_CLOUD_PROJECT" },
    "service-account": { value: `${account}@acme.example`, secret: false },
  },
})
const GRANT = { inputs: { grants: "google" } }
const ending = (number: number, seconds: number, change = {}): Expected[] =>
  granted({ google: login(number, change) }, { expires_at: inSeconds(seconds) })

/** Fetches the subject token as Google's libraries do: by what the file says, and nothing else. */
const LIBRARY = `${DIGEST}
import { readFileSync } from "node:fs"
const file = (path = process.env.GOOGLE_APPLICATION_CREDENTIALS) => JSON.parse(readFileSync(path, "utf8"))
const subjectToken = async ({ credential_source: { url, headers, format } }) => {
  const response = await fetch(url, { headers })
  return response.ok ? JSON.parse(await response.text())[format.subject_token_field_name] : response.status
}`

let temp: ReturnType<typeof makeTemp>
beforeEach(() => {
  temp = makeTemp()
})
afterEach(() => temp[Symbol.dispose]())

describe("one Google login", () => {
  test("is a file of application default credentials, and no token stands in the environment or in a file", async () => {
    const run = `env | grep -c "claims-[1]" || true; grep -rc "claims-[1]" "$RUNNER_TEMP" | grep -v ':0' || true; stat -c '%a' "$GOOGLE_APPLICATION_CREDENTIALS"
${module(`${LIBRARY}
const { credential_source, ...rest } = file()
console.log(JSON.stringify(rest))
console.log(process.env.GOOGLE_APPLICATION_CREDENTIALS === process.env.CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE, process.env.GOOGLE_CLOUD_PROJECT, process.env.NO_GCE_CHECK)
console.log("token", digest(await subjectToken(file())))`)}`
    const ambient = {
      GOOGLE_APPLICATION_CREDENTIALS: "/nowhere",
      GOOGLE_OAUTH_ACCESS_TOKEN: "old",
      CLOUDSDK_AUTH_ACCESS_TOKEN: "old",
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: "/old",
      GOOGLE_CREDENTIALS: "old",
      GOOGLE_IMPERSONATE_SERVICE_ACCOUNT: "old@acme.example",
    }
    const step = await ran([...granted({ google: login(1) }), ...revoked()], run, {
      ...GRANT,
      temp: temp.path,
      env: () => ({ ...ambient, RUNNER_TEMP: temp.path }),
    })
    const document = {
      type: "external_account",
      audience: POOL,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: "https://sts.googleapis.com/v1/token",
      service_account_impersonation_url: "https://iamcredentials.googleapis.com/v1/deploy",
      service_account_impersonation: { token_lifetime_seconds: 900 },
    }
    expect(step.log).toContain(
      `\n0\n600\n${JSON.stringify(document)}\ntrue acme-deploy true\ntoken ${digest(token(1, "deploy"))}\n`,
    )
    expect(step.log).toContain(`not passed to the command: ${Object.keys(ambient).join(", ")}.`)
    expect([step.exitCode, leftIn(temp.path)]).toEqual([0, []])
    expect(unmaskedLines(step)).not.toContain("deploy-claims-1")
    expect(step.summary).toContain("GOOGLE_APPLICATION_CREDENTIALS")
  })

  test("is given to requests alone that are as a library sends them", async () => {
    const run = module(`${LIBRARY}
import { request } from "node:http"
const { url, headers: { authorization } } = file().credential_source
const { hostname: host, port, pathname } = new URL(url)
const ask = (name, options, path = pathname) => new Promise((resolve) => {
  request({ host, port, path, ...options, headers: { authorization, ...options.headers } }, (response) => {
    let text = ""
    response.on("data", (part) => { text += part })
    response.on("end", () => { console.log(name, response.statusCode, Object.keys(JSON.parse(text || "{}")).join()); resolve() })
  }).end()
})
await ask("good", {})
await ask("lower case", { headers: { authorization: authorization.replace("Bearer", "bearer") } })
await ask("no authorization", { headers: { authorization: "" } })
await ask("no scheme", { headers: { authorization: authorization.replace("Bearer ", "") } })
await ask("wrong authorization", { headers: { authorization: authorization.slice(0, -1) } })
await ask("another host", { headers: { host: "evil.example:" + port } })
await ask("a page", { headers: { origin: "http://evil.example" } })
await ask("POST", { method: "POST" })
await ask("another path", {}, "/google-federated/other")
await ask("an audience", {}, pathname + "?audience=api%3A%2F%2Fx")
await ask("another query", {}, pathname + "?x=1")`)
    const step = await ran([...granted({ google: login(1) }), ...revoked()], run, { ...GRANT, temp: temp.path })
    expect(step.log).toContain(`
good 200 value
lower case 200 value
no authorization 401 Code,Message
no scheme 401 Code,Message
wrong authorization 401 Code,Message
another host 403 Code,Message
a page 403 Code,Message
POST 405 Code,Message
another path 404 Code,Message
an audience 200 value
another query 404 Code,Message
`)
  })

  test("is renewed before it ends, once for all who ask, and every lease is revoked", async () => {
    const run = module(`${LIBRARY}
await new Promise((resolve) => setTimeout(resolve, 1500))
console.log("tokens", ...(await Promise.all([1, 2, 3].map(() => subjectToken(file())))).map(digest))
console.log(await subjectToken(file()))`)
    const script = [...ending(1, 2), ...ending(2, 300), ...revoked(), ...revoked()]
    const step = await ran(script, run, { ...GRANT, temp: temp.path })
    expect(step.log).toContain(`\ntokens${` ${digest(token(2, "deploy"))}`.repeat(3)}\n***\n`)
    expect(unmaskedLines(step)).not.toContain("deploy-claims-2")
    expect(step.requests.filter((request) => request.startsWith("DELETE"))).toHaveLength(2)
    expect(step.state).toMatchObject({ lease: "" })
  })

  test("of the job's own principal is renewed while most of its life is left: access tokens end with it", async () => {
    const run = (seconds: number) =>
      module(`${LIBRARY}
await new Promise((resolve) => setTimeout(resolve, ${seconds * 1000}))
console.log("token", digest(await subjectToken(file())))`)
    const own = { impersonates: false }
    const script = [...ending(1, 10, own), ...ending(2, 300, own), ...revoked(), ...revoked()]
    const step = await ran(script, run(2.5), { ...GRANT, temp: temp.path })
    expect(step.log).toContain(`token ${digest(token(2, "deploy"))}`)
    const impersonating = await ran([...ending(1, 10), ...revoked()], run(2.5), { ...GRANT, temp: temp.path })
    expect(impersonating.log).toContain(`token ${digest(token(1, "deploy"))}`)
  })

  test("that cannot be renewed is given out while it lives, and then none", async () => {
    const denied: Expected[] = [
      { on: "token" },
      { on: "exchange", reply: problem(403, "not_allowed", "Not any more.") },
    ]
    const run = module(`${LIBRARY}
const seen = []
while (seen.at(-1) !== 503) {
  const given = await subjectToken(file())
  const what = typeof given === "number" ? given : "token"
  if (what !== seen.at(-1)) seen.push(what)
  await new Promise((resolve) => setTimeout(resolve, 100))
}
console.log("seen", seen.join())`)
    const step = await ran([...ending(1, 5), ...denied, ...revoked()], run, { ...GRANT, temp: temp.path })
    expect(step.log).toContain("\nseen token,503\n")
    expect(step.log).toContain(
      "::warning title=Daypass::The Google login of google could not be renewed yet: Not any more.",
    )
  })

  test("is not asked of a proxy", async () => {
    const proxies = { HTTP_PROXY: "http://127.0.0.1:9", no_proxy: "internal.example" }
    const step = await ran([...granted({ google: login(1) }), ...revoked()], `echo "$HTTP_PROXY $no_proxy"`, {
      ...GRANT,
      temp: temp.path,
      env: () => proxies,
    })
    expect(step.log).toContain("\nhttp://127.0.0.1:9 internal.example,127.0.0.1\n")
  })

  test("is not given to a command beside an access token that would win over it", async () => {
    const other = { values: { token: { value: "ya29.other", secret: true, env: "GOOGLE_OAUTH_ACCESS_TOKEN" } } }
    const script = [...granted({ google: login(1), other }), ...revoked()]
    const step = await ran(script, "true", { temp: temp.path, inputs: { grants: "google,other" } })
    expect(step.exitCode).toBe(1)
    expect(step.log).toContain("would win over the Google login of google")
  })

  test("that is not complete is refused, and the lease is revoked", async () => {
    for (const missing of ["federated-token", "audience", "token-url", "impersonation-seconds"]) {
      const values = Object.fromEntries(Object.entries(login(1).values).filter(([name]) => name !== missing))
      const script = [...granted({ google: { ...login(1), values } }), ...revoked()]
      const step = await ran(script, "true", { ...GRANT, temp: temp.path })
      expect([step.exitCode, step.log.includes(`the credential of google has no ${missing}`)]).toEqual([1, true])
    }
  })
})

test("several Google logins are a file each, and none is the default", async () => {
  const run = module(`${LIBRARY}
const folder = process.env.DAYPASS_GOOGLE_FOLDER
for (const grant of ["build", "google"]) console.log(grant, digest(await subjectToken(file(folder + "/" + grant + ".json"))))
console.log(process.env.GOOGLE_APPLICATION_CREDENTIALS, process.env.CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE, process.env.GOOGLE_CLOUD_PROJECT)`)
  const grants = { google: login(1), build: login(1, { account: "build" }) }
  const step = await ran([...granted(grants), ...revoked()], run, {
    temp: temp.path,
    inputs: { grants: "google,build" },
  })
  expect(step.log).toContain(`
build ${digest(token(1, "build"))}
google ${digest(token(1, "deploy"))}
undefined undefined undefined
`)
})
