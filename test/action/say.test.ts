// What a newcomer reads when a step fails: each message in its own words, made by the broker's own code where it is the
// broker's. Each must say in one sentence what happened, and in one what to change.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { BrokerError } from "../../broker/core/errors.ts"
import type { Identity } from "../../broker/core/identity.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import { refusal } from "../../broker/exchange/verdict.ts"
import { problemResponse } from "../../broker/http/problem.ts"
import { checkRegisteredClaims } from "../../broker/issuers/claims.ts"
import { identityOf, ORGANISATION, policyOf, setOf } from "../core/policy/support.ts"
import { runAction } from "../support/runner.ts"
import { exchangeAnswer, problem, type Reply } from "../support/scripted-broker.ts"
import { AWS, answered, granted, play, SECRET, type Story } from "./story.ts"

const DEPLOY = policyOf(`allow:
  - name: deploy from main
    when: { ref: refs/heads/main }
    grants: [aws-deploy, secret]
deny:
  - name: never on our own runners
    when: { runner_environment: self-hosted }
grants:
  aws-deploy: { connection: notes }
  secret: { connection: vault-prod, path: kv/shop, ttl: 1h }
`)
const HELP = { url: "https://wiki.acme.example/daypass", text: "Ask the platform team in #platform" }

/** The problem document with which the broker refuses this job. */
async function denied(
  identity: Identity,
  options: { grants?: readonly string[]; file?: string; help?: boolean; ttlSeconds?: number } = {},
): Promise<Reply> {
  const { grants = ["aws-deploy"], file = "acme/shop/production.yaml", help = false } = options
  const { organisation, policies } = setOf({ [file]: DEPLOY }, ORGANISATION)
  const decision = decide({ organisation, policies, identity, grants })
  if (decision.outcome === "allow") throw new Error("this job is allowed")
  return asReply(refusal(decision, identity, { policyVersion: "v1", ...(help && { help: HELP }) }))
}

async function asReply(error: BrokerError): Promise<Reply> {
  const response = problemResponse(error, "req-1")
  return { status: response.status, type: "application/problem+json", body: await response.text() }
}

/** What a person sees: the annotation with its place, and the summary. */
function said({ run }: Pick<Story, "run">, ...hidden: readonly string[]): string {
  const annotations = run.log.split("\n").filter((line) => /^::(?:error|warning|debug)/.test(line))
  const text = `\n${annotations.join("\n")}\n---\n${run.summary.trimEnd()}\n`
  return hidden.reduce((rest, each) => rest.replaceAll(each, "<hidden>"), text)
}

describe("a denial by the policies", () => {
  const branch = { ref: "refs/heads/feature/x" }
  test.each<[string, Parameters<typeof denied>]>([
    ["a job on another branch", [identityOf(branch)]],
    [
      "two grants for the same reason, with help",
      [identityOf(branch), { grants: ["aws-deploy", "secret"], help: true }],
    ],
    ["a deny rule", [identityOf({ runner_environment: "self-hosted" })]],
    ["a job in no environment", [identityOf({ environment: null })]],
    ["a job in the wrong environment", [identityOf({ environment: "staging" })]],
    ["an environment in other letters", [identityOf({ environment: "Production" })]],
    ["an unknown grant", [identityOf(), { grants: ["billing"] }]],
    ["a misspelled grant", [identityOf(), { grants: ["aws-deplyo"] }]],
    ["a repository without a policy", [identityOf({ repository: "acme/web", repository_id: "42" }), { help: true }]],
    ["a policy of the repository itself", [identityOf(branch), { file: ".github/daypass/production.yaml" }]],
  ])("%s", async (_, [identity, options]) => {
    const story = await play(answered(await denied(identity, options)))
    expect(story.run.exitCode).toBe(1)
    expect(said(story)).toMatchSnapshot()
  })

  test("an unknown grant shows no rule of other grants", async () => {
    const { run } = await play(answered(await denied(identityOf(), { grants: ["billing"] })))
    expect(run.summary + run.log).not.toMatch(/never on our own runners|deploy from main/)
  })

  test("faults in the repository's own policies, at their line", async () => {
    const detail =
      "The policies in the repository acme/shop have faults, and its jobs get nothing until they are corrected. .github/daypass/production.yaml:7:3: The key `allwo` does not exist."
    const story = await play(answered(problem(403, "policy_invalid", detail, { help: HELP })))
    expect(said(story)).toMatchSnapshot()
  })

  test("shows no help whose URL is not plain", async () => {
    const help = { url: "javascript:alert(1)", text: "x" }
    const { run } = await play(answered(problem(403, "not_allowed", "No.", { help })))
    expect(run.summary + run.log).not.toMatch(/javascript|helps/)
  })

  test("puts no annotation at a path that leaves the folder", async () => {
    const detail = "Look at .github/daypass/../../x.yaml:7:3: bad."
    const { run } = await play(answered(problem(403, "policy_invalid", detail)))
    expect(run.log).not.toContain("file=")
  })
})

