import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, test } from "vitest"
import type { BoundaryTrace, Trace } from "../../broker/wire/trace.ts"
import { runAction } from "../support/runner.ts"
import { exchangeAnswer, problem, type Reply } from "../support/scripted-broker.ts"
import { AWS, answered, granted, play, revoked, SECRET, savedByMain, unmaskedLines } from "./story.ts"

const TRACE: Trace = {
  subject: { issuer: "github", unit_kind: "repository", unit: "acme/shop", unit_id: "41", environment: "production" },
  policies: ["acme/shop/production.yaml"],
  notes: [],
  grants: [
    {
      name: "aws-deploy",
      outcome: "deny",
      reason: "no rule that allows it matches",
      rules: [
        {
          kind: "allow",
          name: "deploy from main",
          file: "acme/shop/production.yaml",
          line: 7,
          matched: false,
          conditions: [
            { claim: "event_name", expected: "push", actual: "push", matched: true },
            { claim: "ref", expected: "refs/heads/main", actual: "refs/heads/feature", matched: false },
            { claim: "job_workflow_ref", expected: "acme/ci/**", actual: null, matched: false },
          ],
        },
      ],
    },
  ],
}

const BOUNDARY: BoundaryTrace = {
  name: "shop",
  file: "daypass.yaml",
  line: 16,
  matched: true,
  allows: false,
  conditions: [],
  required: [],
  fields: [],
  environment: [],
}

/** The trace, with matching rules, below these boundaries. */
function below(...boundaries: readonly unknown[]): Trace {
  const [grant] = TRACE.grants
  const rules = grant?.rules.map((rule) => ({ ...rule, matched: true, conditions: [] })) ?? []
  return { ...TRACE, grants: [{ ...grant, reason: "outside", rules, boundaries }] } as Trace
}

describe("credentials arrive", () => {
  test.each(["environment", "outputs", "both"])("as deliver: %s says", async (deliver) => {
    const { text, run } = await play(granted(), { inputs: { deliver } })
    expect(run.exitCode).toBe(0)
    expect(text).toMatchSnapshot()
  })

  test("of several grants, with the requested ttl and audience", async () => {
    const script = granted({
      "aws-deploy": AWS,
      stripe: {
        provider: "stripe",
        revocation: "revocable",
        values: { key: { value: "sk_live_1234567890", secret: true, env: "STRIPE_KEY" } },
      },
    })
    const inputs = { grants: "aws-deploy,\n  stripe\n", ttl: "15m", audience: "https://daypass.acme.example" }
    const { text, run } = await play(script, { inputs, audience: "https://daypass.acme.example" })
    expect(run.env).toMatchObject({ STRIPE_KEY: "sk_live_1234567890", AWS_SECRET_ACCESS_KEY: SECRET })
    expect(text).toMatchSnapshot()
  })

  test("from a newer broker that sends unknown members", async () => {
    const answer = { ...(exchangeAnswer({ "aws-deploy": AWS }) as object), region: "eu", more: [1, { two: null }] }
    const { run } = await play(answered({ sealed: answer }))
    expect(run.env).toMatchObject({ AWS_ACCESS_KEY_ID: "AKIAEXAMPLE" })
  })

  test("masked before any other output, and only in masks, variables and outputs", async () => {
    const { run } = await play(granted(), { inputs: { deliver: "both" } })
    const lines = run.stdout.trimEnd().split("\n")
    const lastMask = lines.findLastIndex((line) => line.startsWith("::add-mask::"))
    const firstOther = lines.findIndex((line) => !line.startsWith("::add-mask::"))
    expect(run.masks).toContain(SECRET)
    expect(firstOther).toBeGreaterThan(lastMask)
    for (const place of [unmaskedLines(run), run.summary, run.files.GITHUB_STATE, run.stderr]) {
      for (const form of [SECRET, ...encodings(SECRET)]) expect(place).not.toContain(form)
    }
  })
})

