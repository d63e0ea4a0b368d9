import { describe, expect, it } from "vitest"
import { faultsOf, load, ORGANISATION, setOf, shown } from "./support.ts"

/** The organisation file with these boundaries; the first one starts in line 11. */
const withBoundaries = (list: string) => ORGANISATION.replace("boundaries: []\n", `boundaries:\n${list}`)

const one = (parts: string) => withBoundaries(`  - { name: a, when: { ref: x }, ${parts} }\n`)

const faults = (organisation: string) => faultsOf({ "daypass.yaml": organisation })

describe("a boundary", () => {
  it.each<[string, string, string[], RegExp]>([
    [
      "no name",
      withBoundaries("  - { when: { repository: acme/shop } }\n"),
      ["11:5 key_missing"],
      /required key "name" is missing/,
    ],
    [
      "an empty when",
      withBoundaries("  - { name: a, when: {} }\n"),
      ["11:16 value_empty"],
      /which would match nothing/,
    ],
    ["a null when", withBoundaries("  - { name: a, when: }\n"), ["11:22 value_null"], /has no value/],
    [
      "a misspelled when",
      withBoundaries("  - { name: a, wehn: { ref: x } }\n"),
      ["11:5 key_missing", "11:16 key_unknown"],
      /"when" is missing/,
    ],
    ["a map instead of a list", withBoundaries("  a: { when: { ref: x } }\n"), ["11:3 type_wrong"], /must be a list/],
    ["an empty allow", one("allow: []"), ["11:41 value_empty"], /which would match nothing/],
    ["a null allow", one("allow: "), ["11:42 value_null"], /has no value/],
    ["an allow that is no list", one("allow: { connection: notes }"), ["11:41 type_wrong"], /must be a list/],
    ["an entry without a connection", one("allow: [{ text: a }]"), ["11:42 key_missing"], /"connection" is missing/],
    ["an empty entry", one("allow: [{}]"), ["11:42 key_missing"], /"connection" is missing/],
    ["a null entry", one("allow: [~]"), ["11:42 value_null"], /has no value/],
    [
      "a connection that nobody defined",
      one("allow: [{ connection: note }]"),
      ["11:56 connection_unknown"],
      /Did you mean "notes"\?/,
    ],
    [
      "a field that no grant has",
      one("allow: [{ connection: notes, txt: a }]"),
      ["11:63 key_unknown"],
      /Grants of notes have no key "txt". Did you mean "text"\?/,
    ],
    [
      "a limit in the wrong place",
      one("allow: [{ connection: notes, ttl: 15m }]"),
      ["11:63 key_unknown"],
      /no key "ttl". Known: text\./,
    ],
    [
      "a field named like what every object has",
      one("allow: [{ connection: notes, constructor: a }]"),
      ["11:63 key_unknown"],
      /no key "constructor"/,
    ],
    [
      "a field named like a prototype",
      one("allow: [{ connection: notes, __proto__: a }]"),
      ["11:63 key_not_text"],
      /__proto__ is not allowed as a key/,
    ],
    [
      "a number in a field",
      one("allow: [{ connection: notes, text: 15 }]"),
      ["11:69 type_wrong"],
      /write it in quotes: "15"/,
    ],
    [
      "a boolean in a field",
      one("allow: [{ connection: notes, text: true }]"),
      ["11:69 type_wrong"],
      /write it in quotes: "true"/,
    ],
    ["a null field", one("allow: [{ connection: notes, text: ~ }]"), ["11:69 value_null"], /which would match nothing/],
    ["an empty field", one('allow: [{ connection: notes, text: "" }]'), ["11:69 value_empty"], /empty/],
    ["an empty list in a field", one("allow: [{ connection: notes, text: [] }]"), ["11:69 value_empty"], /empty/],
    ["an empty map in a field", one("allow: [{ connection: notes, text: {} }]"), ["11:63 value_empty"], /empty/],
    [
      "a number in a field's list",
      one("allow: [{ connection: notes, text: [a, 1] }]"),
      ["11:73 type_wrong"],
      /write it in quotes: "1"/,
    ],
    [
      "a map in a field's list",
      one("allow: [{ connection: notes, text: [{ a: b }] }]"),
      ["11:70 type_wrong"],
      /must be a text, but is a map/,
    ],
    [
      "a negation, which fields do not have",
      one("allow: [{ connection: notes, text: { not: b } }]"),
      ["11:69 type_wrong"],
      /text is not a map in grants of notes/,
    ],
    [
      "a field's pattern that is none",
      one('allow: [{ connection: notes, text: "a***" }]'),
      ["11:69 value_invalid"],
      /three stars/,
    ],
    [
      "a limit that is shorter than the provider can mint",
      one("allow: [{ connection: vault-prod }], max_ttl: 59s"),
      ["11:71 ttl_too_short"],
      /vault-prod mints credentials for at least 1m/,
    ],
    ["a limit of zero", one("max_ttl: 0s"), ["11:43 value_invalid"], /90s, 15m or 1h/],
    ["a limit that is a number", one("max_ttl: 60"), ["11:43 type_wrong"], /write it in quotes/],
    ["an empty demand", one("protected_environment: {}"), ["11:34 value_empty"], /empty/],
    ["a null demand", one("protected_environment: "), ["11:58 value_null"], /has no value/],
    ["a demand that is no map", one("protected_environment: true"), ["11:57 type_wrong"], /must be a map/],
    [
      "a demand that demands nothing",
      one("protected_environment: { required_reviewers: false }"),
      ["11:79 value_invalid"],
      /required_reviewers can only be true: write true, or leave the key out/,
    ],
    [
      "a demand in quotes",
      one('protected_environment: { prevent_self_review: "true" }'),
      ["11:80 value_invalid"],
      /prevent_self_review can only be true/,
    ],
    [
      "branches that are none",
      one("protected_environment: { deployment_branches: all }"),
      ["11:80 value_invalid"],
      /"protected", "custom"/,
    ],
    [
      "an empty list of branches",
      one("protected_environment: { deployment_branches: [] }"),
      ["11:80 value_empty"],
      /empty/,
    ],
    [
      "a misspelled demand",
      one("protected_environment: { required_reviewer: true }"),
      ["11:59 key_unknown"],
      /Did you mean "required_reviewers"/,
    ],
    ["an empty requirement", one("require: {}"), ["11:34 value_empty"], /empty/],
    ["a null requirement", one("require: "), ["11:44 value_null"], /has no value/],
    ["a misspelled requirement", one("requires: { ref: x }"), ["11:34 key_unknown"], /Did you mean "require"/],
    [
      "another's name",
      withBoundaries("  - { name: a, when: { ref: x } }\n  - { name: a, when: { ref: y } }\n"),
      ["12:13 boundary_duplicate"],
      /in line 11 is also called "a"/,
    ],
  ])("with %s is refused, and nothing loads", (_, organisation, places, message) => {
    const found = faults(organisation)
    expect(found.map(shown)).toEqual(places.map((place) => `daypass.yaml:${place}`))
    expect(found[0]?.message).toMatch(message)
    expect(load({ "daypass.yaml": organisation }).ok).toBe(false)
  })

  it("reports the faults of all its entries together", () => {
    const entries =
      "allow: [{ connection: note }, { connection: notes, txt: a }, { connection: vault-prod }], max_ttl: 5s"
    expect(faults(one(entries)).map(({ code }) => code)).toEqual(["connection_unknown", "key_unknown", "ttl_too_short"])
  })

  it("may only restrict, and then says of nothing that it is allowed", () => {
    const { organisation } = setOf({}, one("require: { runner_environment: github-hosted }, max_ttl: 10s"))
    expect(organisation.boundaries).toMatchObject([{ name: "a", line: 11, allow: [], maxTtlSeconds: 10 }])
  })

  it("keeps what it says, with where it says it", () => {
    const text = `  - name: shop
    when: { repository: [acme/shop, "acme/shop-*"] }
    allow:
      - { connection: notes }
      - { connection: vault-prod, path: ["kv/*", kv], team: shop }
    require: { runner_environment: github-hosted }
    protected_environment: { required_reviewers: true, deployment_branches: protected }
    max_ttl: 1h
`
    const [boundary] = setOf({}, withBoundaries(text)).organisation.boundaries
    expect(boundary).toMatchObject({
      name: "shop",
      file: "daypass.yaml",
      line: 11,
      when: [{ claim: "repository", test: { kind: "any" } }],
      allow: [
        { connection: "notes", line: 14 },
        { connection: "vault-prod", line: 15 },
      ],
      require: [{ claim: "runner_environment" }],
      protectedEnvironment: { requiredReviewers: true, preventSelfReview: false, deploymentBranches: ["protected"] },
      maxTtlSeconds: 3600,
    })
    expect(boundary?.allow.map(({ fields }) => [...fields.keys()])).toEqual([[], ["path", "team"]])
  })
})

