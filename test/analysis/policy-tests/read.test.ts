import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_FILE_BYTES } from "../../../broker/core/policy/yaml-guard.ts"
import { setOf } from "../../core/policy/support.ts"
import { runs } from "../../support/laws.ts"
import { HEAD, ORGANISATION, oneTest, readTests, shownFault, worldOf } from "./support.ts"

const WORLD = worldOf()
const faultsOf = (text: string | Uint8Array, set: typeof WORLD | null = WORLD) => {
  const read = readTests(text, set)
  return read.ok ? [] : read.fault.map(shownFault)
}
const only = (text: string) => {
  const read = readTests(text, WORLD)
  if (!read.ok) throw new Error(read.fault.map(shownFault).join("\n"))
  const [test, ...others] = read.value
  expect(others).toEqual([])
  if (!test) throw new Error("there is no test")
  return test
}

describe("a file of policy tests", () => {
  it("says of each test what is asked, by whom, and what is expected", () => {
    const test = only(
      oneTest(
        "ttl: 5m, bound: false, expect: allow, by: deploy from main, ttl_granted: 5m, environment_protection: { required_reviewers: true }",
      ),
    )
    expect(test).toMatchObject({
      name: "the test",
      file: "p.test.yaml",
      line: 7,
      column: 5,
      issuer: "github",
      grants: ["note"],
      ttlSeconds: 300,
      bound: false,
      protection: {
        known: true,
        protection: { requiredReviewers: true, preventSelfReview: false, deploymentBranches: "all" },
      },
      expected: { outcome: "allow", by: "deploy from main", ttlSeconds: 300 },
    })
    expect(test.claims).toMatchObject({
      iss: "https://token.actions.githubusercontent.com",
      repository: "acme/shop",
      repository_id: "41",
      repository_owner_id: "9001",
      environment: "production",
    })
  })

  it("takes tokens for bound, and how an environment is protected for unknown, when it does not say", () => {
    expect(only(oneTest("expect: deny"))).toMatchObject({ bound: true, protection: { known: false } })
  })

  it("lets a test replace every one of the defaults", () => {
    const test = only(`version: 1
defaults:
  sample: github-environment
  issuer: github
  claims: { repository: acme/shop, ref: refs/heads/x, actor: defaulted }
  without: [head_ref, base_ref]
  grants: [note]
  ttl: 1m
  bound: false
  environment_protection: { required_reviewers: true }
tests:
  - name: the test
    sample: github-pull-request
    claims: { ref: refs/heads/y, head_ref: there }
    without: [actor]
    grants: [other]
    ttl: 2m
    bound: true
    environment_protection: { deployment_branches: custom }
    expect: deny
`)
    expect(test).toMatchObject({
      grants: ["other"],
      ttlSeconds: 120,
      bound: true,
      protection: { protection: { requiredReviewers: false, deploymentBranches: "custom" } },
      claims: { repository: "acme/shop", ref: "refs/heads/y", head_ref: "there", event_name: "pull_request" },
    })
    expect(test.claims).not.toHaveProperty("actor")
    expect(test.claims).not.toHaveProperty("base_ref")
  })

  it("inherits no ids for a test that names another repository", () => {
    const read = readTests(
      `version: 1
defaults:
  sample: github-environment
  claims: { repository: acme/shop, repository_id: "41", repository_owner_id: "9001" }
  grants: [note]
tests:
  - { name: another, claims: { repository: acme/other, repository_id: "77" }, expect: deny }
  - { name: by name, claims: { repository: acme/svc-mail }, expect: allow }
  - { name: a new name, claims: { repository: acme/renamed, repository_id: "41" }, expect: allow }
  - { name: a stranger, claims: { repository: evil/shop, repository_id: "41" }, expect: deny }
`,
      WORLD,
    )
    const ids = read.ok ? read.value.map(({ claims }) => [claims["repository_id"], claims["repository_owner_id"]]) : []
    const nobody = "99999999999999999999"
    expect(ids).toEqual([
      ["77", "9001"],
      [nobody, "9001"],
      ["41", "9001"],
      ["41", nobody],
    ])
  })

  it("is one of the folder's files, in the order of their names; others are not read", () => {
    const read = readTests(
      {
        "b.test.yaml": oneTest("expect: deny"),
        "a.test.yaml": oneTest("expect: deny"),
        "c.yaml": "::",
        "d.test.yml": "",
      },
      WORLD,
    )
    expect(read.ok && read.value.map(({ file }) => file)).toEqual(["a.test.yaml", "b.test.yaml"])
  })
})