describe("a secret that is too common to be hidden", () => {
  const bare = { value: "8080", secret: true, env: "PORT" }
  const values = { port: bare, flag: { value: "true", secret: true }, zone: { value: "3", secret: false, env: "ZONE" } }

  test("arrives without a mask, and a warning names its grant and variable, and not what it is", async () => {
    const { run, text } = await play(granted({ shop: { values } }), { inputs: { grants: "shop", deliver: "both" } })
    expect([run.exitCode, run.env["PORT"], run.outputs["shop-flag"]]).toEqual([0, "8080", "true"])
    expect(run.masks.filter((mask) => !mask.includes("."))).toEqual([])
    expect(unmaskedLines(run)).not.toContain("8080")
    expect(text).toMatchSnapshot()
  })

  test("is not said of public values and of nothing", async () => {
    const empty = { value: "", secret: true, env: "NOTE" }
    const { run } = await play(granted({ shop: { values: { zone: values.zone, empty } } }), {
      inputs: { grants: "shop" },
    })
    expect(run.log).toBe("Got shop, until 2031-05-06T07:08:09.000Z.\n")
  })
})

test("a leaf of a JSON secret is hidden in later output", async () => {
  const value = '{"password":"hunter2hunter2"}'
  const { run } = await play(granted({ shop: { values: { db: { value, secret: true, env: "DB" } } } }), {
    inputs: { grants: "shop" },
  })
  expect(run.masks).toEqual(expect.arrayContaining([value, "hunter2hunter2"]))
})

test("a job of a large matrix waits before its first call, and says so", async () => {
  const { run } = await play(granted(), { inputs: { "parallel-jobs": "21" } })
  expect(run.exitCode).toBe(0)
  expect(run.log).toMatch(/^Waiting 0\.[0-4] s, because 21 jobs of this matrix can start together\.\n/)
})

describe("the input `timeout`", () => {
  const patient: Reply = { status: 503, headers: { "retry-after": "5" }, type: "text/plain", body: "" }

  test("limits the waiting: what does not fit is not waited for", async () => {
    const started = performance.now()
    const { run } = await play(answered(patient), { inputs: { timeout: "8s" } })
    expect(performance.now() - started).toBeLessThan(5_000)
    expect([run.exitCode, run.log.includes("Waiting")]).toEqual([1, false])
  })

  test("is refused in words, before any request", async () => {
    const { run, requests } = await play([], { inputs: { timeout: "15m" } })
    expect(requests).toEqual([])
    expect(run.log).toContain("The input `timeout` must be at most 10m.")
  })
})

