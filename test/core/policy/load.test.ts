import { describe, expect, it } from "vitest"
import * as z from "zod"
import { organisationJsonSchema, policyJsonSchema } from "../../../analysis/schemas/json-schema.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { faultsOf, ORGANISATION, policyFaults, policyOf, setOf, shown, subjectOf, TEST_PROVIDERS } from "./support.ts"

const GOOD = policyOf(`allow:
  - name: deploy
    when: { ref: refs/heads/main }
    grants: [note]
grants:
  note: { connection: notes }
`)

/** The good policy with one place changed, which must be there. */
function changed(from: string, to: string, text = GOOD): string {
  if (!text.includes(from)) throw new Error(`the policy has no ${from}`)
  return text.replace(from, to)
}

const secret = (fields: string) => changed("note: { connection: notes }", `note: { connection: vault-prod, ${fields} }`)

describe("a policy file", () => {
  it.each<[string, string, string[], RegExp]>([
    ["an id that is a number", changed('"41"', "41"), ["p.yaml:3:16 type_wrong"], /write it in quotes: "41"/],
    [
      "an id too large for a number",
      changed('"41"', "12345678901234567890"),
      ["p.yaml:3:16 type_wrong"],
      /write it in quotes: "12345678901234567890"/,
    ],
    ["an id that is a name", changed('"41"', "acme"), ["p.yaml:3:16 value_invalid"], /digits/],
    ["an id with a leading zero", changed('"41"', '"041"'), ["p.yaml:3:16 value_invalid"], /digits/],
    ["an empty id", changed('"41"', '""'), ["p.yaml:3:16 value_invalid"], /not empty/],
    ["a list of ids", changed('"41"', '["41"]'), ["p.yaml:3:16 type_wrong"], /must be a text, but is a list/],
    ["no id", changed('repository_id: "41"\n', ""), ["p.yaml:1:1 key_missing"], /"repository_id" is missing/],
    ["no version", changed("version: 1\n", ""), ["p.yaml:1:1 key_missing"], /"version" is missing/],
    ["another version", changed("version: 1", "version: 2"), ["p.yaml:1:10 version_unsupported"], /version: 1/],
    ["a version in quotes", changed("version: 1", 'version: "1"'), ["p.yaml:1:10 version_unsupported"], /version: 1/],
    [
      "a null environment",
      changed("environment: production", "environment:"),
      ["p.yaml:4:13 value_null"],
      /leave the key out/,
    ],
    [
      "an empty environment",
      changed("environment: production", 'environment: ""'),
      ["p.yaml:4:14 value_empty"],
      /which would match nothing/,
    ],
    [
      "an environment that is a boolean",
      changed("environment: production", "environment: true"),
      ["p.yaml:4:14 type_wrong"],
      /write it in quotes: "true"/,
    ],
    ["a look-alike letter in the name", changed("acme/shop", "acmе/shop"), ["p.yaml:2:13 value_invalid"], /ASCII/],
    [
      "a misspelled key at the top",
      changed("environment:", "enviroment:"),
      ["p.yaml:4:1 key_unknown"],
      /Did you mean "environment"/,
    ],
    ["a misspelled when", changed("when:", "wehn:"), ["p.yaml:7:5 key_unknown"], /Did you mean "when"/],
    [
      "an empty when",
      changed("{ ref: refs/heads/main }", "{}"),
      ["p.yaml:7:5 value_empty"],
      /which would match nothing/,
    ],
    ["a null when", changed("{ ref: refs/heads/main }", ""), ["p.yaml:7:11 value_null"], /leave the key out/],
    ["a null condition", changed("refs/heads/main", "~"), ["p.yaml:7:18 value_null"], /which would match nothing/],
    ["an empty pattern", changed("refs/heads/main", '""'), ["p.yaml:7:18 value_empty"], /empty/],
    ["an empty list of patterns", changed("refs/heads/main", "[]"), ["p.yaml:7:18 value_empty"], /empty/],
    [
      "a number in a list of patterns",
      changed("refs/heads/main", "[a, 1]"),
      ["p.yaml:7:22 type_wrong"],
      /write it in quotes: "1"/,
    ],
    [
      "a flag that could be a text",
      changed("refs/heads/main", "{ not: [a, True] }"),
      ["p.yaml:7:29 type_wrong"],
      /write true, or the text in quotes: "True"/,
    ],
    ["a condition that is a number", changed("refs/heads/main", "1"), ["p.yaml:7:18 type_wrong"], /in quotes: "1"/],
    [
      "a pattern with a wrong escape",
      changed("refs/heads/main", '"a\\\\d"'),
      ["p.yaml:7:18 value_invalid"],
      /backslash/,
    ],
    ["a pattern of 257 characters", changed("refs/heads/main", "a".repeat(257)), ["p.yaml:7:18 value_invalid"], /256/],
    ["a misspelled not", changed("refs/heads/main", "{ nt: a }"), ["p.yaml:7:20 key_unknown"], /Did you mean "not"/],
    ["an empty special condition", changed("refs/heads/main", "{}"), ["p.yaml:7:18 value_invalid"], /either/],
    [
      "not and present together",
      changed("refs/heads/main", "{ not: a, present: true }"),
      ["p.yaml:7:18 value_invalid"],
      /either/,
    ],
    ["an empty not", changed("refs/heads/main", "{ not: [] }"), ["p.yaml:7:25 value_empty"], /empty/],
    [
      "a text where present is meant",
      changed("refs/heads/main", '{ present: "true" }'),
      ["p.yaml:7:29 type_wrong"],
      /true or false/,
    ],
    ["no grants in an allow", changed("    grants: [note]\n", ""), ["p.yaml:6:5 key_missing"], /"grants" is missing/],
    ["empty grants in an allow", changed("[note]", "[]"), ["p.yaml:8:13 value_empty"], /empty/],
    ["an empty map of grants", policyOf("grants: {}\n"), ["p.yaml:5:1 value_empty"], /empty/],
    [
      "a rule without a name",
      changed("- name: deploy\n    when", "- when"),
      ["p.yaml:6:5 key_missing"],
      /"name" is missing/,
    ],
    [
      "two rules of one name",
      `${GOOD}deny:\n  - name: deploy\n    when: { actor: bot }\n`,
      ["p.yaml:12:11 rule_duplicate"],
      /line 6/,
    ],
    ["a grant that nobody defined", changed("[note]", "[nots]"), ["p.yaml:8:14 grant_unknown"], /Did you mean "note"/],
    [
      "a denied grant that nobody defined",
      `${GOOD}deny:\n  - { name: d, grants: [x] }\n`,
      ["p.yaml:12:25 grant_unknown"],
      /Defined: note/,
    ],
    [
      "a connection that nobody defined",
      changed("notes", "note"),
      ["p.yaml:10:23 connection_unknown"],
      /Did you mean "notes"/,
    ],
    [
      "an issuer that nobody lists",
      changed("environment:", "issuer: githb\nenvironment:"),
      ["p.yaml:4:9 issuer_unknown"],
      /Did you mean "github"/,
    ],
    [
      "a grant's name in capitals",
      changed("note:", "Note:").replace("[note]", "[Note]"),
      ["p.yaml:8:14 value_invalid", "p.yaml:10:3 value_invalid"],
      /lower-case letter/,
    ],
    [
      "a provider's key misspelled",
      secret("path: kv, taem: shop"),
      ["p.yaml:10:45 key_unknown"],
      /Did you mean "team"/,
    ],
    ["ttl misspelled", secret("path: kv, tll: 5m"), ["p.yaml:10:45 key_unknown"], /Did you mean "ttl"/],
    ["a provider's key missing", secret("team: shop"), ["p.yaml:10:9 key_missing"], /"path" is missing/],
    ["a provider's key wrong", secret('path: "1"'), ["p.yaml:10:41 value_invalid"], /a path has small letters/],
    [
      "a grant at odds with its connection",
      secret("path: kv, team: other"),
      ["p.yaml:10:3 grant_conflict"],
      /its team is none of the connection's/,
    ],
    [
      "a ttl below what the provider can mint",
      secret("path: kv, ttl: 59s"),
      ["p.yaml:10:45 ttl_too_short"],
      /for at least 1m/,
    ],
    ["a ttl of zero", secret("path: kv, ttl: 0s"), ["p.yaml:10:50 value_invalid"], /90s, 15m or 1h/],
    ["a ttl that is a number", secret("path: kv, ttl: 900"), ["p.yaml:10:50 type_wrong"], /write it in quotes/],
    ["a ttl that is a list of maps", secret("path: kv, ttl: [{}]"), ["p.yaml:10:50 type_wrong"], /must be a text/],
    ["a ttl without a whole number", secret("path: kv, ttl: 1.5h"), ["p.yaml:10:50 value_invalid"], /90s, 15m or 1h/],
    ["a list instead of a map", "- a\n", ["p.yaml:1:1 type_wrong"], /The file must be a map, but is a list/],
    ["a text instead of a map", "a\n", ["p.yaml:1:1 type_wrong"], /The file must be a map, but is a text/],
    ["nothing but a head", policyOf(""), ["p.yaml:1:1 key_missing"], /allow, deny or grants/],
  ])("with %s is refused", (_, text, places, message) => {
    const faults = policyFaults(text)
    expect(faults.map(shown)).toEqual(places)
    expect(faults[0]?.message).toMatch(message)
  })

  it("may leave the issuer out only while the organisation lists one", () => {
    const two = ORGANISATION.replace(
      "connections:",
      '  ghes:\n    family: github-actions\n    url: https://ghes.example.com/_services/token\n    owners: { acme: "7" }\nconnections:',
    )
    expect(faultsOf({ "daypass.yaml": two, "p.yaml": GOOD }).map(shown)).toEqual(["p.yaml:1:1 key_missing"])
    expect(setOf({ "p.yaml": changed("environment:", "issuer: ghes\nenvironment:") }, two).policies[0]?.issuer).toBe(
      "ghes",
    )
  })

  it("offers the least of its ttl, the connection's and the provider's, and 15 minutes when it says nothing", () => {
    const ttlOf = (text: string) => setOf({ "p.yaml": text }).policies[0]?.grants.get("note")?.ttlSeconds
    expect(ttlOf(GOOD)).toBe(900)
    expect(ttlOf(changed("connection: notes", "connection: notes, ttl: 48h"))).toBe(86_400)
    expect(ttlOf(secret("path: kv, ttl: 10m"))).toBe(600)
    expect(ttlOf(secret("path: kv, ttl: 2h"))).toBe(1800)
  })
})

