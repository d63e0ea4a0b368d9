import { describe, expect, it } from "vitest"
import type { Claims, Identity } from "../../../broker/core/identity.ts"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { type Decision, decide } from "../../../broker/core/policy/decide.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { OPENID_CASE } from "../issuers/families/openid.ts"
import { faultsOf, ISSUER_URL, identityOf, setOf, TEST_PROVIDERS } from "./support.ts"

const URL_OF_STAFF = OPENID_CASE.config.url
const person = (claims: Record<string, unknown> = {}): Identity => {
  const all = { ...OPENID_CASE.samples[0]?.claims, ...claims } as Claims
  const read = identityIn(all, OPENID_CASE.config)
  if (!read.ok) throw new Error(read.fault)
  return read.value
}
const ID = person().unitId

const organisation = (more = "", connections = "") => `version: 1
issuers:
  github: { family: github-actions, url: "${ISSUER_URL}", owners: { acme: "9001" } }
  staff: { family: openid, url: "${URL_OF_STAFF}", audience: daypass-cli }
connections:
  notes: { provider: note, people: true }
  prod: { provider: note }
${connections}${more}`

const allowing = (head: string, when = "", connection = "notes") => `version: 1
issuer: staff
${head}
allow:
  - { name: the rule, ${when === "" ? "" : `when: ${when}, `}grants: [note] }
grants:
  note: { connection: ${connection}, text: hello }
`

const ofJobs = (connection = "notes") => `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - { name: the rule, grants: [note] }
grants:
  note: { connection: ${connection}, text: hello }
`

const asked = (set: PolicySet, identity: Identity): Decision =>
  decide({ organisation: set.organisation, policies: set.policiesOf(identity), identity, grants: ["note"] })
const outcome = (set: PolicySet, identity: Identity) => asked(set, identity).outcome
const said = (set: PolicySet, identity: Identity) => {
  const [grant] = asked(set, identity).trace.grants
  return grant?.outcome === "deny" ? `${grant.reason} ${grant.change}` : "allowed"
}

const people = (when: string, more = "") => setOf({ "p.yaml": allowing("people: true", when) }, organisation(more))