describe("the ceiling cannot be lost", () => {
  const policy = 'version: 1\nrepository: acme/shop\nrepository_id: "41"\ngrants:\n  note: { connection: notes }\n'
  it.each<[string, Record<string, string | Uint8Array>]>([
    ["is deleted", { "p.yaml": policy }],
    ["is empty", { "daypass.yaml": "", "p.yaml": policy }],
    ["has no text but a comment", { "daypass.yaml": "# boundaries\n", "p.yaml": policy }],
    ["is cut off before its boundaries", { "daypass.yaml": one("max_ttl: 1h").slice(0, -20), "p.yaml": policy }],
    ["is not UTF-8", { "daypass.yaml": Uint8Array.of(0xff, 0xfe, 0x00), "p.yaml": policy }],
    ["is renamed", { "daypass.yml": one("max_ttl: 1h"), "p.yaml": policy }],
    ["stands in a folder", { "policies/daypass.yaml": one("max_ttl: 1h"), "p.yaml": policy }],
    [
      "misspells its boundaries",
      { "daypass.yaml": one("max_ttl: 1h").replace("boundaries", "boundarys"), "p.yaml": policy },
    ],
    ["leaves its boundaries empty", { "daypass.yaml": ORGANISATION.replace("[]", ""), "p.yaml": policy }],
    ["makes a map of them", { "daypass.yaml": ORGANISATION.replace("[]", "{}"), "p.yaml": policy }],
  ])("when the organisation file %s: nothing loads", (_, files) => {
    expect(load(files).ok).toBe(false)
  })
})