describe("an organisation file", () => {
  const with_ = (from: string, to: string) => changed(from, to, ORGANISATION)
  it.each<[string, string, string[], RegExp]>([
    ["an owner's id that is a number", with_('"9001"', "9001"), ["daypass.yaml:6:21 type_wrong"], /in quotes: "9001"/],
    ["no owners", with_('    owners: { acme: "9001" }\n', ""), ["daypass.yaml:4:5 key_missing"], /"owners"/],
    ["empty owners", with_('{ acme: "9001" }', "{}"), ["daypass.yaml:6:5 value_empty"], /empty/],
    ["an issuer over http", with_("https://token", "http://token"), ["daypass.yaml:5:10 value_invalid"], /https/],
    [
      "an issuer on a host that only looks local",
      with_("https://token.", "http://localhost."),
      ["daypass.yaml:5:10 value_invalid"],
      /https/,
    ],
    [
      "an issuer that is no url",
      with_("https://token.actions.githubusercontent.com", "github"),
      ["daypass.yaml:5:10 value_invalid"],
      /https/,
    ],
    ["an unknown family", with_("github-actions", "github"), ["daypass.yaml:4:13 value_invalid"], /"github-actions"/],
    ["no issuers", "version: 1\n", ["daypass.yaml:1:1 key_missing"], /"issuers"/],
    [
      "a boundary that says of nobody whom it is about",
      with_("boundaries: []", "boundaries:\n  - { name: a }"),
      ["daypass.yaml:11:5 key_missing"],
      /"when" is missing/,
    ],
    [
      "boundaries left empty",
      with_("boundaries: []", "boundaries:"),
      ["daypass.yaml:10:12 value_null"],
      /which would match nothing/,
    ],
    [
      "a misspelled switch",
      `${ORGANISATION}require_bound_tokens: true\n`,
      ["daypass.yaml:11:1 key_unknown"],
      /Did you mean "require_bound_token"/,
    ],
    [
      "help at a URL that is not plain",
      `${ORGANISATION}help: { url: "https://wiki.acme.example/#daypass" }\n`,
      ["daypass.yaml:11:14 value_invalid"],
      /the URL of help must be an https URL with its host in lower case/,
    ],
    ["help without a URL", `${ORGANISATION}help: { text: Ask us }\n`, ["daypass.yaml:11:7 key_missing"], /url/],
    [
      "a switch in quotes",
      `${ORGANISATION}require_bound_token: "true"\n`,
      ["daypass.yaml:11:22 type_wrong"],
      /true or false/,
    ],
    [
      "an unknown provider",
      with_("provider: note", "provider: nots"),
      ["daypass.yaml:8:22 provider_unknown"],
      /Did you mean "note"/,
    ],
    [
      "a connection without a provider",
      with_("{ provider: note }", "{ max_ttl: 1h }"),
      ["daypass.yaml:8:10 key_missing"],
      /"provider"/,
    ],
    [
      "a connection's key misspelled",
      with_("teams:", "taems:"),
      ["daypass.yaml:9:15 key_missing", "daypass.yaml:9:68 key_unknown"],
      /"teams" is missing/,
    ],
    [
      "a max_ttl below what the provider can mint",
      with_("max_ttl: 30m", "max_ttl: 30s"),
      ["daypass.yaml:9:83 ttl_too_short"],
      /at least 60s/,
    ],
    [
      "one url twice",
      with_(
        "connections:",
        `  two:\n    family: github-actions\n    url: https://token.actions.githubusercontent.com\n    owners: { evil: "1" }\nconnections:`,
      ),
      ["daypass.yaml:9:10 value_invalid"],
      /already has this url/,
    ],
    [
      "one url twice, once with a slash at its end",
      with_(
        "connections:",
        `  two:\n    family: github-actions\n    url: https://token.actions.githubusercontent.com/\n    owners: { evil: "1" }\nconnections:`,
      ),
      ["daypass.yaml:9:10 value_invalid"],
      /already has this url/,
    ],
    [
      "one url for two families",
      with_(
        "connections:",
        `  two:\n    family: gitlab\n    url: https://token.actions.githubusercontent.com\n    owners: { evil: "1" }\nconnections:`,
      ),
      ["daypass.yaml:9:10 value_invalid"],
      /already has this url/,
    ],
  ])("with %s is refused", (_, text, places, message) => {
    const faults = faultsOf({ "daypass.yaml": text })
    expect(faults.map(shown)).toEqual(places)
    expect(faults[0]?.message).toMatch(message)
  })

  it.each(["http://127.0.0.1:8080", "http://localhost:8080/x", "http://[::1]:1"])(
    "takes the loopback issuer %s",
    (url) => {
      expect(faultsOf({ "daypass.yaml": with_("https://token.actions.githubusercontent.com", url) })).toEqual([])
    },
  )

  it.each([
    "https://token.actions.githubusercontent.com/pages/evil#",
    "https://token.actions.githubusercontent.com?",
    "https://token.actions.githubusercontent.com/a/../b",
    "https://Token.actions.githubusercontent.com",
    "https://token.actions.githubusercontent.com./",
    "https://token.actions.githubusercontent.com:443",
    "https://user@token.actions.githubusercontent.com",
  ])("refuses the issuer %s, whose keys would be fetched from elsewhere or which has a second spelling", (url) => {
    const faults = faultsOf({ "daypass.yaml": with_("https://token.actions.githubusercontent.com", url) })
    expect(faults.map(shown)).toEqual(["daypass.yaml:5:10 value_invalid"])
    expect(faults[0]?.message).toMatch(/an issuer's URL must be an https URL/)
  })

  it("may leave boundaries and connections out", () => {
    expect(faultsOf({ "daypass.yaml": ORGANISATION.replace(/connections:[\s\S]*/, "") })).toEqual([])
  })
})

describe("a folder", () => {
  it("reports all faults of all files together, the organisation's first", () => {
    const faults = faultsOf({
      "a.yaml": changed('"41"', "41").replace("refs/heads/main", "~").replace("[note]", "[nots]"),
      "b.yaml": "a: *b",
      "c.yaml": changed("notes", "note", GOOD.replace("production", "other")),
      "daypass.yaml": ORGANISATION.replace("boundaries: []", "boundries: []").replace('"9001"', "9001"),
    })
    expect(faults.map(shown)).toEqual([
      "daypass.yaml:6:21 type_wrong",
      "daypass.yaml:10:1 key_unknown",
      "a.yaml:3:16 type_wrong",
      "a.yaml:7:18 value_null",
      "a.yaml:8:14 grant_unknown",
      "b.yaml:1:4 yaml_feature",
      "c.yaml:10:23 connection_unknown",
    ])
  })

  it.each<[string, Record<string, string>, string[]]>([
    ["no organisation file", { "p.yaml": GOOD }, ["daypass.yaml:1:1 organisation_missing"]],
    ["nothing at all", {}, ["daypass.yaml:1:1 organisation_missing"]],
    [
      "a second organisation file",
      { "daypass.yaml": ORGANISATION, "acme/daypass.yaml": ORGANISATION },
      ["acme/daypass.yaml:1:1 organisation_misplaced"],
    ],
    [
      "an organisation file that nobody reads",
      { "daypass.yml": ORGANISATION },
      ["daypass.yaml:1:1 organisation_missing", "daypass.yml:1:1 file_name"],
    ],
    ["a policy that nobody reads", { "daypass.yaml": ORGANISATION, "p.yml": GOOD }, ["p.yml:1:1 file_name"]],
    ["a policy in capitals", { "daypass.yaml": ORGANISATION, "P.YAML": GOOD }, ["P.YAML:1:1 file_name"]],
    [
      "a name that breaks a line",
      { "daypass.yaml": ORGANISATION, "p\n::error::x.yaml": GOOD },
      ["p\\u{a}::error::x.yaml:1:1 file_name"],
    ],
    [
      "a name that moves the cursor",
      { "daypass.yaml": ORGANISATION, "p\u009b2J.yaml": GOOD },
      ["p\\u{9b}2J.yaml:1:1 file_name"],
    ],
    ["a path out of the folder", { "daypass.yaml": ORGANISATION, "../p.yaml": GOOD }, ["../p.yaml:1:1 file_name"]],
    ["an empty policy", { "daypass.yaml": ORGANISATION, "p.yaml": "" }, ["p.yaml:1:1 file_empty"]],
    [
      "a grant twice in one environment",
      { "daypass.yaml": ORGANISATION, "a.yaml": GOOD, "b.yaml": GOOD },
      ["b.yaml:10:3 grant_duplicate"],
    ],
    [
      "a grant of another environment",
      {
        "daypass.yaml": ORGANISATION,
        "a.yaml": GOOD,
        "b.yaml": policyOf("allow:\n  - { name: a, grants: [note] }\n", { environment: "staging" }),
      },
      ["b.yaml:6:25 grant_unknown"],
    ],
  ])("with %s does not load", (_, files, places) => {
    expect(faultsOf(files).map(shown)).toEqual(places)
  })

  it("does not load with a file that could not be read, and says why", () => {
    const organisation = { path: "daypass.yaml", bytes: new TextEncoder().encode(ORGANISATION) }
    const refused = { path: "p.yaml", bytes: new Uint8Array(), refused: "It leads out of the folder." }
    const loaded = loadPolicySet([organisation, refused], TEST_PROVIDERS)
    expect(loaded.ok ? [] : loaded.fault).toMatchObject([
      { code: "file_refused", message: "It leads out of the folder." },
    ])
  })

  it("ignores what is no policy: other files, and tests of policies", () => {
    const set = setOf({ "README.md": "# hi", "p.test.yaml": ":::", "p.yaml": GOOD, "notes.txt": "\u0000" })
    expect(set.policyCount).toBe(1)
  })

  it("lets a rule name a grant that another file of the environment defines", () => {
    const set = setOf({
      "a.yaml": policyOf("allow:\n  - { name: a, grants: [note] }\n"),
      "b.yaml": policyOf("grants:\n  note: { connection: notes }\n", { repository: "acme/renamed" }),
    })
    expect(set.policiesOf(subjectOf("41")).map(({ file }) => file)).toEqual(["a.yaml", "b.yaml"])
  })

  it("finds the policies of one repository, and none of any other", () => {
    const set = setOf({ "a.yaml": GOOD, "b.yaml": GOOD.replace('"41"', '"42"') })
    expect(set.policiesOf(subjectOf("42")).map(({ file }) => file)).toEqual(["b.yaml"])
    for (const [issuer, id] of [
      ["github", "4"],
      ["github", "41 "],
      ["ghes", "41"],
      ["github", "__proto__"],
      ["__proto__", "41"],
    ] as const) {
      expect(set.policiesOf(subjectOf(id, issuer))).toEqual([])
    }
  })
})

describe("the JSON Schemas for editors", () => {
  // zod reads no `anyOf` beside `properties`: what it says is held against the file by itself.
  const { anyOf, ...policySchema } = policyJsonSchema(TEST_PROVIDERS) as z.core.JSONSchema.JSONSchema
  const whole = z.fromJSONSchema(policySchema)
  const either = z.fromJSONSchema({ anyOf: (anyOf ?? []).map((one) => ({ type: "object", ...(one as object) })) })
  const policy = {
    safeParse: (value: unknown) => ({ success: [whole, either].every((one) => one.safeParse(value).success) }),
  }
  const organisation = z.fromJSONSchema(organisationJsonSchema(TEST_PROVIDERS) as z.core.JSONSchema.JSONSchema)
  const rule = { name: "a", when: { ref: ["a"], x: { not: "b" }, y: { present: true } }, grants: ["g"] }
  const file = { version: 1, repository: "a/b", repository_id: "41", allow: [rule] }
  const grants = (fields: object) => ({ ...file, grants: { g: { connection: "c", ...fields } } })

  it.each<[string, unknown, boolean]>([
    ["a good policy", grants({ path: "kv", ttl: "5m" }), true],
    ["a grant of another provider", grants({ text: "hi" }), true],
    ["a misspelled key of a grant", grants({ path: "kv", taem: "x" }), false],
    ["no id", { ...file, repository_id: undefined }, false],
    ["a pattern without an id", { version: 1, repository: "a/b-*", allow: [rule] }, true],
    ["an id that is a number", { ...file, repository_id: 41 }, false],
    ["a misspelled key", { ...file, enviroment: "x" }, false],
    ["an empty list", { ...file, allow: [] }, false],
    ["another version", { ...file, version: 2 }, false],
  ])("say of %s what the loader says", (_, value, expected) => {
    expect(policy.safeParse(value).success).toBe(expected)
  })

  it("know each provider's connections", () => {
    const issuers = { github: { family: "github-actions", url: "https://x.example", owners: { acme: "1" } } }
    const valid = (connection: object) =>
      organisation.safeParse({ version: 1, issuers, connections: { c: connection } }).success
    expect(valid({ provider: "note", max_ttl: "1h" })).toBe(true)
    expect(valid({ provider: "vault", url: "u", teams: ["a"] })).toBe(true)
    expect(valid({ provider: "vault" })).toBe(false)
    expect(valid({ provider: "other" })).toBe(false)
  })
})
