import { describe, expect, it } from "vitest"
import type { Identity } from "../../../broker/core/identity.ts"
import { boundariesConcerning, ceilingFor, checkGrant } from "../../../broker/core/policy/ceiling.ts"
import { type Decision, decide } from "../../../broker/core/policy/decide.ts"
import { explainTrace } from "../../../cli/explain/trace.ts"
import { identityOf, ORGANISATION, policyOf, setOf } from "./support.ts"

const organisationWith = (boundaries: string, owners = '{ acme: "9001" }') =>
  ORGANISATION.replace('{ acme: "9001" }', owners)
    .replace("connections:\n", "connections:\n  cloud: { provider: cloud }\n")
    .replace("boundaries: []\n", `boundaries:\n${boundaries}`)

/** A policy that gives acme/shop a grant with these fields, to whatever job runs in production. */
const offering = (fields: string, more = "") =>
  policyOf(`allow:\n  - { name: all, grants: [it] }\n${more}grants:\n  it: { ${fields} }\n`)

const NOTE = offering("connection: notes")

function ask(boundaries: string, policy = NOTE, identity: Identity = identityOf(), owners?: string): Decision {
  const set = setOf({ "p.yaml": policy }, organisationWith(boundaries, owners))
  return decide({ organisation: set.organisation, policies: set.policies, identity, grants: ["it"] })
}

const reasonOf = (decision: Decision) => decision.trace.grants[0]?.reason ?? ""

const OPEN = "allow: [{ connection: notes }, { connection: vault-prod }, { connection: cloud }]"
const allowing = (when: string, more = OPEN) => `  - { name: a, when: ${when}, ${more} }\n`

describe("a field of a grant", () => {
  it.each<[string, string, string, boolean]>([
    ["a text that matches", "role: 'r/shop-*'", "role: r/shop-a", true],
    ["a text that does not", "role: 'r/shop-*'", "role: r/admin", false],
    ["a text that goes on", "role: 'r/shop-*'", "role: r/shop-a/x", false],
    ["a text that differs in case", "role: 'r/shop-*'", "role: r/Shop-a", false],
    ["a text that one pattern of several matches", "role: [r/a, r/b]", "role: r/b", true],
    ["a text where a map is meant", "tags: { a: b }", "role: r, tags: { a: b }", true],
    ["a field that the entry leaves out", "role: r", "role: r, scopes: [admin], size: 99", true],
    ["a field that the grant leaves out", "scopes: '**'", "role: r", false],
    ["a list whose every text matches", "scopes: 'read:*'", "role: r, scopes: ['read:a', 'read:b']", true],
    ["a list with one text that does not", "scopes: 'read:*'", "role: r, scopes: ['read:a', 'write:b']", false],
    ["an empty list", "scopes: '**'", "role: r, scopes: []", false],
    ["a map for a text: every text in it", "tags: shop", "role: r, tags: { a: shop, b: [shop] }", true],
    ["a map for a text, one of whose texts does not match", "tags: shop", "role: r, tags: { a: shop, b: [x] }", false],
    ["an empty map for a text", "tags: '**'", "role: r, tags: {}", false],
    ["a map with the keys that are listed", "tags: { a: x, b: y }", "role: r, tags: { a: x, b: y }", true],
    ["a map with some of them", "tags: { a: x, b: y }", "role: r, tags: { b: y }", true],
    ["a map with none of them", "tags: { a: x, b: y }", "role: r, tags: {}", false],
    ["a map with one more", "tags: { a: x }", "role: r, tags: { a: x, c: x }", false],
    ["a map with a value that does not match", "tags: { a: x }", "role: r, tags: { a: y }", false],
    ["a map with a null in it", "tags: { a: '**' }", "role: r, tags: { a: [x, 1.5] }", false],
    ["maps in maps", "tags: { a: { b: ['x*', y] } }", "role: r, tags: { a: { b: [xx, y] } }", true],
    ["maps in maps with one key more", "tags: { a: { b: x } }", "role: r, tags: { a: { b: x, c: x } }", false],
    ["an empty map in a map", "tags: { a: { b: x } }", "role: r, tags: { a: {} }", false],
    ["a map where another is a text", "tags: { a: { b: x } }", "role: r, tags: { a: x }", false],
    ["a list where a map is meant", "tags: { a: { '0': x } }", "role: r, tags: { a: [x] }", false],
    ["a key like what every object has", "tags: { constructor: x }", "role: r, tags: { constructor: x }", true],
    ["such a key that is not there", "tags: { constructor: x }", "role: r, tags: { toString: x }", false],
    ["a number as it is written", "size: '10'", "role: r, size: 10", true],
    ["another number", "size: '10'", "role: r, size: 100", false],
    ["a number with a fraction", "size: '**'", "role: r, size: 1.5", false],
    ["a number that JSON cannot hold", "size: '**'", "role: r, size: 9007199254740993", false],
    ["a flag as it is written", "dry: 'true'", "role: r, dry: true", true],
    ["the other flag", "dry: 'true'", "role: r, dry: false", false],
  ])("like %s: an entry with %s, a grant with %s, inside: %s", (_, entry, fields, inside) => {
    const decision = ask(
      allowing("{ repository: acme/shop }", `allow: [{ connection: cloud, ${entry} }]`),
      offering(`connection: cloud, ${fields}`),
    )
    expect(decision.outcome).toBe(inside ? "allow" : "deny")
  })

  it("that its provider fills in by itself is held against the ceiling as it will be minted", () => {
    const entry = (text: string) =>
      allowing("{ repository: acme/shop }", `allow: [{ connection: notes, text: ${text} }]`)
    expect(ask(entry("none")).outcome).toBe("allow")
    expect(ask(entry("some")).outcome).toBe("deny")
  })

  it("is never taken from a prototype, whatever the entry lists", () => {
    const set = setOf({ "p.yaml": NOTE }, organisationWith(allowing("{ repository: acme/shop }")))
    const [boundary] = set.organisation.boundaries
    const connection = set.organisation.connections.get("notes")
    const field = boundary?.when[0]?.test
    if (!boundary || !connection || field?.kind !== "any") throw new Error("the test's own boundary is not as it was")
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const fields = new Map([[name, { kind: "text" as const, patterns: field.patterns }]])
      const narrowed = { ...boundary, allow: [{ connection: "notes", line: 1, fields }] }
      const over = ceilingFor({ ...set.organisation, boundaries: [narrowed] }, identityOf(), [])
      const held = checkGrant(
        over,
        { connection, fields: {} },
        { fact: { known: false, reason: "not asked" }, words: undefined },
      )
      expect(held.inside, name).toBe(false)
    }
  })
})