describe("a denial", () => {
  test("fails the step with its trace after one exchange, and delivers nothing", async () => {
    const { text, run, requests } = await play(
      answered(problem(403, "not_allowed", "No policy allows aws-deploy.", { trace: TRACE })),
    )
    expect(requests).toHaveLength(2)
    expect([run.exitCode, run.env, run.outputs, run.state]).toEqual([1, {}, {}, { lease: "" }])
    expect(text).toMatchSnapshot()
  })

  test("shows untrusted names as inert text", async () => {
    const hostile = `x<img src=a onerror=b>|\`y\`\n::set-env name=A::b ##[add-mask]c [l](https://e.example) **b** ${"\u202e"}`
    const trace = structuredClone(TRACE) as unknown as {
      grants: { rules: { conditions: { actual: string | null }[] }[] }[]
    }
    const condition = trace.grants[0]?.rules[0]?.conditions[1]
    if (condition) condition.actual = hostile
    const detail = `No policy allows ${hostile}`
    const { text, run } = await play(answered(problem(403, "not_allowed", detail, { trace })))
    expect(run.summary).not.toMatch(/<img|\[l\]|\*\*b\*\*|https:\/\/e|\u202e/)
    expect(unmaskedLines(run)).not.toMatch(/^\s*::set-env|##\[/m)
    for (const line of run.summary.split("\n").filter((row) => row.startsWith("|"))) {
      expect(line.match(/\|/g)).toHaveLength(7)
    }
    expect(text).toMatchSnapshot()
  })

  test("shows in bold the conditions that denied the job, and not a deny rule that did not match", async () => {
    const trace = structuredClone(TRACE) as unknown as { grants: { rules: object[] }[] }
    const rule = { kind: "deny", file: "acme/shop/production.yaml" }
    const condition = { claim: "runner_environment", expected: "self-hosted", actual: "github-hosted", matched: false }
    trace.grants[0]?.rules.push(
      { ...rule, name: "passed", line: 11, matched: false, conditions: [condition] },
      { ...rule, name: "held", line: 12, matched: true, conditions: [{ ...condition, matched: true }] },
    )
    const { run } = await play(answered(problem(403, "not_allowed", "No.", { trace: trace as unknown as Trace })))
    const verdictOf = (rule: string) =>
      run.summary
        .split("\n")
        .find((row) => row.includes(rule))
        ?.match(/\S+(?= \|$)/)?.[0]
    expect([verdictOf("deny passed"), verdictOf("deny held")]).toEqual(["no", "**yes**"])
  })

  const summaryBelow = async (...boundaries: readonly unknown[]) => {
    const { run } = await play(answered(problem(403, "not_allowed", "No.", { trace: below(...boundaries) })))
    expect(run.exitCode).toBe(1)
    const asShown = run.summary.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    const rows = asShown.split("\n").filter((line) => line.startsWith("|"))
    return { summary: run.summary, rows: rows.filter((row) => row.includes("daypass.yaml")) }
  }

  test("shows which boundary refuses, and what the grant, the job and the environment lack", async () => {
    const role = "arn:aws:iam::111122223333:role/"
    const { rows } = await summaryBelow(
      {
        ...BOUNDARY,
        required: [
          { claim: "runner_environment", expected: "github-hosted", actual: null, matched: false },
          { claim: "event_name", expected: "push", actual: "push", matched: true },
        ],
        fields: [
          { field: "role", expected: `${role}shop-*`, actual: `${role}admin` },
          { field: "policy_arns", expected: "arn:aws:iam::aws:policy/*", actual: null },
        ],
        environment: ["add required reviewers"],
      },
      {
        ...BOUNDARY,
        name: "releases",
        line: 21,
        matched: false,
        conditions: [
          { claim: "ref", expected: "refs/tags/v*", actual: "refs/heads/main", matched: false },
          { claim: "event_name", expected: "push", actual: "push", matched: true },
        ],
      },
    )
    expect(rows).toEqual([
      "| shop | daypass.yaml:16 | claim runner_environment | github-hosted | *missing* |",
      `| shop | daypass.yaml:16 | the grant's role | ${role}shop-* | ${role}admin |`,
      "| shop | daypass.yaml:16 | the grant's policy_arns | arn:aws:iam::aws:policy/* | *missing* |",
      "| shop | daypass.yaml:16 | the environment | add required reviewers |  |",
      "| releases | daypass.yaml:21 | claim ref | refs/tags/v* | refs/heads/main |",
    ])
  })

  test("shows only the unmet requirements of the other boundaries when one boundary allows the grant", async () => {
    const fields = [{ field: "role", expected: "a", actual: "b" }]
    const conditions = [{ claim: "ref", expected: "refs/tags/v*", actual: "refs/heads/main", matched: false }]
    const { rows } = await summaryBelow(
      { ...BOUNDARY, allows: true },
      { ...BOUNDARY, name: "other", fields },
      { ...BOUNDARY, name: "releases", matched: false, conditions },
      { ...BOUNDARY, name: "guarded", environment: ["add required reviewers"] },
    )
    expect(rows).toEqual(["| guarded | daypass.yaml:16 | the environment | add required reviewers |  |"])
  })

  test("has no table of boundaries when none of them refuses", async () => {
    const { summary, rows } = await summaryBelow({ ...BOUNDARY, allows: true })
    expect(rows).toEqual([])
    expect(summary).not.toContain("boundary")
  })

  test("shows a boundary's text as inert text in its cell", async () => {
    const hostile = "<img src=a onerror=b>|`y`\n| **b** [l](https://e.example)"
    const condition = { claim: hostile, expected: hostile, actual: hostile, matched: false }
    const { summary } = await summaryBelow({
      ...BOUNDARY,
      name: hostile,
      required: [condition],
      fields: [{ field: hostile, expected: hostile, actual: hostile }],
      environment: [hostile],
    })
    expect(summary).not.toMatch(/<img|`|\[l\]|\*\*b\*\*|https:\/\/e/)
    const rows = summary.split("\n").filter((row) => row.includes("img"))
    expect(rows).toHaveLength(3)
    for (const row of rows) expect(row.match(/\|/g)).toHaveLength(6)
  })

  test.each([
    ["no list", "shop"],
    ["a list of other values", [null, 7, "shop", [], {}]],
    [
      "members of other types",
      [{ name: {}, file: 1, line: "x", allows: "yes", required: {}, fields: [null], environment: [7] }],
    ],
    ["thousands of entries", Array.from({ length: 3_000 }, () => ({ environment: ["x"] }))],
  ])("with boundaries that are %s is still a denial", async (_, boundaries) => {
    const trace = { ...TRACE, grants: [{ ...TRACE.grants[0], boundaries }] } as unknown as Trace
    const { run } = await play(answered(problem(403, "not_allowed", "No.", { trace })))
    expect(run.exitCode).toBe(1)
    expect(run.summary).toContain("deploy from main")
    expect(run.summary.length).toBeLessThan(20_000)
  })

  test("with an invalid trace is a denial without a trace", async () => {
    const { run } = await play(
      answered(problem(403, "not_allowed", "No.", { trace: { grants: [{ rules: "x" }, 7, null] } })),
    )
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toContain("not_allowed")
  })
})

describe("a job without an ID token learns why, before any call to the broker", () => {
  const fork = (id: number, isFork: boolean) => ({
    pull_request: { head: { repo: { id, fork: isFork } }, base: { repo: { id: 41 } } },
  })
  test.each([
    ["without the permission", {}, "id_token_permission_missing"],
    ["of a fork's pull request", { eventName: "pull_request", event: fork(77, true) }, "id_token_fork"],
    [
      "of a deleted fork's",
      { eventName: "pull_request", event: { pull_request: { head: { repo: null } } } },
      "id_token_fork",
    ],
    ["of a fork's own branch", { eventName: "pull_request", event: fork(41, true) }, "id_token_permission_missing"],
    ["of a push with a strange payload", { event: [1] }, "id_token_permission_missing"],
    [
      "of Dependabot",
      { eventName: "pull_request", actor: "dependabot[bot]", event: fork(41, false) },
      "id_token_dependabot",
    ],
  ])("%s", async (_, facts, code) => {
    const inputs = { broker: "https://daypass.invalid", grants: "aws-deploy" }
    const run = await runAction({ entry: "main", inputs, ...facts })
    expect(run.exitCode).toBe(1)
    expect(run.log).toMatchSnapshot()
    expect(run.log).toContain(`::error title=Daypass%3A ${code}::`)
    expect(run.summary).not.toBe("")
  })
})

describe("on Forgejo, whose runner sets GitHub's variables for its own server", () => {
  const FORGEJO = {
    FORGEJO_ACTIONS: "true",
    GITHUB_SERVER_URL: "https://forgejo.example",
    GITHUB_API_URL: "https://forgejo.example/api/v1",
    GITHUB_GRAPHQL_URL: "",
    GITHUB_ACTOR: "forgejo-actions",
    RUNNER_NAME: "",
  }

  test("the action runs as it is, and calls no other host than the runner's and the broker's", async () => {
    const { run } = await play(granted(), { env: () => FORGEJO, inputs: { "parallel-jobs": "" } })
    expect(run.exitCode).toBe(0)
    expect(run.env).toMatchObject({ AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: SECRET })
    expect(run.stdout).not.toContain("github.com")
  })

  test("and revokes at the end", async () => {
    const { run } = await play(revoked(), { entry: "post", env: () => FORGEJO, state: savedByMain })
    expect(run.exitCode).toBe(0)
  })

  test.each([
    ["a job that did not ask for ID tokens", {}, "id_token_permission_missing", "enable-openid-connect: true"],
    [
      "a fork's pull request",
      { eventName: "pull_request", event: { pull_request: { head: { repo: null } } } },
      "id_token_fork",
      "Forgejo gives it no ID token",
    ],
  ])("%s is told what to change there", async (_, facts, code, words) => {
    const inputs = { broker: "https://daypass.invalid", grants: "aws-deploy" }
    const run = await runAction({ entry: "main", inputs, env: FORGEJO, ...facts })
    expect(run.exitCode).toBe(1)
    expect(run.log).toContain(`::error title=Daypass%3A ${code}::`)
    expect(run.log).toContain(words)
    expect(run.log).not.toContain("id-token: write")
  })
})

describe("a temporary failure", () => {
  const unavailable = problem(503, "issuer_unavailable", "The issuer's keys cannot be had.")
  test.each<[string, Reply]>([
    ["503", unavailable],
    ["a reset", { reset: true }],
    ["429 with Retry-After", { status: 429, headers: { "retry-after": "1" }, type: "text/plain", body: "slow down" }],
    ["a proxy's 502", { status: 502, type: "text/html", body: "<h1>Bad gateway</h1>" }],
    ["504", { status: 504, type: "text/plain", body: "" }],
    ["502 of a provider that cannot be reached", problem(502, "provider_unavailable", "aws-prod cannot be reached.")],
    ["502 of a provider that throttles", problem(502, "provider_throttled", "aws-prod asks for patience.")],
  ])("%s is retried with a new token and a new lease", async (name, reply) => {
    const { run, requests } = await play([...answered(reply), ...granted()])
    expect(run.exitCode).toBe(0)
    expect(requests.filter((line) => line.startsWith("POST")).map((line) => line.split(" ")[2])).toEqual([
      "bearer=token-1",
      "bearer=token-2",
    ])
    // The first attempt's lease stays saved where the broker can have minted for it, and no answer said that it did not.
    const { leases } = JSON.parse(run.state["lease"] ?? "")
    const unanswered = ["a reset", "a proxy's 502", "504"].includes(name) ? [null] : []
    expect(leases.map(({ expiresAt }: { expiresAt: unknown }) => expiresAt)).toEqual([
      ...unanswered,
      expect.any(String),
    ])
  })

  test.each<[string, Reply]>([
    ["500", { status: 500, body: "no" }],
    ["429", { status: 429, body: "no" }],
    ["a reset", { reset: true }],
  ])("of the runner's token endpoint, %s, is retried", async (_, reply) => {
    const { run } = await play([{ on: "token", reply }, ...granted()])
    expect(run.exitCode).toBe(0)
  })

  // retry.test.ts checks the length of the pause with a simulated clock.
  test("is retried after a Retry-After that is shorter than the deadline", async () => {
    const reply: Reply = { status: 503, headers: { "retry-after": "1" }, type: "text/plain", body: "" }
    const { run, text } = await play([...answered(reply), ...granted()])
    expect(run.exitCode).toBe(0)
    expect(text).toMatchSnapshot()
  })

  const full = (seconds: number): Reply => ({
    ...problem(
      429,
      "quota_exceeded",
      `This repository has made its 60 exchanges of this minute (exchanges_per_minute). The limit is set in daypass.yaml:12. Try again in ${seconds} s.`,
    ),
    headers: { "retry-after": String(seconds) },
  })

  test("of a repository that has reached a limit is waited for, and the log says how long", async () => {
    const { run, requests } = await play([...answered(full(1)), ...granted()])
    expect(run.exitCode).toBe(0)
    expect(requests.filter((line) => line.startsWith("POST"))).toHaveLength(2)
    expect(run.log).toContain(
      "The limit is set in daypass.yaml:12. Try again in 1 s. Waiting at least 1 s, then trying again.",
    )
  })

  test("of a repository whose limit lasts longer than the step waits ends it at once, and says where it is set", async () => {
    const started = performance.now()
    const { run } = await play(answered(full(90)))
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(run.exitCode).toBe(1)
    expect(run.log).toMatchSnapshot()
  })

  test("is not retried when Retry-After is longer than the deadline", async () => {
    const { run } = await play(
      answered({
        ...problem(503, "shutting_down", "The broker is shutting down."),
        headers: { "retry-after": "3600" },
      } as Reply),
    )
    expect(run.log).toMatchSnapshot()
  })
})

const MAY_BE_MINTED: ReadonlySet<string> = new Set([
  "an answer in the clear",
  "an answer that is not a JWE",
  "an answer that is not JSON",
  "an answer without a lease",
  "an answer with an invalid lease",
  "an answer larger than 4 MiB",
  "500 with a reason",
  "a token that came before",
  "a lease that came before",
])

describe("a permanent failure ends the step at once with its own message", () => {
  const broken = (bytes: string) => ({ sealedBytes: new TextEncoder().encode(bytes) })
  const answer = exchangeAnswer({ "aws-deploy": AWS }) as { credentials: { "aws-deploy": { values: object } } }
  test.each<[string, Reply, string]>([
    [
      "an old broker without the route",
      { status: 404, type: "text/html", body: "<h1>Not found</h1>" },
      "broker_too_old",
    ],
    [
      "a broker that has no such route",
      problem(404, "route_not_found", "There is nothing at this path."),
      "route_not_found",
    ],
    ["an answer in the clear", { status: 200, body: answer }, "answer_not_sealed"],
    ["an answer that is not a JWE", { status: 200, type: "application/jose", body: "a.b.c.d.e" }, "answer_unusable"],
    ["an answer that is not JSON", broken("hello"), "answer_unusable"],
    ["an answer without a lease", broken("{}"), "answer_unusable"],
    ["an answer with an invalid lease", { sealed: { ...answer, lease: "../x\n::add-mask::y" } }, "answer_unusable"],
    [
      "an answer larger than 4 MiB",
      { status: 200, type: "application/jose", body: "a".repeat(4_200_000) },
      "answer_unusable",
    ],
    [
      "a redirect",
      { status: 307, headers: { location: "https://evil.example/v1/exchange" }, body: "" },
      "broker_redirects",
    ],
    ["a refusal by a proxy", { status: 403, type: "text/html", body: "<h1>blocked</h1>" }, "broker_intercepted"],
    ["500 with a reason", problem(500, "internal", "The broker failed."), "internal"],
    ["502 of a provider that refuses", problem(502, "provider_denied", "aws-prod refused."), "provider_denied"],
    [
      "401",
      problem(401, "token_audience_mismatch", "The subject token is for another audience."),
      "token_audience_mismatch",
    ],
    ["a token that came before", problem(401, "token_already_used", "It was used before."), "token_already_used"],
    ["a lease that came before", problem(409, "lease_taken", "It was used before."), "lease_taken"],
    [
      "a broker that does not know a member",
      problem(
        400,
        "request_malformed",
        "The request is malformed: the body: has an unknown member; the known ones are grants, ttl and key.",
      ),
      "broker_too_old",
    ],
    ["an error code of a newer broker", problem(403, "moon_phase_wrong", "Not under this moon."), "problem_unknown"],
  ])("%s", async (name, reply, code) => {
    const { run, requests } = await play(answered(reply))
    expect(requests).toHaveLength(2)
    expect([run.exitCode, run.env, run.outputs]).toEqual([1, {}, {}])
    // Where the broker can have minted without an answer that says so, the lease is left to the post step.
    expect([name, run.state["lease"] !== ""]).toEqual([name, MAY_BE_MINTED.has(name)])
    expect(run.log).toContain(`::error title=Daypass%3A ${code}::`)
    expect(unmaskedLines(run)).not.toContain(SECRET)
    expect(run.log.replaceAll(/127\.0\.0\.1:\d+/g, "<broker>")).toMatchSnapshot()
  })

  test("an answer sealed to another key", async () => {
    const other = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"])
    const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", other.publicKey)
    const { run } = await play(answered({ sealedTo: { kty: "EC", crv: "P-256", x, y }, plaintext: answer }))
    expect(run.log).toContain("answer_unusable")
    expect(run.env).toEqual({})
  })

  test.each<[string, Reply]>([
    ["a refusal", { status: 403, body: { message: "no" } }],
    ["an answer without a token", { status: 200, body: { token: "x" } }],
    ["an invalid token", { status: 200, body: { value: "a.b.c\r\nx-evil: 1" } }],
  ])("of the runner's token endpoint: %s", async (_, reply) => {
    const { run } = await play([{ on: "token", reply }])
    expect(run.exitCode).toBe(1)
    expect(run.log).toMatchSnapshot()
  })
})

describe("a broker that cannot be reached", () => {
  test("is called at most three times, within a second", async () => {
    const closed = await closedPort()
    const { run } = await play([{ on: "token" }, { on: "token" }, { on: "token" }], { inputs: { broker: closed } })
    expect(run.exitCode).toBe(1)
    expect(run.log.replaceAll(closed, "<closed>")).toMatchSnapshot()
  })

  test("that does not speak TLS is not called again", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { run } = await play([{ on: "token" }], { inputs: { broker: origin }, audience: origin })
    server.close()
    expect(run.log.replaceAll(origin, "<tls>")).toMatchSnapshot()
  })
})

test("a wrong input fails before any request, and the message names the input", async () => {
  const { run, requests } = await play([], { inputs: { grants: " , " } })
  expect(requests).toEqual([])
  expect(run.log).toMatchSnapshot()
})

test("a runner without a file for variables is refused before anything is minted", async () => {
  const { run, requests } = await play([], { env: () => ({ GITHUB_ENV: "" }) })
  expect(requests).toEqual([])
  expect(run.log).toContain("runner_file_missing")
})

async function closedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await new Promise((resolve) => server.close(resolve))
  return origin
}

function encodings(secret: string): string[] {
  return (["base64", "base64url", "hex"] as const).map((form) => Buffer.from(secret).toString(form))
}
