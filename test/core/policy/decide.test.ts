import { describe, expect, it } from "vitest"
import type { Identity } from "../../../broker/core/identity.ts"
import { type Decision, decide, isOwnerListed } from "../../../broker/core/policy/decide.ts"
import type { Policy } from "../../../broker/core/policy/model.ts"
import { explainTrace } from "../../../cli/explain/trace.ts"
import { identityOf, ORGANISATION, policyOf, setOf } from "./support.ts"

const SHOP = policyOf(`allow:
  - name: deploy from main
    when: { ref: refs/heads/main }
    grants: [note, secret]
  - name: notes from anywhere
    when: { ref: "refs/heads/**" }
    grants: [note]
deny:
  - name: never on our own runners
    when: { runner_environment: { not: github-hosted } }
  - name: no secrets for bots
    when: { actor: bot }
    grants: [secret]
grants:
  note: { connection: notes }
  secret: { connection: vault-prod, path: kv/shop, ttl: 1h }
`)

const OTHER = "grants:\n  other: { connection: notes }\n"

function ask(
  grants: readonly string[],
  identity: Identity = identityOf(),
  options: { files?: Readonly<Record<string, string>>; organisation?: string; ttlSeconds?: number } = {},
): Decision {
  const set = setOf(options.files ?? { "acme/shop/production.yaml": SHOP }, options.organisation)
  const { ttlSeconds } = options
  return decide({
    organisation: set.organisation,
    policies: set.policies,
    identity,
    grants,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  })
}

/** What happened and what to change, of each grant. */
const reasonsOf = (decision: Decision) =>
  decision.trace.grants.map(({ reason, change }) => (change === undefined ? reason : `${reason} ${change}`))