describe("a subject token that the broker does not accept", () => {
  const now = new Date("2026-11-29T12:00:00Z")
  const seconds = now.getTime() / 1000
  const audience = "https://daypass.example.com"
  const good = { aud: audience, iat: seconds - 10, exp: seconds + 290, jti: "x" }
  test.each([
    ["expired", { ...good, iat: seconds - 900, exp: seconds - 600 }],
    ["from the future", { ...good, iat: seconds + 600, exp: seconds + 900 }],
    ["for another audience", { ...good, aud: `https://other.example.com?jkt=${"A".repeat(43)}` }],
  ])("%s", async (_, claims) => {
    const expected = { audience, now, maxLifetimeSeconds: 600, jti: "always" as const }
    const checked = checkRegisteredClaims(claims, expected)
    if (checked.ok) throw new Error("this token is accepted")
    const story = await play(answered(await asReply(new BrokerError(checked.fault.code, checked.fault.detail))))
    expect(said(story)).not.toContain("jkt")
    expect(said(story)).toMatchSnapshot()
  })
})

describe("a job without an ID token", () => {
  const from = (id: number) => ({
    pull_request: { head: { repo: { id, fork: id !== 41 } }, base: { repo: { id: 41 } } },
  })
  test.each([
    ["from a fork", { eventName: "pull_request", event: from(77) }],
    ["of pull_request_target from a fork", { eventName: "pull_request_target", event: from(77) }],
    ["of Dependabot", { eventName: "pull_request", actor: "dependabot[bot]", event: from(41) }],
    ["of a push", {}],
  ])("%s", async (_, facts) => {
    const inputs = { broker: "https://daypass.invalid", grants: "aws-deploy" }
    const run = await runAction({ entry: "main", inputs, ...facts })
    expect(said({ run })).toMatchSnapshot()
  })
})

describe("a wrong input is quoted", () => {
  test.each([
    ["a JSON list", { grants: '["aws-deploy", "stripe"]' }],
    ["a quoted name", { grants: "'aws-deploy'" }],
    ["capitals", { grants: "AWS-Deploy" }],
    ["other characters", { grants: "aws_deploy" }],
    ["a lifetime in capitals", { ttl: "15M" }],
    ["a delivery in capitals", { deliver: "Outputs" }],
  ])("%s", async (_, inputs) => {
    const story = await play([], { inputs })
    expect(said(story)).toMatchSnapshot()
  })
})

