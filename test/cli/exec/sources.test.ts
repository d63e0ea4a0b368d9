import { generateKeyPairSync } from "node:crypto"
import { writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { ActionError } from "../../../action/failure.ts"
import { fileTokens } from "../../../cli/exec/sources/file.ts"
import { findSource, SOURCES } from "../../../cli/exec/sources/sources.ts"
import { forgetLogin, keepLogin } from "../../../cli/login/stored-login.ts"
import { endJobs, makeFolder, makePrograms } from "./job.ts"

afterAll(endJobs)

const TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2lnbmF0dXJl"
const AUDIENCE = "https://daypass.example.com?jkt=0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

/** The failure of an act. */
async function failureOf(act: () => unknown): Promise<ActionError> {
  try {
    await act()
  } catch (thrown) {
    if (thrown instanceof ActionError) return thrown
    throw thrown
  }
  throw new Error("it did not fail")
}

/** The first token of a job. */
async function tokenOf(env: Readonly<Record<string, string>>, name?: string): Promise<string> {
  const { tokens } = findSource(env, name)
  return tokens.canChooseAudience ? tokens.request(AUDIENCE, 10_000) : tokens.next(10_000)
}

/** What marks a job, and the variable that has its one token. */
const VARIABLES: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["gitlab", { GITLAB_CI: "true" }, "DAYPASS_ID_TOKEN"],
  ["jenkins", { JENKINS_URL: "https://jenkins.example.com/" }, "DAYPASS_ID_TOKEN"],
  ["bitbucket", { BITBUCKET_BUILD_NUMBER: "7" }, "BITBUCKET_STEP_OIDC_TOKEN"],
  ["hcp-terraform", { TFC_RUN_ID: "run-1" }, "TFC_WORKLOAD_IDENTITY_TOKEN"],
  ["spacelift", { TF_VAR_spacelift_run_id: "01H" }, "SPACELIFT_OIDC_TOKEN"],
  ["semaphore", { SEMAPHORE: "true" }, "SEMAPHORE_OIDC_TOKEN"],
  ["circleci", { CIRCLECI: "true" }, "CIRCLE_OIDC_TOKEN_V2"],
]

describe("a job with one token in a variable", () => {
  test.each(VARIABLES)("is found: %s", async (_, marks, variable) => {
    const { tokens } = findSource({ ...marks, [variable]: `${TOKEN}\n` })
    expect(await tokenOf({ ...marks, [variable]: `${TOKEN}\n` })).toBe(TOKEN)
    expect(tokens).toMatchObject({ canChooseAudience: false, renewed: "never" })
    expect(tokens.withheld).toContain(variable)
  })

  test.each(VARIABLES)("that is not set gets one sentence that says what to set: %s", async (_, marks, variable) => {
    const { code, message, change } = await failureOf(() => findSource(marks))
    expect([code, message.includes(variable)]).toEqual(["id_token_unavailable", true])
    expect(change).toMatch(/^[A-Z][^\n]+\.$/)
  })

  test.each([
    ["empty", " \n"],
    ["no token", "hunter2-is-a-password"],
    ["two tokens", `${TOKEN} ${TOKEN}`],
    ["too long", `${TOKEN}${"x".repeat(17_000)}`],
  ])("that holds something else is refused and never quoted: %s", async (_, text) => {
    const {
      code,
      message,
      change = "",
    } = await failureOf(() => tokenOf({ GITLAB_CI: "true", DAYPASS_ID_TOKEN: text }, "gitlab"))
    expect(code).toBe("id_token_unavailable")
    if (text.trim() !== "") expect(message + change).not.toContain(text.trim().slice(0, 12))
  })
})

describe("the usual variable", () => {
  test("is read in a CI that is not known", async () => {
    expect(await tokenOf({ CI: "true", DAYPASS_ID_TOKEN: TOKEN })).toBe(TOKEN)
  })
})

describe("several places at once", () => {
  test("are refused with the options that choose", async () => {
    const both = { GITLAB_CI: "true", DAYPASS_ID_TOKEN: TOKEN, SEMAPHORE: "true", SEMAPHORE_OIDC_TOKEN: TOKEN }
    const { message, change } = await failureOf(() => findSource(both))
    expect(message).toBe("This job has ID tokens of GitLab CI and Semaphore.")
    expect(change).toBe("Say which one the broker shall see: --source gitlab or --source semaphore.")
    expect(findSource(both, "semaphore").title).toBe("Semaphore")
  })

  test("count only where there is a token: a runner of GitLab in a pod", () => {
    const pod = { GITLAB_CI: "true", DAYPASS_ID_TOKEN: TOKEN, KUBERNETES_SERVICE_HOST: "10.0.0.1" }
    expect(findSource(pod).title).toBe("GitLab CI")
  })

  test("that have no token blame the CI, and not the pod that it runs in", async () => {
    const pod = { GITLAB_CI: "true", KUBERNETES_SERVICE_HOST: "10.0.0.1" }
    expect((await failureOf(() => findSource(pod))).message).toContain("GitLab CI")
  })
})

