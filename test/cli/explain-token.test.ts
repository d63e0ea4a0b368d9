import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { type Http, HttpError, type HttpFailure, type HttpRequest } from "../../broker/ports/http.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import sample from "../vectors/claims/github-environment.json" with { type: "json" }
import { folderOf, ORGANISATION, POLICY, runScripted } from "./run-cli.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const POLICIES = folderOf({ "daypass.yaml": ORGANISATION, "octo-org/octo-repo/production.yaml": POLICY })
const BROKER = "https://broker.example.com"
const WHILE_VALID = () => new Date(sample.iat * 1000 + 1000)

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const SIGNATURE = Buffer.from("not a signature that anybody made".repeat(8)).toString("base64url")

/** A token that says this, signed by nobody. */
const tokenOf = (claims: Readonly<Record<string, unknown>> = {}) =>
  `${part({ alg: "RS256", kid: "key-1", typ: "JWT" })}.${part({ ...sample, ...claims })}.${SIGNATURE}`

const BOUND = tokenOf({ aud: `${BROKER}?jkt=0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I` })

function explain(input: string | Uint8Array, args: readonly string[] = [], http?: Http) {
  const script = { input, now: WHILE_VALID, ...(http && { http }) }
  return runScripted(script, "explain", "--token", "-", ...args)
}

const DECIDE = ["--policies", POLICIES, "--grants", "aws-deploy"]
const ASK = ["--broker", BROKER, "--grants", "aws-deploy"]