describe("a policy for people", () => {
  it("serves the people that its conditions name, whatever their ids are", () => {
    const set = people('{ groups: engineering, email_verified: "true" }')
    expect(outcome(set, person())).toBe("allow")
    expect(outcome(set, person({ sub: "another" }))).toBe("allow")
    expect(outcome(set, person({ groups: ["sales"] }))).toBe("deny")
    expect(outcome(set, person({ groups: null }))).toBe("deny")
    expect(outcome(set, person({ email_verified: false }))).toBe("deny")
  })

  it("serves one person by the id, and stands without a condition", () => {
    const set = setOf({ "p.yaml": allowing(`person: person@example.com\nperson_id: "${ID}"`) }, organisation())
    expect(outcome(set, person())).toBe("allow")
    expect(outcome(set, person({ sub: "another" }))).toBe("deny")
    const byId = setOf({ "p.yaml": allowing(`person_id: "${ID}"`) }, organisation())
    expect(outcome(byId, person({ email: null }))).toBe("allow")
  })

  it("never takes an address that the issuer does not vouch for", () => {
    const set = people('{ email: "*@example.com" }')
    expect(outcome(set, person())).toBe("allow")
    expect(outcome(set, person({ email_verified: false }))).toBe("deny")
    expect(outcome(set, person({ email_verified: null }))).toBe("deny")
    const denying = setOf(
      {
        "p.yaml": `${allowing("people: true", "{ groups: engineering }")}deny:\n  - { name: not this one, when: { email: gone@example.com } }\n`,
      },
      organisation(),
    )
    expect(outcome(denying, person())).toBe("allow")
    expect(outcome(denying, person({ email: "gone@example.com", email_verified: false }))).toBe("deny")
  })

  it("never serves a job, nor a policy for jobs a person, even with the same id and claims", () => {
    const set = setOf(
      { "jobs.yaml": ofJobs(), "people.yaml": allowing("people: true", "{ groups: engineering }") },
      organisation(),
    )
    expect(outcome(set, identityOf())).toBe("allow")
    expect(outcome(set, person())).toBe("allow")
    const sameId = person({ sub: "41", environment: "production", repository: "acme/shop" })
    const alone = (name: string, text: string) => setOf({ [name]: text }, organisation())
    expect(outcome(alone("jobs.yaml", ofJobs()), sameId)).toBe("deny")
    const onlyPeople = alone("people.yaml", allowing("people: true", "{ groups: engineering }"))
    expect(outcome(onlyPeople, identityOf({ groups: ["engineering"], environment: undefined }))).toBe("deny")
    const onePerson = alone("person.yaml", allowing('person_id: "41"'))
    expect(outcome(onePerson, identityOf({ environment: undefined }))).toBe("deny")
  })

  it("is the same after it was compiled", () => {
    const set = people(
      "{ groups: engineering }",
      "boundaries:\n  - { name: b, when: { groups: engineering }, people: true, allow: [{ connection: notes }] }\n",
    )
    const again = revived(JSON.parse(JSON.stringify(compiled(set))), TEST_PROVIDERS)
    for (const identity of [person(), person({ groups: ["sales"] })]) {
      expect(outcome(again, identity)).toBe(outcome(set, identity))
    }
    expect(outcome(again, person())).toBe("allow")
  })

  it.each([
    ["no condition", "people: true", "", "allow_unconstrained", "would let in all people of the issuer"],
    ["only that the address is verified", "people: true", '{ email_verified: "true" }', "allow_unconstrained", ""],
    ["any group", "people: true", '{ groups: "**" }', "allow_unconstrained", ""],
    ["that groups are there", "people: true", "{ groups: { present: true } }", "allow_unconstrained", ""],
    ["any id", "people: true", '{ sub: "**" }', "allow_unconstrained", ""],
    ["only the issuer's client", "people: true", "{ azp: daypass-cli }", "allow_unconstrained", ""],
    [
      "one person beside all",
      `people: true\nperson_id: "${ID}"`,
      "{ groups: a }",
      "value_invalid",
      "leave one of the two out",
    ],
    ["no people at all", "people: false", "{ groups: a }", "value_invalid", "people can only be true"],
    ["a name without an id", "person: person@example.com", "", "key_missing", "or write people: true for all people"],
    ["a pattern", 'person: "*@example.com"', "", "value_invalid", "people: true with a condition"],
    ["an id with a space", 'person_id: "a b"', "", "value_invalid", "person_id: a person's id is the sub"],
    ["an environment", `person_id: "${ID}"\nenvironment: production`, "", "key_unknown", "leave environment out"],
    ["a repository", 'repository: acme/shop\nrepository_id: "41"', "", "key_unknown", "which knows people"],
  ])("with %s does not load", (_, head, when, code, message) => {
    const faults = faultsOf({ "daypass.yaml": organisation(), "p.yaml": allowing(head, when) })
    expect(faults.map((fault) => fault.code)).toContain(code)
    expect(faults.map((fault) => fault.message).join("\n")).toContain(message)
  })

  it.each(["{ hd: example.com }", '{ email: "*@example.com" }', "{ oid: a }", "{ groups: [a, b] }", "{ amr: mfa }"])(
    "loads with a condition that some people fulfil: %s",
    (when) =>
      expect(faultsOf({ "daypass.yaml": organisation(), "p.yaml": allowing("people: true", when) })).toEqual([]),
  )

  it("cannot be written for an issuer of jobs", () => {
    const faults = faultsOf({
      "daypass.yaml": organisation(),
      "p.yaml": ofJobs().replace('repository: acme/shop\nrepository_id: "41"', "people: true"),
    })
    expect(faults.map(({ message }) => message).join("\n")).toContain("instead of people")
  })
})

describe("an issuer of people", () => {
  it.each([
    ["without a client", `{ family: openid, url: "${URL_OF_STAFF}" }`, 'add the key "audience"'],
    [
      "with policies of its repositories",
      `{ family: openid, url: "${URL_OF_STAFF}", audience: c, repository_policies: true }`,
      "repository_policies is about repositories",
    ],
    [
      "with owners",
      `{ family: openid, url: "${URL_OF_STAFF}", audience: c, owners: { acme: "1" } }`,
      "leave owners out",
    ],
    [
      "of many tenants",
      '{ family: openid, url: "https://login.microsoftonline.com/{tenantid}/v2.0", audience: c }',
      "",
    ],
    [
      "with tokens of two days",
      `{ family: openid, url: "${URL_OF_STAFF}", audience: c, max_token_lifetime: 48h }`,
      "24h",
    ],
  ])("%s does not load", (_, issuer, message) => {
    const faults = faultsOf({ "daypass.yaml": `version: 1\nissuers:\n  staff: ${issuer}\n` })
    expect(faults.length).toBeGreaterThan(0)
    expect(faults.map((fault) => fault.message).join("\n")).toContain(message)
  })
})