describe("a fault", () => {
  it.each<[string, string, string]>([
    [
      "a misspelled key",
      oneTest("expect: deny, grnats: [note]"),
      '7:37 key_unknown The key "grnats" is unknown here. Did you mean "grants"?',
    ],
    ["a misspelled key of the defaults", oneTest("expect: deny").replace("sample", "smaple"), "3:3 key_unknown"],
    [
      "a misspelled sample",
      oneTest("sample: github-brunch, expect: deny"),
      '7:31 value_invalid tests[0].sample must be one of "github-branch"',
    ],
    [
      "a misspelled claim",
      oneTest("claims: { evnt_name: push }, expect: deny"),
      '7:33 key_unknown There is no claim "evnt_name". Did you mean "event_name"?',
    ],
    ["a misspelled claim that is left out", oneTest("without: [evnt_name], expect: deny"), "7:33 key_unknown"],
    ["a claim that no object has", oneTest("claims: { constructor: x }, expect: deny"), "7:33 key_unknown"],
    [
      "a number where a text is meant",
      oneTest("claims: { repository_id: 41 }, expect: deny"),
      '7:48 type_wrong tests[0].claims.repository_id must be a text, but 41 is a number: write it in quotes: "41"',
    ],
    ["no expectation", oneTest("ttl: 5m"), '7:5 key_missing The required key "expect" is missing'],
    ["another expectation", oneTest("expect: maybe"), "7:31 value_invalid"],
    [
      "a code beside allow",
      oneTest("expect: allow, code: not_allowed"),
      "7:44 value_invalid tests[0].code: is only allowed with expect: deny.",
    ],
    [
      "a lifetime beside deny",
      oneTest("expect: deny, ttl_granted: 5m"),
      "7:50 value_invalid tests[0].ttl_granted: is only allowed with expect: allow.",
    ],
    ["a code that no decision has", oneTest("expect: deny, code: lease_not_found"), "7:43 value_invalid"],
    [
      "a misspelled grant",
      oneTest("grants: [ntoe], expect: deny"),
      '7:32 grant_unknown No policy defines a grant "ntoe". Did you mean "note"?',
    ],
    ["a grant asked for twice", oneTest("grants: [note, note], expect: deny"), "7:38 value_invalid"],
    [
      "a misspelled rule",
      oneTest("expect: allow, by: deploy form main"),
      '7:42 value_invalid There is no rule or boundary "deploy form main". Did you mean "deploy from main"?',
    ],
    [
      "a misspelled repository",
      oneTest("claims: { repository: acme/shpo }, expect: deny"),
      '7:45 value_invalid No policy covers this repository. Did you mean "acme/shop"?',
    ],
    [
      "an owner that nobody knows",
      oneTest("claims: { repository: evil/shop }, expect: deny"),
      "7:45 value_invalid No policy covers this repository.",
    ],
    [
      "an unknown issuer",
      oneTest("issuer: gitlab, expect: deny"),
      '7:31 issuer_unknown The sample is a token of the family github-actions. "gitlab" is not an issuer of that family.',
    ],
    [
      "a claim that is there and left out",
      oneTest("claims: { ref: x }, without: [ref], expect: deny"),
      "7:53 value_invalid",
    ],
    ["an empty map of claims", oneTest("claims: {}, expect: deny"), "7:23 value_empty"],
    ["an empty protection", oneTest("environment_protection: {}, expect: deny"), "7:23 value_empty"],
    ["no claim", oneTest("claims: , expect: deny"), "7:31 value_null"],
    ["no name", `${HEAD}  - { expect: deny }\n`, '7:5 key_missing The required key "name" is missing'],
    ["a name of two lines", `${HEAD}  - { name: "a\\nb", expect: deny }\n`, "7:13 value_invalid"],
    ["no tests", "version: 1\ntests: []\n", "2:8 value_empty"],
    ["another version", oneTest("expect: deny").replace("1", "2"), "1:10 version_unsupported"],
    [
      "no sample",
      "version: 1\ntests:\n  - { name: a, claims: { repository: acme/shop }, grants: [note], expect: deny }\n",
      '3:5 key_missing The key "sample" is missing here and in the defaults',
    ],
    [
      "no grants",
      "version: 1\ntests:\n  - { name: a, sample: github-branch, claims: { repository: acme/shop }, expect: deny }\n",
      '3:5 key_missing The key "grants" is missing',
    ],
    [
      "no repository",
      "version: 1\ntests:\n  - { name: a, sample: github-branch, grants: [note], expect: deny }\n",
      '3:5 key_missing The key "repository" is missing',
    ],
    ["an alias", "version: 1\ntests: &a\n  - *a\n", "2:8 yaml_feature"],
    ["a tab", "version: 1\n\ttests: []\n", "2:1 character_forbidden"],
  ])("stands where it is: %s", (_, text, expected) => {
    const [first = "none", ...others] = faultsOf(text)
    expect(first).toContain(expected)
    expect(others).toEqual([])
  })

  it("is two tests of one name", () => {
    const text = `${oneTest("expect: deny")}  - { name: the test, expect: allow }\n`
    expect(faultsOf(text)).toEqual([
      '8:13 value_invalid The test in line 7 has the name "the test" too. Give each test its own name.',
    ])
  })

  it("is a repository of several ids, as long as the test does not say which", () => {
    const world = worldOf({
      "a.yaml":
        'version: 1\nrepository: acme/twin\nrepository_id: "7"\nenvironment: e\nallow: [{ name: a, grants: [n] }]\ngrants: { n: { connection: notes } }\n',
      "b.yaml":
        'version: 1\nrepository: acme/twin\nrepository_id: "8"\nenvironment: e\nallow: [{ name: a, grants: [n] }]\ngrants: { n: { connection: notes } }\n',
    })
    const test = (claims: string) =>
      `version: 1\ntests: [{ name: a, sample: github-branch, claims: ${claims}, grants: [n], expect: deny }]\n`
    expect(faultsOf(test("{ repository: acme/twin }"), world)).toEqual([
      expect.stringContaining("several ids for this repository (7, 8)"),
    ])
    expect(faultsOf(test('{ repository: acme/twin, repository_id: "8" }'), world)).toEqual([])
  })

  it("is a repository that only another issuer's policies speak of, and the issuer is named", () => {
    const world = setOf(
      {
        "a.yaml":
          'version: 1\nissuer: github\nrepository: acme/shop\nrepository_id: "41"\nenvironment: e\nallow: [{ name: a, grants: [n] }]\ngrants: { n: { connection: notes } }\n',
      },
      ORGANISATION.replace(
        "connections:",
        `  ghes: { family: github-actions, url: "https://ghes.acme.example/_services/token", owners: { acme: "9001" } }\nconnections:`,
      ),
    )
    const test = (issuer: string) =>
      `version: 1\ntests: [{ name: a, sample: github-branch, issuer: ${issuer}, claims: { repository: acme/shop }, grants: [n], expect: deny }]\n`
    expect(faultsOf(test("ghes"), world)).toEqual([
      expect.stringContaining("No policy of issuer ghes covers this repository."),
    ])
    expect(faultsOf(test("github"), world)).toEqual([])
  })

  it("is told once, when the defaults have it for every test", () => {
    const tests = Array.from({ length: 50 }, (_, index) => `  - { name: t${index}, expect: deny }\n`).join("")
    expect(faultsOf(HEAD.replace("acme/shop", "acme/shpo") + tests)).toHaveLength(1)
  })

  it("is told of all files and all tests together", () => {
    const read = readTests({ "a.test.yaml": oneTest("expect: no"), "b.test.yaml": "" }, WORLD)
    expect(read.ok ? [] : read.fault.map(({ file, code }) => `${file} ${code}`)).toEqual([
      "a.test.yaml value_invalid",
      "b.test.yaml file_empty",
    ])
  })

  it("of the form is told even when the folder has faults of its own", () => {
    expect(faultsOf(oneTest("expect: deny, grnats: [x]"), null)).toHaveLength(1)
    expect(faultsOf(oneTest("grants: [nobody-knows], expect: deny"), null)).toEqual([])
  })
})