describe("daypass explain --token -", () => {
  it.each([
    ["as it is", tokenOf()],
    ["with a line end", `${tokenOf()}\n`],
    ["with white space around it", ` \t\r\n${tokenOf()}\r\n\n`],
  ])("shows the claims of a token %s, and says that nothing was verified", async (_, input) => {
    const { code, out, err } = await explain(input)
    expect([code, err]).toEqual([0, ""])
    const lines = out.split("\n")
    expect(lines[0]).toBe("Claims of the token. They were not verified: anyone can write such a token.")
    expect(lines).toContain('  repository_id          "456789"')
    expect(lines).toContain("  exp                    1795300300 (2026-11-21T22:31:40.000Z)")
    expect(lines).toHaveLength(1 + Object.keys(sample).length)
  })

  it("decides offline with policies, as with a file of the same claims", async () => {
    const { code, out, err } = await explain(tokenOf(), DECIDE)
    expect([code, err]).toEqual([0, ""])
    expect(out).toContain(
      "\n\nallow (allowed)\nocto-org/octo-repo (id 456789, issuer github), environment Production\n",
    )
    expect((await explain(tokenOf({ ref: "refs/heads/x" }), DECIDE)).code).toBe(1)
  })

  it("prints neither the token nor its signature, whatever happens", async () => {
    const [header = "", payload = ""] = tokenOf().split(".")
    const echo: Http = async () => answer({ decision: "allow", code: "allowed", grants: ["aws-deploy"], x: tokenOf() })
    for (const run of [
      explain(tokenOf()),
      explain(tokenOf(), DECIDE),
      explain(tokenOf(), [...DECIDE, "--json"]),
      explain(tokenOf(), [...DECIDE, "--format", "github"]),
      explain(`${tokenOf()}!`),
      explain(tokenOf(), [tokenOf()]),
      explain(tokenOf(), ASK, echo),
      runScripted({}, "explain", "--token", tokenOf()),
      runScripted({}, "explain", `--token=${tokenOf()}`),
    ]) {
      const { out, err } = await run
      for (const secret of [header, payload, SIGNATURE]) expect(out + err).not.toContain(secret)
    }
  })

  it("warns of a token that has expired, and decides all the same", async () => {
    const late = { input: tokenOf(), now: () => new Date(sample.exp * 1000) }
    const { code, out } = await runScripted(late, "explain", "--token", "-", ...DECIDE)
    expect(code).toBe(0)
    expect(out).toContain("warning: the token expired at 2026-11-21T22:31:40.000Z, so a broker refuses it.")
    expect((await explain(tokenOf())).out).not.toContain("expired")
  })

  it("makes visible what a claim would do to a terminal or to a log", async () => {
    const { out } = await explain(
      tokenOf({ actor: "\u001b[2J\u202e\n::add-path::x ##[add-path]y", "\n::error::": 1 }),
      DECIDE,
    )
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]|##\[/u)
    expect(out.split("\n").filter((line) => /^\s*::/.test(line))).toEqual([])
    expect(out).toContain("::add-path::x")
  })

  it("gives claims and decision as JSON", async () => {
    const { out } = await explain(tokenOf(), [...DECIDE, "--json"])
    expect(JSON.parse(out)).toEqual({
      decision: "allow",
      code: "allowed",
      grants: ["aws-deploy"],
      decided_by: "offline",
      trace: expect.objectContaining({ policies: ["octo-org/octo-repo/production.yaml"] }),
      limits: null,
      subjects: { "aws-deploy": "github:repository:456789:environment:Production:grant:aws-deploy" },
      notes: [],
      token: { verified: false, expired: false, key_bound: false, claims: sample },
    })
    expect(JSON.parse((await explain(BOUND, ["--json"])).out)).toEqual({
      token: { verified: false, expired: false, key_bound: true, claims: expect.anything() },
    })
    expect(JSON.parse((await explain(tokenOf({ exp: "soon" }), ["--json"])).out).token.expired).toBeNull()
  })

  it("annotates the rule that stood against each grant for GitHub", async () => {
    const args = ["--policies", POLICIES, "--grants", "aws-deploy", "--format", "github"]
    const { code, out } = await explain(tokenOf({ ref: "refs/heads/x" }), args)
    expect(code).toBe(1)
    expect(out).toMatch(
      /^::error file=\S+\/octo-org\/octo-repo\/production\.yaml,line=6,title=explain%3A aws-deploy::The allow/m,
    )
  })

  it.each([
    ["nothing", "", /standard input is empty/],
    ["white space", " \n\t", /standard input is empty/],
    ["two parts", "a.b", /must have three parts/],
    ["two tokens", `${tokenOf()}\n${tokenOf()}`, /not (?:three parts|strict base64url)|strict base64url|three parts/],
    ["padding", `${tokenOf()}=`, /strict base64url/],
    [
      "a header with a key of its own",
      `${part({ alg: "RS256", kid: "a", jwk: {} })}.${part({})}.${SIGNATURE}`,
      /header/,
    ],
    [
      "a payload with a claim twice",
      `${part({ alg: "RS256", kid: "a" })}.${Buffer.from('{"a":1,"a":2}').toString("base64url")}.${SIGNATURE}`,
      /same key twice/,
    ],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe, 0x00), /must have three parts/],
    ["more than any token", "a".repeat(40_000), /longer than any subject token/],
  ])("ends with 2 when standard input holds %s", async (_, input, message) => {
    const { code, out, err } = await explain(input, DECIDE)
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
  })

  it.each([
    ["a token as an argument", ["--token", "eyJhbGciOiJSUzI1NiJ9"], /shell's history and in the list of processes/],
    ["a token and claims", ["--token", "-", "--claims", "x"], /either --claims FILE or --token -/],
    ["neither", [], /either --claims FILE or --token -/],
    [
      "claims for a broker",
      ["--claims", "x", "--broker", BROKER, "--grants", "a"],
      /does not accept claims without a token/,
    ],
    ["no grants to ask a broker for", ["--token", "-", "--broker", BROKER], /--grants takes/],
    ["a broker over http", ["--token", "-", "--broker", "http://broker.example.com", "--grants", "a"], /https URL/],
    [
      "a broker that only looks like loopback",
      ["--token", "-", "--broker", "http://localhost.example", "--grants", "a"],
      /https URL/,
    ],
    ["a broker with a path", ["--token", "-", "--broker", `${BROKER}/v1`, "--grants", "a"], /without a path/],
    [
      "a broker with a password",
      ["--token", "-", "--broker", "https://a:b@broker.example.com", "--grants", "a"],
      /https URL/,
    ],
    ["no URL", ["--token", "-", "--broker", "broker", "--grants", "a"], /https URL/],
  ])("ends with 2 and its usage for %s, having read and sent nothing", async (_, args, message) => {
    const { code, out, err } = await runScripted({}, "explain", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
    expect(err).toContain("Usage: daypass explain")
    expect(err).not.toContain("eyJ")
  })

  it("runs as a process that a token is piped into", async () => {
    const child = spawn(join(ROOT, "node_modules/.bin/node"), [
      join(ROOT, "cli/bin.js"),
      "explain",
      "--token",
      "-",
      ...DECIDE,
    ])
    const chunks: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stdin.end(`${tokenOf()}\n`)
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0)
    expect(Buffer.concat(chunks).toString()).toContain("\nallow (allowed)\n")
  })
})