describe("a connection", () => {
  const closed = allowing("people: true", "{ groups: engineering }", "prod")

  it("is closed to people by default, when the folder loads", () => {
    const faults = faultsOf({ "daypass.yaml": organisation(), "p.yaml": closed })
    expect(faults.map(({ code, message }) => [code, message])).toEqual([
      [
        "grant_conflict",
        "note: the connection prod is closed to people. Add people: true to it, if people may use it.",
      ],
    ])
    expect(faultsOf({ "daypass.yaml": organisation(), "p.yaml": ofJobs("prod") })).toEqual([])
  })

  it.each([undefined, false])("with people: %s is closed when the broker decides, too", (open) => {
    const set = people("{ groups: engineering }")
    const policies = set.policiesOf(person()).map((policy) => ({
      ...policy,
      grants: new Map(
        [...policy.grants].map(
          ([
            name,
            {
              connection: { people: _, ...connection },
              ...grant
            },
          ]) => [name, { ...grant, connection: { ...connection, ...(open === undefined ? {} : { people: open }) } }],
        ),
      ),
    }))
    const decision = decide({ organisation: set.organisation, policies, identity: person(), grants: ["note"] })
    expect(decision.outcome).toBe("deny")
    expect(decision.trace.grants[0]).toMatchObject({ reason: "The connection notes is closed to people." })
  })

  it("that is open to people serves jobs as before", () => {
    const set = setOf({ "jobs.yaml": ofJobs("notes") }, organisation())
    expect(outcome(set, identityOf())).toBe("allow")
  })
})

describe("a boundary", () => {
  const world = (...boundaries: string[]) =>
    setOf(
      { "jobs.yaml": ofJobs(), "people.yaml": allowing("people: true", "{ groups: engineering }") },
      organisation(`boundaries:\n${boundaries.map((text) => `  - ${text}\n`).join("")}`),
    )
  const ALLOW = "allow: [{ connection: notes }]"
  const both = (set: PolicySet) => [outcome(set, identityOf()), outcome(set, person())]

  it.each<[string, readonly string[], readonly ["allow" | "deny", "allow" | "deny"]]>([
    [
      "for people only leaves jobs alone",
      [`{ name: b, people: true, when: { groups: x }, ${ALLOW} }`],
      ["allow", "deny"],
    ],
    [
      "for people allows them",
      [`{ name: b, people: true, when: { groups: engineering }, ${ALLOW} }`],
      ["allow", "allow"],
    ],
    [
      "for jobs only leaves people alone",
      [`{ name: b, people: false, when: { event_name: x }, ${ALLOW} }`],
      ["deny", "allow"],
    ],
    [
      "that leaves the key out allows jobs only",
      [`{ name: b, when: { present: { present: false } }, ${ALLOW} }`],
      ["allow", "deny"],
    ],
    [
      "that leaves the key out restricts both",
      [
        `{ name: b, when: { absent: { present: false } }, ${ALLOW}, require: { absent: x } }`,
        `{ name: c, people: true, when: { groups: engineering }, ${ALLOW} }`,
      ],
      ["deny", "deny"],
    ],
    [
      "can require of people what jobs do not have",
      [`{ name: b, people: true, when: { groups: engineering }, ${ALLOW}, require: { amr: mfa } }`],
      ["allow", "deny"],
    ],
    [
      "about repositories is not about people",
      [`{ name: b, when: { repository: acme/shop }, ${ALLOW} }`],
      ["allow", "allow"],
    ],
    [
      "about people's ids is not about jobs",
      [`{ name: b, people: true, when: { sub: "${ID}" }, ${ALLOW} }`],
      ["allow", "allow"],
    ],
    [
      "for people with another connection",
      [`{ name: b, people: true, when: { groups: engineering }, allow: [{ connection: prod }] }`],
      ["allow", "deny"],
    ],
  ])("%s", (_, boundaries, expected) => {
    expect(both(world(...boundaries))).toEqual(expected)
  })

  it("that is met by a login with two factors lets the person in", () => {
    const set = world(`{ name: b, people: true, when: { groups: engineering }, ${ALLOW}, require: { amr: mfa } }`)
    expect(outcome(set, person({ amr: ["pwd", "mfa"] }))).toBe("allow")
  })

  it("says that none is for people", () => {
    const set = world(`{ name: b, when: { absent: { present: false } }, ${ALLOW} }`)
    expect(said(set, person())).toBe(
      "The organisation has boundaries over this person, and none of them is for people. Ask the maintainers of the organisation file for a boundary with `people: true`.",
    )
  })

  it("stays over a person whose address changed", () => {
    const set = world(`{ name: b, people: true, when: { email: person@example.com }, allow: [{ connection: prod }] }`)
    expect(outcome(set, person({ email: "new@example.com" }))).toBe("deny")
    expect(outcome(set, person({ email_verified: null }))).toBe("deny")
  })
})
