import { describe, expect, it } from "vitest"
import { type Decision, decide } from "../../../broker/core/policy/decide.ts"
import { faultsOf, identityOf, ORGANISATION, policyOf, setOf, shown } from "./support.ts"

const CLOUD = ORGANISATION.replace("connections:\n", "connections:\n  cloud: { provider: cloud }\n")

/** As policies write it: a text that begins with a dollar sign and a bracket. */
const gap = (claim: string) => `$\{${claim}}`

const policyWith = (grant: string, head = {}) =>
  policyOf(`allow:\n  - { name: all, when: { ref: "refs/heads/**" }, grants: [it] }\ngrants:\n  it: ${grant}\n`, head)

function ask(grant: string, claims: Readonly<Record<string, unknown>> = {}, organisation = CLOUD): Decision {
  const set = setOf({ "p.yaml": policyWith(grant) }, organisation)
  const identity = identityOf(claims)
  return decide({ organisation: set.organisation, policies: set.policies, identity, grants: ["it"] })
}

function fieldsOf(decision: Decision): unknown {
  if (decision.outcome === "deny") throw new Error(decision.trace.grants[0]?.reason)
  return decision.grants[0]?.grant.fields
}

const reasonOf = (decision: Decision) => decision.trace.grants[0]?.reason ?? ""

describe("a gap in a grant", () => {
  it.each<[string, string, unknown]>([
    ["the repository's name without its owner", `role: "r/${gap("repository_name")}"`, { role: "r/shop" }],
    ["the environment", `role: "r/${gap("environment")}"`, { role: "r/production" }],
    ["a claim of any name", `role: "r/${gap("repo_property_team")}"`, { role: "r/blue_1.x-y" }],
    ["a number", `role: "r/${gap("count")}"`, { role: "r/7" }],
    ["a flag", `role: "r/${gap("flag")}"`, { role: "r/true" }],
    [
      "several claims in one text",
      `role: "${gap("environment")}/${gap("repository_name")}.${gap("environment")}"`,
      { role: "production/shop.production" },
    ],
    [
      "texts in lists and maps",
      `role: r, scopes: [a, "b:${gap("environment")}"], tags: { x: { y: ["${gap("repository_name")}"] } }`,
      { role: "r", scopes: ["a", "b:production"], tags: { x: { y: ["shop"] } } },
    ],
  ])("is filled with %s", (_, fields, expected) => {
    const claims = { repo_property_team: "blue_1.x-y", count: 7, flag: true }
    expect(fieldsOf(ask(`{ connection: cloud, ${fields} }`, claims))).toEqual(expected)
  })

  it.each<[string, string, string]>([
    ["a text without one", "a$b{c}", "a$b{c}"],
    ["another language's", gap("aws:PrincipalTag/team"), gap("aws:PrincipalTag/team")],
    ["one with a dash, which no claim has", gap("a-b"), gap("a-b")],
    ["an empty one", gap(""), gap("")],
    ["one that does not end", "a${b", "a${b"],
    ["an escaped one", `$${gap("environment")}`, gap("environment")],
    ["an escaped one beside another", `$${gap("x")}/${gap("environment")}`, `${gap("x")}/production`],
    ["one escape behind a dollar sign", `$$${gap("x")}`, `$${gap("x")}`],
  ])("is not %s: %s stands for %s", (_, text, expected) => {
    const fields = fieldsOf(ask(`{ connection: notes, text: ${JSON.stringify(text)} }`))
    expect(fields).toEqual({ text: expected })
  })

  it("never fills what it filled: a claim's own gap is no gap, and is refused", () => {
    expect(ask(`{ connection: notes, text: "${gap("x")}" }`, { x: gap("environment") }).outcome).toBe("deny")
  })

  it("leaves no trace of itself in what is minted", () => {
    const decision = ask(`{ connection: notes, text: "${gap("environment")}" }`)
    expect(decision.outcome === "allow" && decision.grants[0]?.grant).not.toHaveProperty("template")
  })

  it("is in values, never in keys", () => {
    const fields = fieldsOf(ask(`{ connection: cloud, role: r, tags: { "${gap("environment")}": a } }`))
    expect(fields).toEqual({ role: "r", tags: { [gap("environment")]: "a" } })
  })
})