const TRACE = {
  subject: {
    issuer: "github",
    unit_kind: "repository",
    unit: "octo-org/octo-repo",
    unit_id: "456789",
    environment: null,
  },
  policies: ["p.yaml"],
  notes: [],
  grants: [{ name: "aws-deploy", outcome: "deny", reason: "No rule matches.", rules: [] }],
}
const DENIED = { decision: "deny", code: "not_allowed", grants: ["aws-deploy"], policy_version: "abc", trace: TRACE }

function answer(body: unknown, status = 200, type = "application/json") {
  const bytes = new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body))
  return { status, header: (name: string) => (name === "content-type" ? type : null), body: bytes }
}

describe("daypass explain --broker", () => {
  it("sends the token to the one address, once, and prints the broker's decision and trace", async () => {
    const requests: HttpRequest[] = []
    const { code, out, err } = await explain(tokenOf(), [...ASK, "--ttl", "20m"], async (request) => {
      requests.push(request)
      return answer(DENIED)
    })
    expect([code, err]).toEqual([1, ""])
    expect(out.slice(out.indexOf("\n\n"))).toBe(`

deny (not_allowed), says the broker
note: The policies of version abc decided.
octo-org/octo-repo (id 456789, issuer github), no environment
policies: p.yaml

DENY  aws-deploy
      No rule matches.

The broker's identity tokens have this sub. The trust policy of the other side must name exactly this text:
  aws-deploy  github:repository:456789:environment:-:grant:aws-deploy`)
    expect(requests).toEqual([
      {
        method: "POST",
        url: `${BROKER}/v1/explain`,
        headers: {
          authorization: `Bearer ${tokenOf()}`,
          "content-type": "application/json",
          accept: "application/json, application/problem+json",
        },
        body: JSON.stringify({ grants: ["aws-deploy"], ttl: "20m" }),
        timeoutMs: 10_000,
        maxBytes: 256 * 1024,
      },
    ])
  })

  it("prints how the repository stands with its limits, and the broker's notes", async () => {
    const limits = {
      exchanges_per_minute: { max: 60, used: 59, resets_in_seconds: 12, source: "daypass.yaml:31" },
      open_leases: { max: 5000, used: 7, source: "the default" },
      denials_per_hour: { max: 10, used: 10, counted: 90, resets_in_seconds: 1800, source: "daypass.yaml:31" },
      max_open_leases: { "aws-deploy": { max: 2, source: "p.yaml:9" } },
    }
    const body = { ...DENIED, limits, notes: ["Something is unknown."] }
    const { out } = await explain(tokenOf(), ASK, async () => answer(body))
    expect(out).toContain("note: Something is unknown.")
    expect(out).toContain(`

What the repository has used up of its limits:
  exchanges_per_minute  59 of 60, from zero again in 12 s (set by daypass.yaml:31)
  open_leases           7 of 5000 (set by the default)
  denials_per_hour      10 of 10, and 90 more that are only counted, from zero again in 1800 s (set by daypass.yaml:31)
  max_open_leases       2 for aws-deploy (set by p.yaml:9)
`)
    const json = JSON.parse((await explain(tokenOf(), [...ASK, "--json"], async () => answer(body))).out)
    expect(json.limits).toEqual(limits)
  })

  it.each<[string, object, number]>([
    ["a grant", { decision: "allow", code: "allowed", grants: ["aws-deploy"] }, 0],
    ["a denial without a trace", { decision: "deny", code: "not_allowed", grants: ["aws-deploy"] }, 1],
    ["a code that is new", { decision: "deny", code: "moon_too_full", grants: ["aws-deploy"] }, 1],
    ["members that are new", { ...DENIED, mood: "fine" }, 1],
  ])("understands %s", async (_, body, code) => {
    const run = await explain(tokenOf(), ASK, async () => answer(body))
    expect([run.code, run.err]).toEqual([code, ""])
  })

  it.each<[string, unknown]>([
    ["no JSON", "<html>"],
    ["no object", []],
    ["no decision", { ...DENIED, decision: undefined }],
    ["a decision of its own", { ...DENIED, decision: "maybe" }],
    ["an allow that is none", { ...DENIED, decision: "allow" }],
    ["a deny that allows", { ...DENIED, code: "allowed" }],
    ["other grants", { ...DENIED, grants: ["other"] }],
    ["more grants", { ...DENIED, grants: ["aws-deploy", "other"] }],
    ["a code that is a text", { ...DENIED, code: "Not allowed!" }],
    ["limits that are no numbers", { ...DENIED, limits: { open_leases: { max: "all" } } }],
    ["a trace that is none", { ...DENIED, trace: { ...TRACE, policies: "all" } }],
    [
      "a trace with a lifetime of nothing",
      { ...DENIED, trace: { ...TRACE, grants: [{ ...TRACE.grants[0], ttl_seconds: 0.5 }] } },
    ],
  ])("takes no answer with %s", async (_, body) => {
    const { code, out, err } = await explain(tokenOf(), ASK, async () => answer(body))
    expect([code, out]).toEqual([2, ""])
    expect(err).toBe(`daypass: the broker at ${BROKER} sent an answer that does not match the request`)
  })

  it("writes nothing of an answer that a terminal or a log would obey", async () => {
    const evil = "\n::add-mask::x\u001b[2J ##[error]\u202e"
    const trace = {
      ...TRACE,
      subject: { issuer: evil, unit_kind: evil, unit: `::error::${evil}`, unit_id: evil, environment: evil },
      policies: [evil],
      notes: [evil],
      grants: [
        {
          name: evil,
          outcome: "deny",
          reason: evil,
          rules: [
            {
              kind: "allow",
              name: evil,
              file: evil,
              line: 1,
              matched: false,
              conditions: [{ claim: evil, expected: evil, actual: evil, matched: false }],
            },
          ],
          boundaries: [
            {
              name: evil,
              file: evil,
              line: 1,
              matched: true,
              allows: false,
              conditions: [],
              required: [],
              fields: [{ field: evil, expected: evil, actual: null }],
              environment: [evil],
            },
          ],
        },
      ],
    }
    for (const format of ["text", "github", "json"]) {
      const { out } = await explain(tokenOf(), [...ASK, "--format", format], async () => answer({ ...DENIED, trace }))
      expect(out).toContain("add-mask")
      expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]|##\[/u)
      expect(out.split("\n").filter((line) => /^\s*::(?!error title=explain)/.test(line))).toEqual([])
    }
  })

  it("names no subject where a name in the trace may not be the job's own", async () => {
    for (const environment of ["pro\u200bduction", "pro\\duction", "\ud800"]) {
      const trace = { ...TRACE, subject: { ...TRACE.subject, environment } }
      const { out } = await explain(tokenOf(), ASK, async () => answer({ ...DENIED, trace }))
      expect(out).not.toContain("identity tokens")
    }
  })

  it("tells what a broker refused, and ends with 2", async () => {
    const problem = {
      type: "urn:daypass:problem:token_expired",
      title: "The subject token has expired",
      status: 401,
      detail: "It ended 4 minutes ago.\u001b[2J",
      code: "token_expired",
      request_id: "r-1",
    }
    const { code, err } = await explain(tokenOf(), ASK, async () => answer(problem, 401, "application/problem+json"))
    expect(code).toBe(2)
    expect(err.split("\n")).toEqual([
      `daypass: the broker at ${BROKER} refused: The subject token has expired (token_expired, HTTP 401)`,
      "It ended 4 minutes ago.\\u{1b}[2J",
      "request id r-1",
    ])
  })

  it.each<[string, number, string, unknown]>([
    ["a page of a proxy", 502, "text/html", "<h1>Bad gateway</h1>"],
    ["a page of something else", 200, "text/html", "<h1>Hello</h1>"],
    ["a problem document that is none", 403, "application/problem+json", { status: 403 }],
  ])("says that there may be no broker behind %s", async (_, status, type, body) => {
    const { code, out, err } = await explain(tokenOf(), ASK, async () => answer(body, status, type))
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(`HTTP ${status} without a reason`)
    expect(err).not.toContain("<h1>")
  })

  it.each<[HttpFailure, RegExp]>([
    ["unreachable", /cannot be reached/],
    ["timeout", /did not answer within 10 s/],
    ["too-large", /too large to come from a broker/],
    ["redirect", /redirects to another address, and the token is not sent there/],
  ])("says why a broker gave no answer: %s", async (reason, message) => {
    const { code, out, err } = await explain(tokenOf(), ASK, async () => {
      throw new HttpError(reason)
    })
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
  })

  it("does not show an answer that repeats the token", async () => {
    const { code, err } = await explain(tokenOf(), ASK, async () =>
      answer({ code: "x", title: "x", detail: `Bearer ${tokenOf()}` }, 400, "application/problem+json"),
    )
    expect(code).toBe(2)
    expect(err).toContain("repeats the token")
  })

  it("sends no key-bound token: decides offline, or says how to", async () => {
    const offline = await explain(BOUND, [...ASK, "--policies", POLICIES])
    expect([offline.code, offline.err]).toEqual([0, ""])
    expect(offline.out).toContain("note: The token was not sent: it is bound to a key that only its job has")
    expect(offline.out).toContain("allow (allowed)\n")
    const neither = await explain(BOUND, ASK)
    expect([neither.code, neither.out]).toEqual([2, ""])
    expect(neither.err).toContain("Decide offline instead, with --policies.")
  })

  it("is answered by a broker as it runs, and leaves the token good", async () => {
    const github = await startGitHub()
    const organisation = ORGANISATION.replace("https://token.actions.githubusercontent.com", github.issuer)
    const broker = await startNodeBroker({ policies: folderOf({ "daypass.yaml": organisation, "p.yaml": POLICY }) })
    try {
      const http = createHttp({ userAgent: "daypass/test" })
      const ask = (input: string) =>
        runScripted({ input, http }, "explain", "--token", "-", "--broker", broker.url, "--grants", "aws-deploy")
      const token = await github.mint({ environment: "Production" }, { audience: broker.url })
      for (const _ of ["once", "and again"]) {
        const { code, out, err } = await ask(token)
        expect([code, err]).toEqual([0, ""])
        expect(out).toContain("\nallow (allowed), says the broker\n")
      }
      const foreign = await ask(
        await github.mint({ environment: "Production" }, { audience: "https://elsewhere.example" }),
      )
      expect(foreign.code).toBe(2)
      expect(foreign.err).toContain("(token_audience_mismatch, HTTP 401)")
    } finally {
      await broker.stop()
      await github.close()
    }
  })
})