describe("a decision", () => {
  it("names the issuer for which a policy is missing, where the organisation lists several", () => {
    const other = identityOf({ repository: "acme/web", repository_id: "42" })
    expect(reasonsOf(ask(["note"], other))).toEqual([
      expect.stringMatching(/^No policy covers acme\/web\. Add a policy with repository_id: "42" and /),
    ])
    const two = ORGANISATION.replace(
      "connections:",
      `  ghes: { family: github-actions, url: "https://ghes.acme.example/_services/token", owners: { acme: "9001" } }\nconnections:`,
    )
    const files = { "acme/shop/production.yaml": SHOP.replace("repository:", "issuer: github\nrepository:") }
    expect(reasonsOf(ask(["note"], other, { files, organisation: two }))).toEqual([
      expect.stringMatching(
        /^No policy of issuer github covers acme\/web\. Add a policy with issuer: github, repository_id: "42" and /,
      ),
    ])
  })

  it("gives every grant asked for, with its own lifetime", () => {
    const decision = ask(["note", "secret"])
    if (decision.outcome !== "allow") throw new Error("denied")
    expect(decision.grants.map(({ grant, ttlSeconds }) => [grant.name, ttlSeconds])).toEqual([
      ["note", 900],
      ["secret", 1800],
    ])
    expect(decision.requireBoundToken).toBe(false)
  })

  it("gives all or nothing, and says of each grant how it stands", () => {
    const decision = ask(["note", "secret"], identityOf({ ref: "refs/heads/feature" }))
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", ownsPolicies: true })
    expect(decision.trace.grants.map(({ outcome }) => outcome)).toEqual(["allow", "deny"])
  })

  it("gives nothing when nothing is asked for", () => {
    expect(ask([])).toMatchObject({ outcome: "deny", code: "not_allowed" })
  })

  it("lets a matching deny win over every allow, for the grants that it covers", () => {
    expect(ask(["note"], identityOf({ runner_environment: "self-hosted" })).outcome).toBe("deny")
    expect(ask(["note"], identityOf({ actor: "bot" })).outcome).toBe("allow")
    expect(ask(["secret"], identityOf({ actor: "bot" })).outcome).toBe("deny")
  })

  it.each([
    ["another repository of the same name", identityOf({}, { unitId: "42" })],
    ["the same repository id at another issuer", identityOf({}, { issuer: "ghes" })],
    ["an issuer of the same name with another url", identityOf({}, { issuerUrl: "https://evil.example.com" })],
    ["an owner of the same name with another id", identityOf({}, { ownerId: "9002" })],
    ["no environment", identityOf({ environment: undefined })],
    ["an environment that differs in case", identityOf({ environment: "Production" })],
    ["an environment that begins alike", identityOf({ environment: "production-2" })],
  ])("denies %s", (_, identity) => {
    expect(ask(["note"], identity).outcome).toBe("deny")
  })

  it("applies a policy without an environment to jobs without one only", () => {
    const files = {
      "p.yaml": policyOf(
        "allow:\n  - { name: a, when: { ref: 'refs/heads/**' }, grants: [note] }\ngrants:\n  note: { connection: notes }\n",
        { environment: null },
      ),
    }
    expect(ask(["note"], identityOf({ environment: undefined }), { files }).outcome).toBe("allow")
    expect(ask(["note"], identityOf(), { files }).outcome).toBe("deny")
  })

  it("follows a renamed repository by its id, and notes the other name", () => {
    const decision = ask(["note"], identityOf({ repository: "acme/store" }))
    expect(decision.outcome).toBe("allow")
    expect(decision.trace.notes).toEqual([expect.stringContaining("acme/shop")])
  })

  it("says which environments have policies when the job's has none", () => {
    const decision = ask(["note"], identityOf({ environment: "staging" }))
    expect(decision).toMatchObject({ outcome: "deny", ownsPolicies: true })
    expect(reasonsOf(decision)).toEqual([
      'This job runs in environment staging, and the policies of acme/shop are only for environment production. Write `environment: production` in the job, or add a policy with repository_id: "41" and environment: staging.',
    ])
  })

  it("owns no trace for strangers and for repositories without policies", () => {
    expect(ask(["note"], identityOf({}, { unitId: "42" }))).toMatchObject({ ownsPolicies: false })
    expect(ask(["note"], identityOf({}, { ownerId: "1" }))).toMatchObject({ ownsPolicies: false })
    expect(ask(["note"], identityOf({}, { ownerId: "1" })).trace.policies).toEqual([])
  })

  it("names no environments to strangers and to repositories without policies", () => {
    for (const stranger of [{ unitId: "42" }, { ownerId: "1" }]) {
      const decision = ask(["note"], identityOf({ environment: "staging" }, stranger))
      expect(JSON.stringify(decision.trace)).not.toContain("production")
    }
  })

  it.each([
    [
      "in none",
      { environment: null },
      "This job runs in no environment, and the policies of acme/shop are only for environment eu, production. Add `environment: eu` to the job, or ",
    ],
    ["in a misspelled one", { environment: "prodution" }, "Write `environment: production` in the job, or "],
    [
      "in other letters",
      { environment: "Production" },
      "Write `environment: production` in the job, in exactly these letters, or ",
    ],
  ])("says first what to write in a job that runs %s", (_, claims, expected) => {
    const files = { "a.yaml": SHOP, "b.yaml": policyOf(OTHER, { environment: "eu" }) }
    expect(reasonsOf(ask(["note"], identityOf(claims), { files }))).toEqual([expect.stringContaining(expected)])
  })

  it("says to leave the environment out where the policies are for jobs without one", () => {
    const files = { "a.yaml": policyOf(OTHER, { environment: null }) }
    expect(reasonsOf(ask(["note"], identityOf(), { files }))).toEqual([
      'This job runs in environment production, and the policies of acme/shop are only for jobs without an environment. Remove `environment` from the job, or add a policy with repository_id: "41" and environment: production.',
    ])
  })

  it("shows no rule for a grant that does not exist", () => {
    expect(ask(["billing"]).trace.grants).toMatchObject([{ outcome: "deny", rules: [] }])
  })

  it("unites the files of one environment: rules, denials and grants", () => {
    const files = {
      "a.yaml": policyOf("allow:\n  - { name: a, grants: [note] }\n"),
      "b.yaml": policyOf("grants:\n  note: { connection: notes }\n"),
      "c.yaml": policyOf("deny:\n  - { name: c, when: { actor: bot } }\n"),
    }
    expect(ask(["note"], identityOf(), { files }).outcome).toBe("allow")
    expect(ask(["note"], identityOf({ actor: "bot" }), { files }).outcome).toBe("deny")
  })

  it("demands a bound token when the organisation does, or the connection of a grant asked for", () => {
    const bound = (organisation: string, grants: readonly string[]) => {
      const decision = ask(grants, identityOf(), { organisation })
      return decision.outcome === "allow" && decision.requireBoundToken
    }
    const connection = ORGANISATION.replace("provider: vault,", "provider: vault, require_bound_token: true,")
    expect(bound(ORGANISATION, ["note", "secret"])).toBe(false)
    expect(bound(connection, ["note"])).toBe(false)
    expect(bound(connection, ["note", "secret"])).toBe(true)
    expect(bound(`${ORGANISATION}require_bound_token: true\n`, ["note"])).toBe(true)
  })

  it("demands no bound token for a grant that does not exist", () => {
    expect(ask(["none"])).toMatchObject({ outcome: "deny", requireBoundToken: false })
  })

  it("refuses a grant that two files of one environment define: neither outranks the other", () => {
    const defining = (text: string) =>
      policyOf(`allow:\n  - { name: ${text}, grants: [note] }\ngrants:\n  note: { connection: notes, text: ${text} }\n`)
    // Two sets, because one set with both files does not load.
    const [one, other] = ["one", "other"].map((text) => setOf({ [`${text}.yaml`]: defining(text) }))
    if (!one || !other) throw new Error("the test's own policies are not there")
    const asked = { organisation: one.organisation, identity: identityOf(), grants: ["note"] }
    expect(decide({ ...asked, policies: one.policies }).outcome).toBe("allow")
    expect(decide({ ...asked, policies: other.policies }).outcome).toBe("allow")
    for (const policies of [
      [...one.policies, ...other.policies],
      [...other.policies, ...one.policies],
    ]) {
      const decision = decide({ ...asked, policies })
      expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed" })
      expect(reasonsOf(decision)).toEqual([expect.stringMatching(/^The grant "note" is defined twice for this job/)])
    }
  })
})