describe("a claim that is filled in", () => {
  it.each<[string, unknown]>([
    ["a slash", "a/b"],
    ["a colon", "a:b"],
    ["a star", "a*"],
    ["a question mark", "a?"],
    ["a space", "a b"],
    ["a line break", "a\nb"],
    ["a line break at its end", "a\n"],
    ["a carriage return", "a\r"],
    ["a NUL", "a\u0000"],
    ["a tab", "a\t"],
    ["a percent sign", "a%2fb"],
    ["a backslash", "a\\b"],
    ["a comma", "a,b"],
    ["a quotation mark", 'a"b'],
    ["an at sign", "a@b"],
    ["a dollar sign", "$a"],
    ["a letter that is not ASCII", "größe"],
    ["a look-alike letter", "аdmin"],
    ["a digit of another script", "٣"],
    ["a character that cannot be seen", "a\u200bb"],
    ["half a character", "\ud800"],
    ["nothing", ""],
    ["a dot alone", "."],
    ["two dots alone", ".."],
    ["a fraction", 1.5],
    ["a number that JSON cannot hold", 2 ** 60],
    ["a negative zero's text and more", [0]],
    ["a list", ["a"]],
    ["an object", { a: "b" }],
    ["null", null],
  ])("and holds %s refuses the grant", (_, value) => {
    const grant = `{ connection: notes, text: "x${gap("c")}y" }`
    expect(ask(grant, { c: "a" }).outcome).toBe("allow")
    const decision = ask(grant, { c: value })
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed", ownsPolicies: true })
    expect(reasonOf(decision)).toMatch(/^The grant "it" \(p\.yaml:8\) cannot be filled in for this job: .*\bc\b/)
  })

  it.each(["a", "A-Z", "0", "-", "_", "...a", "a..b", "v1.2.3", "__proto__"])("and is %j goes in as it is", (value) => {
    expect(fieldsOf(ask(`{ connection: notes, text: "x${gap("c")}" }`, { c: value }))).toEqual({ text: `x${value}` })
  })

  it.each(["absent", "constructor", "toString", "__proto__", "hasOwnProperty"])(
    "and is not there (%s) refuses the grant",
    (claim) => {
      const decision = ask(`{ connection: notes, text: "${gap(claim)}" }`)
      expect(decision.outcome).toBe("deny")
      expect(reasonOf(decision)).toContain(`the token has no claim ${claim}`)
    },
  )

  it("and is a repository's in a group is what stands after the last slash", () => {
    const grant = `{ connection: notes, text: "${gap("repository_name")}" }`
    expect(fieldsOf(ask(grant, { repository: "acme/group/shop" }))).toEqual({ text: "shop" })
  })

  it("never shows in the reason: whoever chose it wrote no sentence of ours", () => {
    expect(reasonOf(ask(`{ connection: notes, text: "${gap("c")}" }`, { c: "evil value" }))).not.toContain("evil")
  })
})