describe("a ceiling", () => {
  it("admits what one of several boundaries, and one of several entries, allows", () => {
    const entries = "allow: [{ connection: vault-prod }, { connection: notes, text: x }, { connection: notes }]"
    const both = `${allowing("{ repository: acme/shop }", entries)}  - { name: b, when: { repository: acme/shop } }\n`
    expect(ask(both).outcome).toBe("allow")
  })

  it("does not put two entries together to admit what neither does", () => {
    const entries = "allow: [{ connection: cloud, role: a, scopes: x }, { connection: cloud, role: b, scopes: y }]"
    const of = (fields: string) => ask(allowing("{ ref: '**' }", entries), offering(`connection: cloud, ${fields}`))
    expect(of("role: a, scopes: [x]").outcome).toBe("allow")
    expect(of("role: a, scopes: [y]").outcome).toBe("deny")
    expect(of("role: a, scopes: [x, y]").outcome).toBe("deny")
  })

  it("is over a repository as soon as one boundary is about it, though it says nothing of the job", () => {
    expect(ask("  - { name: a, when: { repository: acme/shop, ref: refs/tags/v1 } }\n").outcome).toBe("deny")
    expect(ask("  - { name: a, when: { repository: acme/other, ref: refs/heads/main } }\n").outcome).toBe("allow")
    expect(ask("  - { name: a, when: { ref: refs/tags/v1 } }\n").outcome).toBe("deny")
  })

  it.each([
    ["repository: acme/shop", "acme/other"],
    ["repository: 'acme/*'", "evil/shop"],
    ["repository: { not: acme/other }", "acme/other"],
    ['repository_id: "41"', "acme/shop"],
    ["repository_owner: acme", "acme-evil/shop"],
    ['repository_owner_id: "9001"', "acme/shop"],
    ["iss: 'https://**'", "acme/shop"],
  ])(
    "is over the repositories that { %s } admits, and over no others: not over another %s",
    (condition, repository) => {
      const { organisation } = setOf({}, organisationWith(allowing(`{ ${condition} }`)))
      expect(boundariesConcerning(organisation, identityOf())).toHaveLength(1)
      const claims = { iss: "http://x", repository_id: "42", repository_owner_id: "1" }
      const other = identityOf({ ...claims, repository, repository_owner: repository.split("/")[0] })
      expect(boundariesConcerning(organisation, other)).toHaveLength(0)
    },
  )

  it.each(["iss", "enterprise", "repository", "repository_id", "repository_owner", "repository_owner_id", "ref", "x"])(
    "is not lifted by a token without %s",
    (claim) => {
      const identity = identityOf({ [claim]: undefined }, { unitId: "41", ownerId: "9001", unit: "acme/shop" })
      const decision = ask(allowing(`{ ${claim}: anything }`), NOTE, identity)
      expect(decision.outcome).toBe("deny")
      expect(decision.trace.grants[0]?.boundaries).toMatchObject([{ name: "a", matched: false, allows: false }])
    },
  )

  it("holds a job without a claim to what its boundaries require and limit, and allows it nothing", () => {
    const limited = `  - { name: a, when: { repository: acme/shop }, ${OPEN} }\n  - { name: b, when: { x: y }, max_ttl: 1m }\n`
    const decision = ask(limited)
    expect(decision.outcome === "allow" && decision.grants[0]?.ttlSeconds).toBe(60)
    const required = limited.replace("max_ttl: 1m", "require: { ref: refs/tags/v1 }")
    expect(ask(required).outcome).toBe("deny")
    expect(ask(required, NOTE, identityOf({ x: "z" })).outcome).toBe("allow")
  })

  it("demands every boundary's requirement, and none is met by a claim that is missing", () => {
    const requiring = (test: string) =>
      `${allowing("{ ref: '**' }")}  - { name: b, when: { ref: '**' }, require: { c: ${test} } }\n`
    expect(ask(requiring("x")).outcome).toBe("deny")
    expect(ask(requiring("{ not: x }")).outcome).toBe("deny")
    expect(ask(requiring("{ present: true }")).outcome).toBe("deny")
    expect(ask(requiring("{ present: false }")).outcome).toBe("allow")
    expect(ask(requiring("x"), NOTE, identityOf({ c: "x" })).outcome).toBe("allow")
    expect(ask(requiring("{ not: x }"), NOTE, identityOf({ c: "y" })).outcome).toBe("allow")
  })

  it("lets nothing live longer than any boundary in force says", () => {
    const limits = (...seconds: number[]) =>
      seconds
        .map((limit, index) => `  - { name: n${index}, when: { ref: "refs/**" }, ${OPEN}, max_ttl: ${limit}s }\n`)
        .join("")
    const ttl = (decision: Decision) => decision.outcome === "allow" && decision.grants[0]?.ttlSeconds
    expect(ttl(ask(limits(300, 120, 600)))).toBe(120)
    expect(ttl(ask(limits(3600)))).toBe(900)
  })

  it("refuses what its limits leave no time for, and says which they are", () => {
    const decision = ask(
      `${allowing("{ ref: '**' }")}  - { name: b, when: { ref: '**' }, max_ttl: 30s }\n`,
      offering("connection: vault-prod, path: kv"),
    )
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed" })
    expect(reasonOf(decision)).toMatch(/vault mints credentials for at least 1m, but .* at most 30s/)
  })

  it("leaves repositories alone that no boundary is about", () => {
    const decision = ask(allowing("{ repository: acme/other }", "allow: [{ connection: cloud }]"))
    expect(decision.outcome).toBe("allow")
    expect(decision.trace.grants[0]).not.toHaveProperty("boundaries")
  })

  it("shows in the trace of what it admits how each of its boundaries stands", () => {
    const decision = ask(`${allowing("{ repository: acme/shop }")}  - { name: b, when: { ref: x }, max_ttl: 1h }\n`)
    expect(decision.trace.grants).toMatchObject([
      {
        name: "it",
        outcome: "allow",
        ttl_seconds: 900,
        rules: [{ name: "all", matched: true }],
        boundaries: [
          { name: "a", matched: true, allows: true },
          { name: "b", matched: false, allows: false },
        ],
      },
    ])
  })

  it("comes after the rules: what these refuse is refused without a word about boundaries", () => {
    const denied = offering("connection: notes", "deny:\n  - { name: no, when: { ref: '**' } }\n")
    const decision = ask(allowing("{ ref: '**' }"), denied)
    expect(reasonOf(decision)).toMatch(/^The deny rule "no"/)
    expect(decision.trace.grants[0]).not.toHaveProperty("boundaries")
  })
})