describe("something in between", () => {
  test.each<[string, Reply]>([
    ["a login page", { status: 200, type: "text/html; charset=utf-8", body: "<title>Sign in</title>" }],
    ["a page that blocks", { status: 403, type: "text/html", body: "<h1>blocked</h1>" }],
    ["an empty answer", { status: 200, type: "", body: "" }],
  ])("%s", async (_, reply) => {
    const { run } = await play(answered(reply))
    expect(said({ run }).replaceAll(/127\.0\.0\.1:\d+|127\.0\.0\.1&#58;\d+/g, "<broker>")).toMatchSnapshot()
    expect(run.log).not.toMatch(/Sign in|blocked/)
  })

  const PASSWORD = "hunter2hunter2"

  async function proxyThatAnswers(status: string): Promise<string> {
    const server: Server = createServer()
    server.on("connect", (_, socket) => socket.end(`HTTP/1.1 ${status}\r\n\r\n`))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => void server.close())
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const through = async (proxy: string, tokens: number) => {
    const broker = "https://daypass.example.com"
    const url = `http://ci:${PASSWORD}@${proxy}`
    const script = Array.from({ length: tokens }, () => ({ on: "token" as const }))
    const env = () => ({ HTTPS_PROXY: url })
    const story = await play(script, { inputs: { broker }, audience: broker, env })
    expect(story.run.stdout + story.run.summary).not.toContain(PASSWORD)
    expect(story.run.log).toContain(proxy)
    return said(story, proxy, proxy.replace(":", "&#58;"))
  }

  test.each(["407 Proxy Authentication Required", "403 Forbidden"])(
    "a proxy that answers %s is named, without its password, and is not asked again",
    async (status) => {
      expect(await through(await proxyThatAnswers(status), 1)).toMatchSnapshot()
    },
  )

  test("a proxy that is down is named", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    expect(await through(`127.0.0.1:${port}`, 3)).toMatchSnapshot()
  })

  test("a broker that is down behind NO_PROXY is not blamed on the proxy", async () => {
    const env = () => ({ HTTPS_PROXY: "http://127.0.0.1:3128", NO_PROXY: "127.0.0.1" })
    const broker = "https://127.0.0.1:1"
    const story = await play([{ on: "token" }, { on: "token" }, { on: "token" }], {
      inputs: { broker },
      audience: broker,
      env,
    })
    expect(story.run.log).toContain("broker_unreachable")
    expect(story.run.log).not.toContain("3128")
  })
})

/** Linux alone has a file that is always full. */
const onLinux = process.platform === "linux" ? test : test.skip

describe("a disk that takes no file", () => {
  const file = { values: { key: { value: SECRET, secret: true, env: "KEY_FILE", file: { mode: "0600" } } } }
  const script = () => [
    ...granted({ "aws-deploy": file }),
    { on: "token" as const },
    { on: "revoke" as const, reply: { status: 200, body: { credentials: {} } } },
  ]

  onLinux("a full one", async () => {
    const full = await play(answered({ sealed: exchangeAnswer({ "aws-deploy": AWS }) }).concat(script().slice(2)), {
      env: () => ({ GITHUB_ENV: "/dev/full" }),
    })
    expect(said(full)).toMatchSnapshot()
  })

  onLinux("a full one, before the lease could be saved: no lease is asked for", async () => {
    const { run } = await play([{ on: "token" }], { env: () => ({ GITHUB_STATE: "/dev/full" }) })
    expect([run.exitCode, run.env]).toEqual([1, {}])
    expect(run.log).toContain("runner_disk::")
  })

  test("a RUNNER_TEMP that cannot be written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "daypass-say-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, "file"), "")
    const temp = join(folder, "file")
    const story = await play(script(), { env: () => ({ RUNNER_TEMP: temp }) })
    const text = said(story).replaceAll(/daypass-[0-9a-f-]{36}/g, "<folder>")
    expect(text.replaceAll(temp, "<temp>")).toMatchSnapshot()
  })
})

describe("a success", () => {
  test("whose lifetime a policy shortened says so", async () => {
    const answer = exchangeAnswer({ "aws-deploy": AWS }) as { credentials: { "aws-deploy": object } }
    const grant = { ...answer.credentials["aws-deploy"], shortened_to_seconds: 900 }
    const sealed = { ...answer, credentials: { "aws-deploy": grant } }
    const { run } = await play(answered({ sealed }), { inputs: { ttl: "1h" } })
    expect(run.log).toContain("The policy allows 15m, less than the requested 1h.")
    expect(run.summary).toMatchSnapshot()
  })

  test("of a stored secret says how it ends", async () => {
    const answer = exchangeAnswer({ "aws-deploy": AWS }) as { credentials: { "aws-deploy": object } }
    const sealed = {
      ...answer,
      credentials: { "aws-deploy": { ...answer.credentials["aws-deploy"], expires_at: null } },
    }
    const { run } = await play(answered({ sealed }))
    expect(run.summary).toMatchSnapshot()
  })
})

describe("the debug log", () => {
  const debugged = { env: () => ({ RUNNER_DEBUG: "1" }) }

  test("shows claims and decisions, and no token", async () => {
    const { run, text } = await play(granted(), debugged)
    const lines = text.split("\n").filter((line) => line.startsWith("::debug::"))
    const named = lines
      .join("\n")
      .replaceAll(/jkt=[\w-]{43}/g, "jkt=<thumbprint>")
      .replaceAll(/[0-9a-f-]{36}/g, "<uuid>")
    expect(named).toMatchSnapshot()
    const [token = ""] = run.masks
    for (const part of [SECRET, token, ...token.split(".")]) expect(lines.join("\n")).not.toContain(part)
  })

  test("shows the answer that denied", async () => {
    const { run } = await play(answered(problem(403, "not_allowed", "No.")), debugged)
    expect(run.log).toContain("::debug::POST /v1/exchange: HTTP 403, a body of type application/problem+json")
  })

  test("is empty otherwise", async () => {
    const { run } = await play(granted())
    expect(run.log).not.toContain("::debug::")
  })
})