describe("bad input", () => {
  it.each<[string, string | Uint8Array, string]>([
    ["10 MiB", new Uint8Array(10 << 20).fill(0x61), "file_too_large"],
    ["bytes that are not UTF-8", new Uint8Array([0xff, 0xfe, 0x00]), "not_utf8"],
    ["brackets 10,000 deep", "[".repeat(10_000), "yaml_too_deep"],
    [
      "claims in claims",
      oneTest(`claims: { ref: ${"{ a: ".repeat(20)}x${" }".repeat(20)} }, expect: deny`),
      "yaml_too_deep",
    ],
    ["a file of stars", "*".repeat(60_000), "yaml_feature"],
    ["NUL", "version: 1\u0000", "character_forbidden"],
    ["a byte order mark", "\ufeffversion: 1\n", "character_forbidden"],
  ])("%s is a located fault", (_, text, code) => {
    const read = readTests(text, WORLD)
    expect(read.ok ? [] : read.fault.map((fault) => fault.code)).toContain(code)
    for (const { line, column } of read.ok ? [] : read.fault) expect([line > 0, column > 0]).toEqual([true, true])
  })

  it("as long as a file can be, with a fault in every line, is read to its end", () => {
    const line = (index: number) => `  - { name: n${index}, by: r${index}, claims: { c${index}: x }, expect: deny }\n`
    let text = HEAD
    for (let index = 0; text.length + 80 < MAX_FILE_BYTES; index++) text += line(index)
    const faults = faultsOf(text)
    expect(faults.length).toBe(2 * (text.split("\n").length - 7))
  })

  it("never makes the reader throw", () => {
    const word = fc.constantFrom(
      ...["version", "tests", "defaults", "name", "claims", "sample", "expect", "grants", "without", "constructor"],
    )
    const scalar = fc.oneof(fc.constantFrom("1", "allow", "deny", "github-branch", "note", "null", "{}", "[]"), word)
    const { node } = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie("node"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
        fc
          .array(fc.tuple(word, tie("node")), { maxLength: 5 })
          .map((entries) => `{ ${entries.map(([key, value]) => `${key}: ${value}`).join(", ")} }`),
      ),
    }))
    const text = fc.oneof(
      node,
      fc.tuple(node).map(([body]) => oneTest(`claims: ${body}, expect: deny`)),
      fc.string(),
    )
    fc.assert(
      fc.property(text, (some) => {
        for (const set of [WORLD, null]) {
          const read = readTests(some, set)
          if (!read.ok) expect(read.fault.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: runs(1000) },
    )
  })
})