describe("an allow rule", () => {
  const BELOW = ORGANISATION.replace("[]", '\n  - { name: a, when: { ref: "**" }, allow: [{ connection: notes }] }')
  const DEFINES = policyOf("grants:\n  note: { connection: notes }\n")
  const ALLOWS = policyOf("allow:\n  - { name: opens it, when: { ref: '**' }, grants: [note] }\n")
  const DENIES = policyOf("deny:\n  - { name: shuts it, when: { ref: '**' }, grants: [note] }\n")
  type Origin = Policy["origin"]

  /** What each of these files leads to together, each kept by the one that is named beside it. */
  function together(...files: readonly (readonly [text: string, origin: Origin])[]): Decision {
    const { organisation } = setOf({}, BELOW)
    // Loaded with the grant's own file and then told apart: the loader refuses a rule about a grant that its keeper lacks.
    const policies = files.flatMap(([text, origin]) =>
      setOf({ "grant.yaml": DEFINES, ...(text === DEFINES ? {} : { "rule.yaml": text }) }, BELOW)
        .policies.filter(({ file }) => file === (text === DEFINES ? "grant.yaml" : "rule.yaml"))
        .map((policy) => ({ ...policy, origin })),
    )
    return decide({ organisation, policies, identity: identityOf(), grants: ["note"] })
  }

  it.each<[Origin]>([["organisation"], ["repository"]])("of the %s opens the grants that it keeps", (origin) => {
    expect(together([DEFINES, origin], [ALLOWS, origin]).outcome).toBe("allow")
  })

  it.each<[Origin, Origin]>([
    ["repository", "organisation"],
    ["organisation", "repository"],
  ])("of the %s opens no grant of the %s", (rule, grant) => {
    const decision = together([DEFINES, grant], [ALLOWS, rule])
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed" })
    expect(reasonsOf(decision)).toEqual([expect.stringContaining("No allow rule names note")])
  })

  it.each<[Origin, Origin]>([
    ["repository", "organisation"],
    ["organisation", "repository"],
  ])("is not enough where a deny rule of the %s shuts a grant of the %s", (rule, grant) => {
    expect(together([DEFINES, grant], [ALLOWS, grant], [DENIES, rule]).outcome).toBe("deny")
  })
})

