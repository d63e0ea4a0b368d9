import { describe, expect, test } from "vitest"
import { folderOf, runScripted } from "../run-cli.ts"

const SECRET = "s3cr3t-value-of-a-report"
const COMMIT = "0123456789abcdef0123456789abcdef01234567"

async function read(report: string | object, ...args: string[]) {
  const text = typeof report === "string" ? report : JSON.stringify(report)
  const run = await runScripted({ cwd: folderOf({ "report.json": text }) }, "scan", "--report", "report.json", ...args)
  expect(run.out + run.err).not.toContain(SECRET)
  return run
}

const hitsOf = async (report: string | object) => JSON.parse((await read(report, "--json")).out).secrets

// As version 8 writes them.
const GITLEAKS = {
  RuleID: "generic-api-key",
  Description: "Detected a Generic API Key",
  StartLine: 12,
  EndLine: 12,
  StartColumn: 2,
  EndColumn: 60,
  Match: `STRIPE_KEY = "${SECRET}"`,
  Secret: SECRET,
  File: "config/prod.env",
  SymlinkFile: "",
  Commit: COMMIT,
  Entropy: 4.1,
  Author: "n",
  Email: "n@example.com",
  Date: "2026-11-29T12:00:00Z",
  Message: "first",
  Tags: [],
  Fingerprint: `${COMMIT}:config/prod.env:generic-api-key:12`,
}

// As version 3 prints them.
const trufflehog = (data: object, detector = "Postgres") => ({
  SourceMetadata: { Data: data },
  SourceID: 1,
  SourceType: 16,
  SourceName: "trufflehog - git",
  DetectorType: 968,
  DetectorName: detector,
  DecoderName: "PLAIN",
  Verified: false,
  Raw: SECRET,
  RawV2: SECRET,
  Redacted: SECRET,
  ExtraData: null,
})

const sarif = (...results: object[]) => ({
  $schema: "https://json.schemastore.org/sarif-2.1.0.json",
  version: "2.1.0",
  runs: [{ tool: { driver: { name: "any", rules: [] } }, results }],
})

const RESULT = {
  ruleId: "aws-access-token",
  message: { text: `found ${SECRET}` },
  locations: [
    {
      physicalLocation: {
        artifactLocation: { uri: "a%20b/c.tf" },
        region: { startLine: 3, startColumn: 4, snippet: { text: SECRET } },
      },
    },
  ],
  partialFingerprints: { commitSha: COMMIT },
}