describe("a name that changed", () => {
  const renamed = identityOf({ repository: "acme/store" })

  it("does not lift a ceiling off a repository that its policies still call by the old one", () => {
    expect(ask(allowing("{ repository: acme/shop }", "max_ttl: 1h"), NOTE, renamed).outcome).toBe("deny")
    expect(ask(allowing("{ repository: acme/shop }"), NOTE, renamed).outcome).toBe("deny")
  })

  it("keeps what the old name's boundaries require and limit", () => {
    const both = `${allowing("{ repository: acme/store }")}  - { name: b, when: { repository: acme/shop }, max_ttl: 1m }\n`
    const decision = ask(both, NOTE, renamed)
    expect(decision.outcome === "allow" && decision.grants[0]?.ttlSeconds).toBe(60)
    expect(ask(both.replace("max_ttl: 1m", "require: { ref: x }"), NOTE, renamed).outcome).toBe("deny")
  })

  it("allows nothing by a name that the token does not have", () => {
    const both = `${allowing("{ repository: acme/store }", "max_ttl: 1h")}  - { name: b, when: { repository: acme/shop }, ${OPEN} }\n`
    expect(ask(both, NOTE, renamed).outcome).toBe("deny")
  })

  it.each([
    "{ repository_owner: acme }",
    "{ repository: 'acme/*' }",
    "{ repository: acme/shop, repository_owner: acme }",
  ])("of the whole owner does not lift the ceiling %s: its id is listed under the old one", (when) => {
    const identity = identityOf({ repository: "acme-inc/shop", repository_owner: "acme-inc" })
    const wide = NOTE.replace('repository_id: "41"\n', "").replace("acme/shop", "'acme/*'")
    for (const policy of [NOTE, wide]) {
      expect(ask(allowing(when, "max_ttl: 1h"), policy).outcome).toBe("deny")
      expect(ask(allowing(when, "max_ttl: 1h"), policy, identity).outcome).toBe("deny")
      expect(ask(allowing(when), policy).outcome).toBe("allow")
      expect(ask(allowing(when), policy, identity).outcome).toBe("deny")
    }
  })

  it("corrected for the owner and not yet for the repository lifts none either", () => {
    const identity = identityOf({ repository: "acme-inc/shop", repository_owner: "acme-inc" })
    const when = "{ repository: acme/shop, repository_owner: acme-inc }"
    const owners = '{ acme-inc: "9001" }'
    expect(ask(allowing(when, "max_ttl: 1h"), NOTE, identity, owners).outcome).toBe("deny")
  })
})