describe("a lifetime", () => {
  it.each([
    [undefined, 1800],
    [60, 60],
    [600, 600],
    [1800, 1800],
    [7200, 1800],
  ])("asked for as %j becomes %j seconds", (ttlSeconds, expected) => {
    const decision = ask(["secret"], identityOf(), ttlSeconds === undefined ? {} : { ttlSeconds })
    expect(decision.outcome === "allow" && decision.grants[0]?.ttlSeconds).toBe(expected)
  })

  it.each([59, 1, 0, -1, Number.NaN, -Infinity])("of %j is refused as too short, not rounded up", (ttlSeconds) => {
    expect(ask(["secret"], identityOf(), { ttlSeconds })).toMatchObject({ outcome: "deny", code: "ttl_too_short" })
  })

  it.each([0, -1, Number.NaN])("of %j is refused even of a provider that names no shortest", (ttlSeconds) => {
    expect(ask(["note"], identityOf(), { ttlSeconds })).toMatchObject({ outcome: "deny", code: "ttl_too_short" })
  })

  it("that is too short is told only where everything else is allowed", () => {
    const identity = identityOf({ ref: "refs/tags/x" })
    expect(ask(["secret"], identity, { ttlSeconds: 1 })).toMatchObject({ code: "not_allowed" })
    expect(ask(["secret", "none"], identityOf(), { ttlSeconds: 1 })).toMatchObject({ code: "not_allowed" })
  })

  it("that is too short for one grant is told though the grant beside it could be had", () => {
    expect(ask(["note", "secret"], identityOf(), { ttlSeconds: 1 })).toMatchObject({ code: "ttl_too_short" })
  })

  it.each<[string, number | undefined, number]>([
    ["the boundary's", undefined, 120],
    ["the request's", 60, 60],
    ["the boundary's, however long was asked for", 7200, 120],
  ])("is the least of the grant's, the request's and the boundary's: here %s", (_, ttlSeconds, expected) => {
    const allowed = "allow: [{ connection: vault-prod }]"
    const organisation = ORGANISATION.replace("[]", `\n  - { name: a, when: { ref: "**" }, ${allowed}, max_ttl: 2m }`)
    const decision = ask(["secret"], identityOf(), {
      organisation,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    })
    expect(decision.outcome === "allow" && decision.grants[0]?.ttlSeconds).toBe(expected)
  })

  it("of a boundary that is the provider's shortest can be had", () => {
    const allowed = "allow: [{ connection: vault-prod }]"
    const organisation = ORGANISATION.replace("[]", `\n  - { name: a, when: { ref: "**" }, ${allowed}, max_ttl: 60s }`)
    const decision = ask(["secret"], identityOf(), { organisation })
    expect(decision.outcome === "allow" && decision.grants[0]?.ttlSeconds).toBe(60)
  })
})