describe("a report", () => {
  test("of gitleaks is read, with the secret's name and without the secret", async () => {
    const leaked = { ...GITLEAKS, Commit: "", StartLine: 0, File: "src\\a.ts", Match: SECRET, RuleID: "github-pat" }
    expect(await hitsOf([GITLEAKS, leaked])).toMatchObject([
      { rule: "generic-api-key", path: "config/prod.env", line: 12, column: 2, commit: COMMIT, name: "STRIPE_KEY" },
      { rule: "github-pat", path: "src/a.ts", remedy: { policy: expect.stringContaining("permissions") } },
    ])
    expect(await read([])).toMatchObject({ code: 0, out: "no secret in the report." })
  })

  test("with secrets in the names of files, or what is left of a match, shows none of it", async () => {
    const decoded = { ...GITLEAKS, Match: `${SECRET.replaceAll("-", "_")} = REDACTED`, Secret: "other" }
    const named = { ...GITLEAKS, File: `a/${SECRET}.env` }
    expect(await hitsOf([named])).toMatchObject([{ path: "a/[secret].env" }])
    const [redacted] = await hitsOf([{ ...decoded, File: "a" }])
    expect(redacted).not.toHaveProperty("name")
    const line = trufflehog({ Filesystem: { file: `${SECRET}.txt` } })
    expect(await hitsOf(`${JSON.stringify(line)}\n`)).toMatchObject([{ path: "[secret].txt" }])
  })

  test("with half of a character in a path can still be written as SARIF", async () => {
    expect((await read([{ ...GITLEAKS, File: "a\ud800b" }], "--format", "sarif")).out).toContain("a%EF%BF%BDb")
  })

  test("of trufflehog is read line by line, without the lines of its log", async () => {
    const lines = [
      trufflehog({ Git: { commit: COMMIT, file: "a.yml", email: "n@example.com", line: 7 } }),
      { level: "info-0", ts: "2026-11-29T12:00:00Z", msg: "finished scanning" },
      trufflehog({ Filesystem: { file: "b.yml" } }, "AWS"),
      trufflehog({ Docker: { image: "shop", layer: "sha256:1", file: "/app/.env", tag: "1" } }, "PrivateKey"),
    ]
    expect(await hitsOf(lines.map((line) => `${JSON.stringify(line)}\r\n`).join(""))).toMatchObject([
      { rule: "Postgres", path: "a.yml", line: 7, commit: COMMIT },
      { rule: "AWS", path: "b.yml", remedy: { commands: [expect.stringMatching(/^daypass trust/)] } },
      { rule: "PrivateKey", path: "/app/.env" },
    ])
    expect(await hitsOf(JSON.stringify(lines[0]))).toHaveLength(1)
    expect(await read("")).toMatchObject({ code: 0 })
  })

  test("in SARIF is read, without what was suppressed there", async () => {
    const suppressed = { ...RESULT, suppressions: [{ kind: "inSource" }] }
    const rejected = { ...RESULT, suppressions: [{ kind: "external", status: "rejected" }], locations: [] }
    expect(await hitsOf(sarif(RESULT, suppressed, rejected))).toMatchObject([
      { rule: "aws-access-token", path: "a b/c.tf", line: 3, column: 4, commit: COMMIT },
      { rule: "aws-access-token", path: "(no file)" },
    ])
    expect((await read(sarif(RESULT), "--format", "text")).code).toBe(1)
  })

  test("of our own is one that it can read again, in every format", async () => {
    const { out } = await read(sarif(RESULT), "--format", "sarif")
    expect(await hitsOf(out)).toMatchObject([{ rule: "aws-access-token", path: "a b/c.tf", line: 3, column: 4 }])
  })

  test.each<[string, string | object, string]>([
    ["that is no JSON", `nothing ${SECRET}`, "is not JSON, and has no JSON lines"],
    ["that is cut", JSON.stringify([GITLEAKS]).slice(0, -4), "is not JSON"],
    ["with a line that is none", `${JSON.stringify(trufflehog({}))}\n{"Raw":"${SECRET}`, "line 2 is not JSON"],
    ["of gitleaks with a text for a list", [{ ...GITLEAKS, File: [SECRET] }], "gitleaks, as it seems: [0].File: "],
    ["of trufflehog without a detector", { Raw: SECRET }, "trufflehog, as it seems: [0].DetectorName: "],
    ["in SARIF of another version", { ...sarif(), version: SECRET }, "SARIF, as it seems: .version: "],
    ["with a member whose name is a secret", sarif({ ruleId: { [SECRET]: 1 } }), ".runs[0].results[0].ruleId: "],
    ["that is a number", "1", "is not JSON, and has no JSON lines"],
    ["with a rule that is as long as a book", [{ ...GITLEAKS, RuleID: SECRET.repeat(99) }], "[0].RuleID: "],
  ])("%s is refused with a sentence, and no word of it", async (_, report, message) => {
    const { code, out, err } = await read(report)
    expect([code, out, err]).toEqual([2, "", expect.stringContaining(message)])
    expect(err.split("\n")).toHaveLength(1)
  })

  test("comes from standard input, also as Windows PowerShell writes it", async () => {
    const input = `\ufeff${JSON.stringify([GITLEAKS])}`
    expect((await runScripted({ input }, "scan", "--report", "-")).code).toBe(1)
  })
})