describe("what came out of filling gaps", () => {
  it("is held against the provider's schema again", () => {
    const grant = `{ connection: vault-prod, path: "kv/${gap("c")}" }`
    expect(fieldsOf(ask(grant, { c: "shop" }))).toEqual({ path: "kv/shop" })
    const decision = ask(grant, { c: "Shop" })
    expect(reasonOf(decision)).toMatch(/filled with this job's claims, its provider does not accept it/)
  })

  it("is held against the provider's check of the connection again", () => {
    const teams = CLOUD.replace("teams: [shop]", "teams: [shop, x]")
    const grant = `{ connection: vault-prod, path: kv, team: "${gap("c")}" }`
    expect(fieldsOf(ask(grant, { c: "shop" }, teams))).toEqual({ path: "kv", team: "shop" })
    expect(reasonOf(ask(grant, { c: "evil" }, teams))).toMatch(/its team is none of the connection's/)
  })

  it("is refused where its provider fills no grants for the job's owner, though nothing in the gap is wrong", () => {
    const set = setOf({ "p.yaml": policyWith(`{ connection: notes, text: "${gap("c")}" }`) }, CLOUD)
    const checkFilled = (_: unknown, { ownerId }: { readonly ownerId: string }) =>
      ownerId === "9001" ? "another owner's jobs fill this one" : null
    const policies = set.policies.map((policy) => ({
      ...policy,
      grants: new Map(
        [...policy.grants].map(([name, grant]) => {
          const { template } = grant
          if (template === undefined) throw new Error("the test's grant has no gap")
          return [name, { ...grant, template: { ...template, schemas: { ...template.schemas, checkFilled } } }]
        }),
      ),
    }))
    const asked = { organisation: set.organisation, identity: identityOf({ c: "x" }), grants: ["it"] }
    expect(decide({ ...asked, policies: set.policies }).outcome).toBe("allow")
    const decision = decide({ ...asked, policies })
    expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed" })
    expect(reasonOf(decision)).toMatch(/cannot be filled in for this job: another owner's jobs fill this one/)
  })

  it("is what boundaries are held against", () => {
    const below = CLOUD.replace(
      "boundaries: []",
      'boundaries:\n  - { name: a, when: { ref: "**" }, allow: [{ connection: cloud, role: "r/shop*" }] }',
    )
    const grant = `{ connection: cloud, role: "r/${gap("c")}" }`
    expect(fieldsOf(ask(grant, { c: "shop-a" }, below))).toEqual({ role: "r/shop-a" })
    const decision = ask(grant, { c: "admin" }, below)
    expect(reasonOf(decision)).toMatch(/role must be r\/shop\*, but is r\/admin/)
    // Neither the sample that stood in for the claim at load nor the gap itself is what is judged.
    const sample = below.replace("r/shop*", "r/x")
    expect(ask(grant, { c: "shop-a" }, sample).outcome).toBe("deny")
    expect(ask(grant, { c: "x" }, sample).outcome).toBe("allow")
  })
})

describe("a template", () => {
  const places = (grant: string, head = {}) =>
    faultsOf({ "daypass.yaml": CLOUD, "p.yaml": policyWith(grant, head) }).map((fault) => [shown(fault), fault.message])

  it.each<[string, string, string, RegExp]>([
    ["its connection", `{ connection: "${gap("c")}" }`, "p.yaml:8:21 value_invalid", /lower-case letter/],
    ["a part of its connection", `{ connection: "note${gap("c")}" }`, "p.yaml:8:21 value_invalid", /lower-case letter/],
    ["its ttl", `{ connection: notes, ttl: "${gap("c")}" }`, "p.yaml:8:33 value_invalid", /90s, 15m or 1h/],
    ["a part of its ttl", `{ connection: notes, ttl: "${gap("c")}m" }`, "p.yaml:8:33 value_invalid", /90s, 15m or 1h/],
  ])("has no gap in %s", (_, grant, place, message) => {
    const found = places(grant).filter(([where]) => where === place)
    expect(found).toEqual([[place, expect.stringMatching(message)]])
  })

  it("is checked at load with a sample in its gaps: what no claim could mend is a fault", () => {
    expect(places(`{ connection: vault-prod, path: "KV/${gap("c")}" }`).map(([place]) => place)).toEqual([
      "p.yaml:8:39 value_invalid",
    ])
    expect(places(`{ connection: notes, text: [ "${gap("c")}" ] }`).map(([place]) => place)).toEqual([
      "p.yaml:8:34 type_wrong",
    ])
  })

  it("for the environment stands in files of one only", () => {
    const grant = `{ connection: notes, text: "a-${gap("environment")}" }`
    expect(places(grant)).toEqual([])
    expect(places(grant, { environment: null })).toEqual([
      ["p.yaml:7:3 gap_unfillable", expect.stringMatching(/a gap for the environment, .* add the key environment/)],
    ])
    expect(places(`{ connection: notes, text: "$${gap("environment")}" }`, { environment: null })).toEqual([])
  })
})
