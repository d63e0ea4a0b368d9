// Holds every page of docs/warnings against the tool: its example gives just that warning, and what it proposes gives none.
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { WARNING_CODES } from "../../analysis/warnings/warning.ts"
import { folderOf, runCli } from "./run-cli.ts"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
const DEFAULT_ORGANISATION = read("examples/policies/daypass.yaml")

/** The policy folders that a page shows under headings of this name: one for each heading. */
function foldersOf(page: string, heading: string): Readonly<Record<string, string>>[] {
  const sections = page.split(/^## /m).filter((section) => section.startsWith(`${heading}\n`))
  return sections.map((section) => {
    const files: Record<string, string> = { "daypass.yaml": DEFAULT_ORGANISATION }
    const blocks = [...section.matchAll(/^```yaml (policy|organisation)\n([\s\S]*?)^```$/gm)]
    for (const [index, [, kind, text = ""]] of blocks.entries()) {
      files[kind === "organisation" ? "daypass.yaml" : `policy-${index}.yaml`] = text
    }
    return files
  })
}

async function codesIn(files: Readonly<Record<string, string>>): Promise<string[]> {
  const { out } = await runCli("check", "--json", folderOf(files))
  const { findings } = JSON.parse(out) as { findings: { code: string; message: string; page?: string }[] }
  return findings.map(({ code }) => code)
}

describe("the pages about warnings", () => {
  it("are one for each code, and all in the index with their severity", () => {
    const pages = readdirSync(new URL("../../docs/warnings/", import.meta.url))
    expect(pages.sort()).toEqual(["README.md", ...WARNING_CODES.map((code) => `${code}.md`)].sort())
    const index = read("docs/warnings/README.md")
    expect([...index.matchAll(/^\| \[`([a-z_]+)`\]\(\1\.md\) \|/gm)].map((row) => row[1]).sort()).toEqual([
      ...WARNING_CODES,
    ])
  })

  it.each(WARNING_CODES)("%s shows an example that gives it and no other", async (code) => {
    const [files, ...more] = foldersOf(read(`docs/warnings/${code}.md`), "Example")
    expect(more).toEqual([])
    const codes = await codesIn(files ?? {})
    expect(codes.length).toBeGreaterThan(0)
    expect([...new Set(codes)]).toEqual([code])
  })

  it.each(WARNING_CODES)("%s proposes what gives none", async (code) => {
    const page = read(`docs/warnings/${code}.md`)
    const proposals = [...foldersOf(page, "Instead"), ...foldersOf(page, "Or instead")]
    expect(proposals.length).toBeGreaterThan(0)
    for (const files of proposals) expect(await codesIn(files)).toEqual([])
  })

  it.each(WARNING_CODES)("%s says why it matters, and when to leave it", (code) => {
    const prose = read(`docs/warnings/${code}.md`).replace(/^```[\s\S]*?^```$/gm, "")
    const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map((match) => match[1])
    expect(headings.filter((heading) => heading !== "Or instead")).toEqual([
      code,
      "Example",
      "Why it matters",
      "Instead",
      "When to leave it",
    ])
  })

  it("show an acknowledged warning that is in no list but its own", async () => {
    const text = /^```yaml policy\n([\s\S]*?)^```$/m.exec(read("docs/warnings/README.md"))?.[1] ?? ""
    const folder = folderOf({ "daypass.yaml": DEFAULT_ORGANISATION, "policy.yaml": text })
    const { findings, acknowledged } = JSON.parse((await runCli("check", "--json", folder)).out)
    expect(findings).toEqual([])
    expect(acknowledged).toMatchObject([{ code: "double_star", line: 10 }])
  })
})