describe("what offline cannot know", () => {
  const decide = async (organisation: string, policy: string) =>
    (
      await explain(tokenOf(), [
        "--policies",
        folderOf({ "daypass.yaml": organisation, "p.yaml": policy }),
        "--grants",
        "aws-deploy",
      ])
    ).out

  it("is said where policies demand a protected environment, and nowhere else", async () => {
    const demanding = POLICY.replace("allow:", "protected_environment: { required_reviewers: true }\nallow:")
    const out = await decide(ORGANISATION, demanding)
    expect(out).toContain("deny (not_allowed)")
    expect(out).toContain("note: Everything else allows it. It depends only on how the environment is protected")
    expect(await decide(ORGANISATION, POLICY)).not.toContain("note:")
    const emergency = demanding
      .replace("true }", "true, prevent_self_review: true }")
      .replace(/(connection: aws-prod\n)( +)/, "$1$2break_glass: {}\n$2")
    expect(await decide(ORGANISATION, emergency)).toContain(
      "note: It depends on who approved the run, too, because of break_glass: aws-deploy.",
    )
    expect(out).not.toContain("break_glass")
  })

  it("is said where repositories keep policies of their own", async () => {
    const organisation = ORGANISATION.replace("owners:", "repository_policies: true\n    owners:")
    expect(await decide(organisation, POLICY)).toContain("note: Repositories of this issuer keep policies of their own")
  })
})
