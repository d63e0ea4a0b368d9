import { describe, expect, it } from "vitest"
import { LITERALS } from "../support/secret-looking.ts"
import { folderOf, ORGANISATION, POLICY, runCli } from "./run-cli.ts"

describe("a secret in a policy folder", () => {
  it.each(LITERALS)("that is %s is an error that says where, and does not show it", async (_, literal) => {
    const organisation = `${ORGANISATION}# the old one: "${literal}"\n`
    const { code, out } = await runCli("check", folderOf({ "daypass.yaml": organisation, "p.yaml": POLICY }))
    expect(code).toBe(1)
    expect(out).toMatch(/daypass\.yaml:9:\d+: error: This looks like a secret .* \[secret_literal\]/)
    expect(out).toContain("1 error, no warnings")
    expect(out).not.toContain(literal.slice(6, 30))
  })

  it("is found whatever a comment says to the linter", async () => {
    const [, literal] = LITERALS[0] ?? ["", ""]
    const files = {
      "a.yaml": `# secretlint-disable\n${POLICY}`,
      "daypass.yaml": `# SecretLint-Disable\n${ORGANISATION}# "${literal}"\n`,
    }
    const { code, out } = await runCli("check", folderOf(files))
    expect([code, out.includes("secret_literal"), out.includes(literal)]).toEqual([1, true, false])
  })

  it("is found where the broker would not load the file, too", async () => {
    const [, literal] = LITERALS[0] ?? ["", ""]
    const faulty = `${ORGANISATION}  vault: { provider: aws, region: "${literal}", accounts: ["111122223333"] }\n`
    const { code, out } = await runCli("check", folderOf({ "daypass.yaml": faulty, "p.yaml": POLICY }), "--json")
    const codes = JSON.parse(out).findings.map((finding: { code: string }) => finding.code)
    expect([code, codes.includes("secret_literal"), codes.length > 1]).toEqual([1, true, true])
    expect(out).not.toContain(literal)
  })

  it("is not seen in names, ids and digests", async () => {
    const policy = `${POLICY}# sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 and commit 11bd71901bbe5b1630ceea73d27597364c9af683\n`
    expect(await runCli("check", folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": policy }))).toMatchObject({
      code: 0,
    })
  })
})