describe("no place at all", () => {
  test("says which options name one", async () => {
    expect((await failureOf(() => findSource({ CI: "true" }))).change).toContain("--token-file")
  })

  test.each([
    ["GitHub", { GITHUB_ACTIONS: "true" }, "id_token_permission_missing"],
    ["Forgejo", { GITHUB_ACTIONS: "true", FORGEJO_ACTIONS: "true" }, "id_token_unavailable"],
    ["Buildkite", { BUILDKITE: "true", PATH: "" }, "id_token_unavailable"],
    ["CircleCI", { CIRCLECI: "true", PATH: "" }, "id_token_unavailable"],
    ["Azure Pipelines", { TF_BUILD: "True" }, "id_token_unavailable"],
    ["Kubernetes", { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, "id_token_unavailable"],
  ])("says what is missing on %s", async (_, env, code) => {
    const failure = await failureOf(() => findSource(env))
    expect(failure.code).toBe(code)
    if (code === "id_token_unavailable") expect(failure.change).toMatch(/^[A-Z][^\n]+\.$/)
  })

  test("every source has a name of its own", () => {
    const names = SOURCES.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z-]+$/)
  })
})

describe("a person's login", () => {
  const soon = Math.floor(Date.now() / 1000) + 600
  const text = (exp: number) =>
    `${[
      { alg: "RS256", kid: "k" },
      { exp, sub: "person" },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".")}.AAAA`
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const key = privateKey.export({ format: "jwk" }) as Record<string, string>
  const account = (login: { token?: string; key?: Record<string, string> } = {}) => {
    const env = { HOME: makeFolder(), XDG_STATE_HOME: "" }
    const kept = {
      issuer: "https://sso.example.com",
      clientId: "c",
      broker: null,
      token: text(soon),
      key,
      ...login,
    }
    keepLogin(kept, { env, now: () => new Date() })
    return env
  }

  test("is used where there is no job, with its key, and is read once", async () => {
    const env = account()
    const { title, tokens } = findSource(env)
    if (tokens.canChooseAudience) throw new Error("the provider fixes the audience")
    expect([title, await tokens.next(0)]).toEqual(["your login", text(soon)])
    const { kty, crv, x, y } = key
    expect(tokens.key?.().publicJwk).toEqual({ kty, crv, x, y })
    forgetLogin({ env, now: () => new Date() })
    expect(await tokens.next(0)).toBe(text(soon))
  })

  test.each([
    ["a job of a CI", { JENKINS_URL: "https://jenkins.example.com/" }, "Jenkins"],
    ["a pod", { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, "Kubernetes|pod"],
    ["a job of a CI that is not known", { CI: "true" }, "no job of a CI that Daypass knows"],
  ])("is never used by %s that has no token", async (_, marks, words) => {
    const env = { ...account(), ...marks }
    expect((await failureOf(() => findSource(env))).message).toMatch(new RegExp(words))
    expect(findSource(env, "login").title).toBe("your login")
  })

  test.each<[string, () => Record<string, string>, RegExp]>([
    ["there is none", () => ({ HOME: makeFolder() }), /^You are not signed in: run daypass login\.$/],
    [
      "it is over",
      () => account({ token: text(1) }),
      /^Your login ended at 1970-01-01T00:00:01.000Z: run daypass login again\.$/,
    ],
    [
      "its key is another pair's",
      () => account({ key: { ...key, x: key["y"] ?? "" } }),
      /^The key of your login cannot be used\.$/,
    ],
    [
      "its key is none",
      () => account({ key: { kty: "EC", crv: "P-256", d: "AAAA" } }),
      /^The key of your login cannot be used\.$/,
    ],
  ])("is a sentence when %s", async (_, env, message) => {
    const { code, message: said } = await failureOf(() => tokenOf(env()))
    expect([code, message.test(said) || said]).toEqual(["id_token_unavailable", true])
  })
})

describe("Buildkite's agent", () => {
  const agent = (then: string) =>
    makePrograms({
      "buildkite-agent": `
        const [noun, verb, ...flags] = args
        if (noun + " " + verb !== "oidc request-token") refuse("unexpected command")
        const given = {}
        for (let at = 0; at < flags.length; at += 2) {
          if (!["--audience", "--claim"].includes(flags[at]) || flags[at] in given) refuse("unexpected flag " + flags[at])
          given[flags[at]] = flags[at + 1]
        }
        if (given["--audience"] !== ${JSON.stringify(AUDIENCE)}) refuse("another audience")
        if (given["--claim"] !== "organization_id,pipeline_id") refuse("without the ids")
        ${then}`,
    })
  const job = (then: string) => ({ BUILDKITE: "true", PATH: agent(then) })

  test("is asked for the audience with the ids", async () => {
    const env = job(`console.log(${JSON.stringify(TOKEN)})`)
    expect(findSource(env).tokens.canChooseAudience).toBe(true)
    expect(await tokenOf(env)).toBe(TOKEN)
  })

  test.each([
    ["fails", "process.exit(1)", "it ended with exit code 1"],
    ["prints no token", "console.log('no token')", "is not an ID token"],
    [
      "prints without end",
      "setInterval(() => process.stdout.write('x'.repeat(65536)), 1)",
      "printed more than any token",
    ],
    ["is killed", "process.kill(process.pid, 'SIGKILL')", "was ended by SIGKILL"],
  ])("that %s is a failure with a sentence", async (_, then, sentence) => {
    expect((await failureOf(() => tokenOf(job(then)))).message).toContain(sentence)
  })

  test("that hangs is ended", async () => {
    const { tokens } = findSource(job("setInterval(() => {}, 1000)"))
    if (!tokens.canChooseAudience) throw new Error("the audience can be chosen")
    expect((await failureOf(() => tokens.request(AUDIENCE, 300))).message).toContain("did not answer in time")
  })
})

describe("CircleCI's program", () => {
  test("is asked for the audience, and both variables are withheld", async () => {
    const program = `
      const claims = args.pop()
      if (args.join(" ") !== "run oidc get --claims") refuse("unexpected command")
      const { aud, ...more } = JSON.parse(claims)
      if (aud !== ${JSON.stringify(AUDIENCE)} || Object.keys(more).length > 0) refuse("unexpected claims")
      console.log(${JSON.stringify(TOKEN)})`
    const env = { CIRCLECI: "true", PATH: makePrograms({ circleci: program }), CIRCLE_OIDC_TOKEN_V2: "other" }
    expect(await tokenOf(env)).toBe(TOKEN)
    expect(findSource(env).tokens.withheld).toEqual(["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"])
  })
})

describe("Azure DevOps", () => {
  const asked: string[] = []
  async function tokenFrom(answer: { status: number; body: string }): Promise<string> {
    const server = createServer((request, response) => {
      const { method, url, headers } = request
      asked.push(`${method} ${url} ${headers.authorization} ${headers["content-type"]}`)
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    try {
      const { port } = server.address() as AddressInfo
      const uri = `http://127.0.0.1:${port}/acme/plan/oidctoken`
      return await tokenOf({ TF_BUILD: "True", SYSTEM_OIDCREQUESTURI: uri, SYSTEM_ACCESSTOKEN: "access" })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  test("is asked with the job's access token, for the pipeline and no service connection", async () => {
    expect(await tokenFrom({ status: 200, body: JSON.stringify({ oidcToken: TOKEN }) })).toBe(TOKEN)
    expect(asked.splice(0)).toEqual(["POST /acme/plan/oidctoken?api-version=7.1 Bearer access application/json"])
  })

  test.each([
    [{ status: 401, body: "" }, "answered HTTP 401", undefined],
    [{ status: 503, body: "" }, "answered HTTP 503", "patient"],
    [{ status: 200, body: "{}" }, "is empty", undefined],
    [{ status: 200, body: "<html>" }, "is empty", undefined],
  ])("that answers %j is a failure", async (answer, sentence, pace) => {
    const failure = await failureOf(() => tokenFrom(answer))
    expect([failure.message.includes(sentence), failure.retry?.pace]).toEqual([true, pace])
  })

  test("gets the access token over https alone", async () => {
    const env = { TF_BUILD: "True", SYSTEM_OIDCREQUESTURI: "http://dev.example.com/x", SYSTEM_ACCESSTOKEN: "access" }
    expect((await failureOf(() => tokenOf(env))).message).toContain("is not an https URL")
  })
})

describe("a file", () => {
  test("is read for each call", async () => {
    const path = join(makeFolder(), "token")
    const tokens = fileTokens(path)
    expect((await failureOf(() => tokens.next(0))).message).toContain("cannot be read (ENOENT)")
    writeFileSync(path, TOKEN)
    expect(await tokens.next(0)).toBe(TOKEN)
    writeFileSync(path, `${TOKEN}2\n`)
    expect(await tokens.next(0)).toBe(`${TOKEN}2`)
  })

  test("of any size is read up to the size of a token", async () => {
    const path = join(makeFolder(), "token")
    writeFileSync(path, "x".repeat(1024 * 1024))
    expect((await failureOf(() => fileTokens(path).next(0))).message).toContain("is not an ID token")
    expect((await failureOf(() => fileTokens("/dev/zero").next(0))).message).toContain("is not an ID token")
  })
})
