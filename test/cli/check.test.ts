import { basename, dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { folderOf, ORGANISATION, POLICY, runCli, runScripted } from "./run-cli.ts"

const GOOD = folderOf({ "daypass.yaml": ORGANISATION, "octo-org/octo-repo/production.yaml": POLICY })
const BAD = folderOf({
  "daypass.yaml": ORGANISATION,
  "a.yaml": POLICY.replace('"456789"', "456789").replace("ttl: 1h", "tll: 1h"),
  "b.yml": POLICY,
})

/** Loads, with a wide pattern, below a ceiling that asks for more than the policy does. */
const DOUBTFUL = folderOf({
  "daypass.yaml": `${ORGANISATION}boundaries:
  - name: all
    when: { repository_owner_id: "123456" }
    allow: [{ connection: aws-prod }]
    require: { ref_type: tag }
`,
  "a.yaml": POLICY.replace("refs/heads/main", "refs/heads/r/**"),
})

describe("daypass check", () => {
  it("says of a clean folder what is in it, and ends with 0", async () => {
    const { code, out, err } = await runCli("check", GOOD)
    expect([code, err]).toEqual([0, ""])
    expect(out).toMatch(/^1 policy in 2 files, no faults\. Version [0-9a-f]{64}$/)
  })

  it("lists every fault as FILE:LINE:COLUMN, and ends with 1", async () => {
    const { code, out, err } = await runCli("check", BAD)
    expect([code, err]).toEqual([1, ""])
    expect(out.split("\n")).toEqual([
      `${join(BAD, "a.yaml")}:3:16: error: repository_id must be a text, but 456789 is a number: write it in quotes: "456789" [type_wrong]`,
      `${join(BAD, "a.yaml")}:16:5: error: The key "tll" is unknown here. Did you mean "ttl"? [key_unknown]`,
      `${join(BAD, "b.yml")}:1:1: error: The name of a policy file must end in .yaml: rename this file. [file_name]`,
      "3 errors: the broker would not load this folder.",
    ])
  })

  it.each([
    ["buildkite", "pipeline", '"f892efa9-103e-4d28-97a1-3b8616a0994d"', "build_branch"],
    ["gitlab", "project", '"72"', "ref"],
  ])("says that a branch of %s is a name without refs/heads/", async (family, unit, owner, claim) => {
    const folder = folderOf({
      "daypass.yaml": `version: 1
issuers:
  ci: { family: ${family}, url: "https://ci.example.com", owners: { acme: ${owner} } }
connections:
  vault: { provider: identity-token, audiences: ["https://vault.example.com"] }
`,
      "a.yaml": `version: 1
${unit}: acme/svc-*
allow:
  - { name: main, when: { ${claim}: refs/heads/main }, grants: [vault] }
grants:
  vault: { connection: vault, audience: "https://vault.example.com" }
`,
    })
    const { out } = await runCli("check", folder)
    expect(out).toMatch(
      /a\.yaml:4:\d+: warning: .*The allow "main" matches no job\. Write "main"\. \[value_never_sent\]/,
    )
    expect(out).toContain(`${claim} is never "refs/heads/main": it is a branch's name without refs/heads/`)
  })

  it("finds secrets that lie in the clear, whoever names them, and repeats none", async () => {
    const folder = folderOf({
      "daypass.yaml": ORGANISATION,
      "secrets/shop.sops.env": "# of the shop\nPASSWORD=hunter2\n",
    })
    const { code, out } = await runCli("check", folder)
    expect(code).toBe(1)
    expect(out).toContain("secrets/shop.sops.env:2:1: error: This file is not encrypted.")
    expect(out).toContain("[secret_plaintext]")
    expect(out).not.toContain("hunter2")
  })

  it("prints no line break and no escape sequence of a file's or a key's", async () => {
    const organisation = ORGANISATION.replace("  github:", '  "git\\n::warning::x":')
    const policy = POLICY.replace("repository:", "issuer: other\nrepository:")
    const folder = folderOf({ "daypass.yaml": organisation, "p.yaml": policy, "\n::error::q\u001b[2J.yaml": POLICY })
    const { code, out } = await runCli("check", folder)
    expect(code).toBe(1)
    expect(out).toContain("Known: git\\u{a}::warning::x.")
    expect(out).toContain("\\u{a}::error::q\\u{1b}[2J.yaml:1:1")
    expect(out.split("\n").some((line) => line.startsWith("::"))).toBe(false)
    expect(out).not.toContain("\u001b")
  })

  it("writes the same as JSON", async () => {
    const good = JSON.parse((await runCli("check", GOOD, "--json")).out)
    expect(good).toEqual({
      ok: true,
      files: 2,
      policies: 1,
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
      findings: [],
      acknowledged: [],
      grants: [{ file: "octo-org/octo-repo/production.yaml", line: 13, grant: "aws-deploy", inside: "no boundary" }],
    })
    const run = await runCli("check", "--json", BAD)
    const bad = JSON.parse(run.out)
    expect(run.code).toBe(1)
    expect(bad).toMatchObject({ ok: false, files: 3, policies: null, version: null })
    expect(bad.findings[0]).toEqual({
      severity: "error",
      file: "a.yaml",
      line: 3,
      column: 16,
      code: "type_wrong",
      message: expect.stringContaining("in quotes"),
    })
  })

  it("takes --json and --format json for the same, together as well", async () => {
    const { out } = await runCli("check", BAD, "--json")
    expect((await runCli("check", BAD, "--format", "json")).out).toBe(out)
    expect((await runCli("check", BAD, "--json", "--format", "json")).out).toBe(out)
  })

  it("annotates the lines of a pull request for GitHub, with paths from the repository's root", async () => {
    const cwd = dirname(BAD)
    const { code, out, err } = await runScripted({ cwd }, "check", BAD, "--format", "github")
    expect([code, err]).toEqual([1, ""])
    const name = basename(BAD)
    expect(out.split("\n")).toEqual([
      `::error file=${name}/a.yaml,line=3,col=16,title=check%3A type_wrong::repository_id must be a text, but 456789 is a number: write it in quotes: "456789"`,
      `::error file=${name}/a.yaml,line=16,col=5,title=check%3A key_unknown::The key "tll" is unknown here. Did you mean "ttl"?`,
      `::error file=${name}/b.yml,line=1,col=1,title=check%3A file_name::The name of a policy file must end in .yaml: rename this file.`,
      "3 errors: the broker would not load this folder.",
    ])
  })

  it("starts no workflow command with the name of a file in the folder where it runs", async () => {
    const folder = folderOf({ "daypass.yaml": ORGANISATION, "::add-path::x.yml": POLICY, "##[add-path]y.yml": POLICY })
    const before = process.cwd()
    process.chdir(folder)
    try {
      for (const format of ["text", "github"]) {
        const { code, out } = await runScripted({ cwd: folder }, "check", ".", "--format", format)
        expect(code).toBe(1)
        expect(out.split("\n").filter((line) => /^\s*::(?!error file=)/.test(line))).toEqual([])
        expect(out).toContain("add-path")
        expect(out).not.toContain("##[")
      }
    } finally {
      process.chdir(before)
    }
  })

  it("adds warnings and notices, each with its page, and ends with 0 unless it is strict", async () => {
    const { code, out } = await runCli("check", DOUBTFUL)
    expect(code).toBe(0)
    const [warning = "", notice = "", summary, ...more] = out.split("\n")
    expect(warning).toContain(`${join(DOUBTFUL, "a.yaml")}:7:18: warning: ** crosses every separator`)
    expect(warning).toMatch(/\[double_star\] See https:\/\/\S+\/docs\/warnings\/double_star\.md$/)
    expect(notice).toMatch(/a\.yaml:13:3: notice: .*"all" \(daypass\.yaml:10\).*\[ceiling_may_be_exceeded\]/)
    expect(summary).toMatch(
      /^1 policy in 2 files, 1 warning, 1 notice\. 1 grant: 1 outside for some jobs\. Version [0-9a-f]{64}$/,
    )
    expect(more).toEqual([])
    expect((await runCli("check", DOUBTFUL, "--strict")).code).toBe(1)
    expect((await runCli("check", GOOD, "--strict")).code).toBe(0)
    expect((await runCli("check", DOUBTFUL, "--format", "github")).out).toMatch(
      /^::warning file=\S*a\.yaml,line=7,col=18,/,
    )
  })

  it("says of every grant as JSON how it stands to the ceiling, with a job that is refused", async () => {
    const { ok, grants } = JSON.parse((await runCli("check", DOUBTFUL, "--json", "--strict")).out)
    expect(ok).toBe(false)
    expect(grants).toEqual([
      {
        file: "a.yaml",
        line: 13,
        grant: "aws-deploy",
        inside: "outside",
        boundaries: [{ name: "all", file: "daypass.yaml", line: 10 }],
        witness: expect.objectContaining({ repository_id: "456789", ref_type: "branch" }),
      },
    ])
  })

  it("counts what is acknowledged, and lists it as JSON only", async () => {
    const folder = folderOf({
      "daypass.yaml": ORGANISATION,
      "a.yaml": POLICY.replace("refs/heads/main, event_name: push }", "refs/heads/r/** } # daypass: allow double_star"),
    })
    const { code, out } = await runCli("check", folder, "--strict")
    expect([code, out]).toEqual([0, expect.stringMatching(/^1 policy in 2 files, no faults, 1 acknowledged\. Version/)])
    const { findings, acknowledged } = JSON.parse((await runCli("check", folder, "--json")).out)
    expect([findings, acknowledged]).toEqual([[], [expect.objectContaining({ code: "double_star", line: 7 })]])
  })

  it("checks one file as a part of its folder, and leaves out what concerns other files", async () => {
    const own = await runCli("check", join(BAD, "a.yaml"))
    expect(own.code).toBe(1)
    expect(own.out.split("\n")).toEqual([
      expect.stringContaining(`${join(BAD, "a.yaml")}:3:16: error: repository_id`),
      expect.stringContaining(`${join(BAD, "a.yaml")}:16:5: error: The key "tll"`),
      `a.yaml: 2 findings, as a part of the folder ${BAD}. Other files of the folder have errors (1), so there are no warnings.`,
    ])
    const nested = await runCli("check", join(GOOD, "octo-org/octo-repo/production.yaml"), "--json")
    expect(JSON.parse(nested.out)).toMatchObject({
      ok: true,
      files: 1,
      findings: [],
      grants: [{ grant: "aws-deploy" }],
    })
    const warned = await runCli("check", join(DOUBTFUL, "a.yaml"), "--strict")
    expect([warned.code, warned.out.match(/: warning: /g)?.length]).toEqual([1, 1])
    expect((await runCli("check", join(DOUBTFUL, "daypass.yaml"), "--strict")).code).toBe(0)
  })

  it("checks a file that is in no policy folder by itself, and says what it did not check", async () => {
    const folder = folderOf({
      "good.yaml": POLICY,
      "bad.yaml": POLICY.replace('"456789"', "456789"),
      "t.test.yaml": "",
    })
    const good = await runCli("check", join(folder, "good.yaml"))
    expect(good).toMatchObject({
      code: 0,
      out: expect.stringMatching(/no faults in the file itself\. .*not checked: what/),
    })
    const bad = await runCli("check", join(folder, "bad.yaml"))
    expect(bad).toMatchObject({
      code: 1,
      out: expect.stringMatching(/bad\.yaml:3:16: error: repository_id must be a text/),
    })
    expect(bad.out).not.toContain("organisation_missing")
    expect(await runCli("check", join(folder, "t.test.yaml"))).toMatchObject({ code: 2, out: "" })
  })

  it("finds a folder without an organisation file faulty, not empty", async () => {
    const { code, out } = await runCli("check", folderOf({}))
    expect(code).toBe(1)
    expect(out).toContain("[organisation_missing]")
  })

  it.each([
    [
      "a folder that is not there",
      ["check", "/nonexistent/policies"],
      /policies does not exist\. Name the policy folder/,
    ],
    ["a file that is none of policies", ["check", "package.json"], /package\.json is no policy file/],
    ["a file of policy tests", ["check", "deploy.test.yaml"], /deploy.test.yaml does not exist/],
    ["no folder where the default one is not there", ["check"], /policies does not exist/],
    ["an empty name", ["check", ""], /DIR\|FILE is empty/],
    ["two folders", ["check", GOOD, BAD], /too many arguments.*\nUsage: daypass check/],
    ["an unknown option", ["check", GOOD, "--jsn"], /--jsn\. Did you mean "--json"\?\nUsage: daypass check/],
    ["a value for a switch", ["check", GOOD, "--json=yes"], /--json takes no value\nUsage: daypass check/],
    ["an option in the place of a value", ["check", GOOD, "--format", "--json"], /--format needs a value/],
    ["a missing value", ["check", GOOD, "--format"], /--format needs a value/],
    ["a format that is none", ["check", GOOD, "--format", "xml"], /text, json, github[\s\S]*Usage: daypass check/],
    [
      "two formats",
      ["check", GOOD, "--json", "--format", "github"],
      /--json means --format json[\s\S]*Usage: daypass check/,
    ],
  ])("ends with 2 for %s", async (_, args, message) => {
    const { code, out, err } = await runCli(...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
  })
})

describe("daypass", () => {
  it("without a command, or with an unknown one, writes its usage to stderr and ends with 2", async () => {
    for (const args of [[], ["chekc"], ["audit"], ["audit", "verfy"], ["__proto__"], ["--jsn"]]) {
      const { code, out, err } = await runCli(...args)
      expect([code, out]).toEqual([2, ""])
      expect(err).toMatch(/^Usage: daypass (?:audit )?COMMAND$/m)
    }
  })

  it("writes its usage and its version when asked, and ends with 0", async () => {
    expect(await runCli("--help")).toMatchObject({ code: 0, err: "", out: expect.stringContaining("Usage: daypass") })
    expect(await runCli("check", "--help")).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("Usage: daypass check"),
    })
    expect(await runCli("--version")).toEqual({ code: 0, err: "", out: "1.2.3" })
    expect(await runCli("-v")).toEqual({ code: 0, err: "", out: "1.2.3" })
  })
})
