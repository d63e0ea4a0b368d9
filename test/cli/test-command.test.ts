import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { SAMPLE_NAMES } from "../../analysis/policy-tests/samples.ts"
import { DENIAL_CODES, policyTestSchema } from "../../analysis/policy-tests/schema.ts"
import { readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import { PROBLEMS } from "../../broker/wire/error-codes.ts"
import { folderOf, ORGANISATION, POLICY, runCli } from "./run-cli.ts"

const FILES = { "daypass.yaml": ORGANISATION, "octo-org/octo-repo/production.yaml": POLICY }
const TESTS = "octo-org/octo-repo/production.test.yaml"

const HEAD = `version: 1
defaults:
  sample: github-environment
  claims: { repository: octo-org/octo-repo, environment: Production }
  grants: [aws-deploy]
tests:
`
const DEPLOYS = "  - { name: main deploys, expect: allow, by: deploy from main, ttl_granted: 1h }\n"
const REFUSES =
  "  - { name: our own runners do not, claims: { runner_environment: self-hosted }, expect: deny, by: never on our own runners }\n"
const FAILS = "  - { name: every branch deploys, claims: { ref: refs/heads/x }, expect: allow }\n"

const folderWith = (...tests: string[]) => folderOf({ ...FILES, [TESTS]: HEAD + tests.join("") })

/** Runs the command; the folder's own path is left out of what it prints. */
async function runTest(folder: string, ...args: string[]) {
  const { code, out, err } = await runCli("test", folder, ...args)
  return { code, out: out.replaceAll(folder, "policies"), err }
}

describe("daypass test", () => {
  it("counts what passed and what the tests exercise, and ends with 0", async () => {
    const { code, out, err } = await runTest(folderWith(DEPLOYS, REFUSES))
    expect([code, err]).toEqual([0, ""])
    expect(out).toMatchInlineSnapshot(
      `"2 tests: 2 passed, 0 failed. Exercised: 2 of 2 rules (100%). Granted: 1 of 1 grant."`,
    )
  })

  it("says of each failure what decided and why, and ends with 1", async () => {
    const { code, out, err } = await runTest(folderWith(DEPLOYS, REFUSES, FAILS))
    expect([code, err]).toEqual([1, ""])
    expect(out).toMatchInlineSnapshot(`
      "policies/octo-org/octo-repo/production.test.yaml:9:5: error: "every branch deploys" fails. Expected allow, but the job is denied (not_allowed). aws-deploy: The allow rule "deploy from main" (octo-org/octo-repo/production.yaml:6) does not match: ref must be refs/heads/main, but is refs/heads/x. [test_failed]
      3 tests: 2 passed, 1 failed. Exercised: 2 of 2 rules (100%). Granted: 1 of 1 grant."
    `)
  })

  it("names every rule and every grant that no test exercises", async () => {
    const denied = "  - { name: no branch deploys, claims: { ref: refs/heads/x }, expect: deny }\n"
    const { code, out } = await runTest(folderWith(denied))
    expect(code).toBe(0)
    expect(out).toMatchInlineSnapshot(`
      "policies/octo-org/octo-repo/production.yaml:6:1: notice: No test gets a grant by the allow rule "deploy from main". [rule_untested]
      policies/octo-org/octo-repo/production.yaml:10:1: notice: No test is refused by the deny rule "never on our own runners". [rule_untested]
      policies/octo-org/octo-repo/production.yaml:13:1: notice: No test gets the grant aws-deploy. [grant_untested]
      1 test: 1 passed, 0 failed. Exercised: 0 of 2 rules (0%). Granted: 0 of 1 grant."
    `)
  })

  it("writes all of it as JSON", async () => {
    const { code, out } = await runTest(folderWith(DEPLOYS, FAILS), "--json")
    expect(code).toBe(1)
    const report = JSON.parse(out)
    expect(report).toMatchObject({
      ok: false,
      passed: 1,
      failed: 1,
      tests: [
        {
          name: "main deploys",
          file: TESTS,
          line: 7,
          passed: true,
          decision: "allow",
          code: "allowed",
          ttl_seconds: 3600,
        },
        {
          name: "every branch deploys",
          line: 8,
          passed: false,
          issuer: "github",
          expected: "allow",
          decision: "deny",
          code: "not_allowed",
        },
      ],
      coverage: {
        percent: 50,
        rules: [
          { kind: "allow", name: "deploy from main", line: 6, exercised: true },
          { kind: "deny", name: "never on our own runners", line: 10, exercised: false },
        ],
        grants: [{ name: "aws-deploy", granted: true }],
      },
      findings: [
        { severity: "error", code: "test_failed" },
        { severity: "notice", code: "rule_untested" },
      ],
    })
    expect(report.tests[1].trace.grants[0].reason).toContain("ref must be refs/heads/main")
  })

  it("annotates the lines of a pull request", async () => {
    const { out } = await runTest(folderWith(REFUSES, FAILS), "--format", "github")
    const [failure = "", ...notices] = out.split("\n")
    expect(failure).toMatch(/^::error file=[^,]*production\.test\.yaml,line=8,col=5,title=test%3A test_failed::/)
    expect(notices.slice(0, 2)).toEqual([
      expect.stringMatching(/^::notice file=[^,]*production\.yaml,line=6,col=1,title=test%3A rule_untested::/),
      expect.stringMatching(/^::notice file=[^,]*production\.yaml,line=13,col=1,title=test%3A grant_untested::/),
    ])
  })

  it.each<[number, readonly string[], readonly string[]]>([
    [0, [DEPLOYS, REFUSES], ["--min-coverage", "100"]],
    [1, [DEPLOYS], ["--min-coverage", "51"]],
    [0, [DEPLOYS], ["--min-coverage", "50"]],
    [0, [DEPLOYS, FAILS], ["--filter", "main"]],
    [1, [DEPLOYS, FAILS], ["--filter", "branch"]],
    [0, [DEPLOYS], ["--filter", "octo-repo/production"]],
  ])("ends with %i for %j and %j", async (expected, tests, args) => {
    expect((await runTest(folderWith(...tests), ...args)).code).toBe(expected)
  })

  it("says nothing of coverage when it runs some tests only", async () => {
    const { out } = await runTest(folderWith(DEPLOYS, FAILS), "--filter", "main")
    expect(out).toBe("1 test: 1 passed, 0 failed.")
    const report = JSON.parse((await runTest(folderWith(DEPLOYS), "--filter", "main", "--json")).out)
    expect([report.ok, report.coverage]).toEqual([true, null])
  })

  it.each<[string, string, readonly string[], string]>([
    ["a folder without tests", folderOf(FILES), [], "The folder has no policy test"],
    [
      "a filter that no test fits",
      folderWith(DEPLOYS),
      ["--filter", "nothing"],
      'No policy test has "nothing" in its name or file.',
    ],
  ])("ends with 1 for %s: a pipeline that tests nothing is not well", async (_, folder, args, said) => {
    const { code, out } = await runTest(folder, ...args)
    expect(code).toBe(1)
    expect(out).toContain(`policies/daypass.yaml:1:1: error: ${said}`)
    expect(out).toContain("[tests_missing]\n1 error: no test ran.")
  })

  it("runs nothing when a policy or a test has a fault, and names the faults of both", async () => {
    const folder = folderOf({
      ...FILES,
      "octo-org/octo-repo/production.yaml": POLICY.replace("event_name", "evnt_name:").replace("when", "wehn"),
      [TESTS]: `${HEAD}  - { name: a, expcet: allow }\n`,
    })
    const { code, out } = await runTest(folder)
    expect(code).toBe(1)
    expect(out).toMatch(/production\.yaml:\d+:\d+: error: /)
    expect(out).toMatch(
      /production\.test\.yaml:7:16: error: The key "expcet" is unknown here\. Did you mean "expect"\?/,
    )
    expect(out).toMatch(/errors: no test ran\.$/)
  })

  it("prints foreign text so that it commands nothing", async () => {
    const name = '"::error::\\u001b[31m##[group]"'
    const folder = folderWith(`  - { name: ${name.replaceAll("\\u001b", "")}, expect: deny }\n`)
    for (const format of ["text", "github", "json"]) {
      const { out } = await runTest(folder, "--format", format)
      expect(out.split("\n").filter((line) => /^\s*::(?!error file=|notice file=)|##\[/.test(line))).toEqual([])
    }
  })

  it.each<[string, string[]]>([
    ["two folders", ["a", "b"]],
    ["an unknown option", ["a", "--all"]],
    ["an unknown format", ["a", "--format", "xml"]],
    ["coverage that is no percentage", ["a", "--min-coverage", "101"]],
    ["coverage that is no number", ["a", "--min-coverage", "1.5"]],
    ["an empty filter", ["a", "--filter", ""]],
    ["coverage of a part", ["a", "--filter", "x", "--min-coverage", "1"]],
  ])("says how it is used for %s, and ends with 2", async (_, args) => {
    const { code, out, err } = await runCli("test", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("Usage: daypass test [DIR]")
  })

  it("ends with 2 when the folder cannot be read", async () => {
    expect(await runCli("test", "/nowhere/at/all")).toMatchObject({ code: 2, out: "" })
  })

  it("knows only codes that an exchange can answer with", () => {
    expect(DENIAL_CODES.filter((code) => !(code in PROBLEMS))).toEqual([])
  })
})

describe("the example policies", () => {
  it("pass their tests, which exercise all of them", async () => {
    const { code, out } = await runCli("test", "examples/policies", "--min-coverage", "100")
    expect(out).toMatch(
      /^\d+ tests: \d+ passed, 0 failed\. Exercised: (\d+) of \1 rules \(100%\)\. Granted: (\d+) of \2 grants\.$/,
    )
    expect(code).toBe(0)
  })
})

describe("docs/policy-tests.md", () => {
  const page = readFileSync("docs/policy-tests.md", "utf8")
  const blocks = [...page.matchAll(/^```yaml test\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "")

  it.each(blocks.map((block, index) => [index + 1, block] as const))(
    "shows in block %i tests that pass",
    async (_, block) => {
      const policies = readPolicyFolder("examples/policies")
        .filter(({ path }) => !path.endsWith(".test.yaml"))
        .map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)] as const)
      const folder = folderOf({ ...Object.fromEntries(policies), "page.test.yaml": block })
      expect(await runCli("test", folder, "--filter", "page.test.yaml")).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^\d+ tests?: \d+ passed, 0 failed\.$/),
      })
    },
  )

  it("shows several, and what the example's own tests print", async () => {
    expect(blocks.length).toBeGreaterThan(1)
    expect(page).toContain((await runCli("test", "examples/policies")).out)
  })

  it("names every sample, every key, every code of a denial and of the command's own", () => {
    const named = new Set([...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]))
    const job = Object.keys(policyTestSchema.shape.tests.element.shape)
    const own = ["test_failed", "tests_missing", "rule_untested", "grant_untested"]
    for (const name of [...SAMPLE_NAMES, ...job, ...DENIAL_CODES, ...own]) expect([...named]).toContain(name)
    const ofGitHub = (name: string | undefined) => name?.startsWith("github-")
    expect([...named].filter(ofGitHub).sort()).toEqual(SAMPLE_NAMES.filter(ofGitHub).sort())
  })
})