describe("a reason", () => {
  it.each([
    [
      "which condition failed, and how",
      ["secret"],
      { ref: "refs/heads/x" },
      /ref must be refs\/heads\/main, but is refs\/heads\/x/,
    ],
    ["which claim is missing", ["secret"], { ref: undefined }, /ref must be .* the token has no such claim/],
    [
      "which deny matched, and where",
      ["note"],
      { runner_environment: "self-hosted" },
      /"never on our own runners" \(acme\/shop\/production.yaml:13\)/,
    ],
    [
      "that a deny matched for want of a claim",
      ["note"],
      { runner_environment: undefined },
      /missing claim never helps \(runner_environment\)/,
    ],
    [
      "which owner is not listed",
      ["note"],
      { repository_owner_id: "1" },
      /The owner acme \(id 1\) is not listed in the organisation file/,
    ],
    ["what is offered instead", ["nots"], {}, /no grant "nots"\. Request "note", if/],
    ["what to write for a new environment", ["note"], { environment: "eu" }, /repository_id: "41" and environment: eu/],
    [
      "that an outsiders' event must be named",
      ["note"],
      { event_name: "workflow_run" },
      /workflow_run, written without a wildcard/,
    ],
  ])("says %s", (_, grants, claims, expected) => {
    expect(reasonsOf(ask(grants, identityOf(claims)))).toEqual([expect.stringMatching(expected)])
  })

  it("says of a grant that no rule names that none does", () => {
    const files = { "p.yaml": policyOf("grants:\n  note: { connection: notes }\n") }
    expect(reasonsOf(ask(["note"], identityOf(), { files }))).toEqual([
      expect.stringContaining("No allow rule names note"),
    ])
  })
})

describe("an explanation", () => {
  it("reads as what was decided, why, and what each condition found", () => {
    expect(explainTrace(ask(["secret"], identityOf({ ref: "refs/heads/x" })).trace)).toMatchInlineSnapshot(`
      [
        "acme/shop (id 41, issuer github), environment production",
        "policies: acme/shop/production.yaml",
        "",
        "DENY  secret",
        "      The allow rule "deploy from main" (acme/shop/production.yaml:6) does not match: ref must be refs/heads/main, but is refs/heads/x.",
        "      Run a job whose ref is refs/heads/main, or change the rule.",
        "      allow "deploy from main" (acme/shop/production.yaml:6) does not match",
        "        - ref: refs/heads/main; is "refs/heads/x"",
        "      deny "never on our own runners" (acme/shop/production.yaml:13) does not match",
        "        - runner_environment: not github-hosted; is "github-hosted"",
        "      deny "no secrets for bots" (acme/shop/production.yaml:15) does not match",
        "        - actor: bot; is "octocat"",
      ]
    `)
  })

  it("lets no control character of a claim's reach the terminal", () => {
    const text = explainTrace(ask(["secret"], identityOf({ ref: "\u001b[31mred\u202e\n" })).trace).join("")
    expect(text).not.toMatch(/[\p{Cc}\u202e]/u)
  })
})

describe("an owner", () => {
  it("is the organisation's by the id under its issuer, never by the name", () => {
    const { organisation } = setOf({})
    expect(isOwnerListed(identityOf(), organisation.issuers)).toBe(true)
    expect(isOwnerListed(identityOf({}, { owner: "renamed" }), organisation.issuers)).toBe(true)
    expect(isOwnerListed(identityOf({}, { ownerId: "acme" }), organisation.issuers)).toBe(false)
    expect(isOwnerListed(identityOf({}, { ownerId: "" }), organisation.issuers)).toBe(false)
    expect(isOwnerListed(identityOf({}, { issuer: "other" }), organisation.issuers)).toBe(false)
  })
})

it("offers a job that asks for what is not there a bounded list of what is", () => {
  const names = Array.from({ length: 100 }, (_, index) => `grant-${index}-${"x".repeat(50)}`)
  const grants = names.map((name) => `  ${name}: { connection: notes }\n`).join("")
  const files = { "p.yaml": policyOf(`grants:\n${grants}`) }
  const { trace } = ask(["absent"], identityOf(), { files })
  expect(trace.grants[0]?.change).toMatch(/ and 70 more\.$/)
  expect(trace.grants[0]?.change?.length).toBeLessThan(3000)
})