describe("a reason", () => {
  it.each<[string, string, RegExp]>([
    [
      "which field is outside, and of which boundary",
      allowing("{ repository: acme/shop }", "allow: [{ connection: notes, text: a }, { connection: notes, text: b }]"),
      /^The grant "it" is outside the organisation's boundary "a" \(daypass.yaml:12\): text must be a, but is none\.$/,
    ],
    [
      "that no boundary allows the connection",
      allowing("{ repository: acme/shop }", "allow: [{ connection: cloud }]"),
      /^No boundary allows this job to use the connection notes; the boundaries that match the job are "a" \(daypass.yaml:12\)\.$/,
    ],
    [
      "what a boundary requires besides",
      allowing("{ repository: acme/shop }", `${OPEN}, require: { ref: refs/tags/v1 }`),
      /^The organisation's boundary "a" \(daypass.yaml:12\) requires more of this job: ref must be refs\/tags\/v1, but is refs\/heads\/main\.$/,
    ],
    [
      "that a boundary is set, and why it does not match",
      allowing("{ repository: acme/shop, ref: refs/tags/v1 }"),
      /^This repository has boundaries, but none of them matches this job: for "a" \(daypass.yaml:12\), ref must be refs\/tags\/v1, but is refs\/heads\/main\.$/,
    ],
  ])("says %s", (_, boundaries, expected) => {
    const decision = ask(boundaries)
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", ownsPolicies: true })
    expect(reasonOf(decision)).toMatch(expected)
  })

  it("names the fields that the nearest entry refuses, with what the grant says", () => {
    const entries =
      "allow: [{ connection: cloud, role: x, size: '1', dry: 'true' }, { connection: cloud, role: r, tags: { a: x } }]"
    const decision = ask(
      allowing("{ repository: acme/shop }", entries),
      offering("connection: cloud, role: r, tags: { b: x }"),
    )
    expect(decision.trace.grants[0]?.boundaries?.[0]?.fields).toEqual([
      { field: "tags.b", expected: "only a", actual: "b" },
    ])
    expect(reasonOf(decision)).toMatch(/tags\.b must be only a/)
  })

  it("does not list the other repositories that a boundary is about", () => {
    const decision = ask(allowing("{ repository: [acme/shop, acme/secret-plans], ref: x }"))
    expect(JSON.stringify(decision)).not.toContain("secret-plans")
  })

  it("reads, explained, as how each boundary stands to the grant", () => {
    const boundaries = `${allowing("{ repository: acme/shop }", "allow: [{ connection: notes, text: a }]")}  - { name: b, when: { ref: x } }\n`
    expect(explainTrace(ask(boundaries).trace).slice(-7)).toMatchInlineSnapshot(`
      [
        "      The grant "it" is outside the organisation's boundary "a" (daypass.yaml:12): text must be a, but is none.",
        "      Change the grant, or ask the maintainers of the organisation file to change the boundary.",
        "      allow "all" (p.yaml:6) matches",
        "      boundary "a" (daypass.yaml:12) does not allow it",
        "        - text: a; is "none"",
        "      boundary "b" (daypass.yaml:13) does not match",
        "        - ref: x; is "refs/heads/main"",
      ]
    `)
  })
})
