import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { entriesWithoutIntegrity } from "./integrity.ts"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
const SHA512 = `sha512-${"A".repeat(86)}==`
const lock = (packages: Record<string, unknown>) => ({
  lockfileVersion: 3,
  packages: { "": { name: "x" }, ...packages },
})

describe("an entry of a lock file", () => {
  it.each<[string, unknown, boolean]>([
    ["with SHA-512", { version: "1.0.0", integrity: SHA512 }, true],
    ["that is a link", { resolved: "cli", link: true }, true],
    ["that is in its parent's archive", { version: "1.0.0", inBundle: true }, true],
    ["without a hash", { version: "1.0.0", resolved: "https://registry.npmjs.org/a/-/a-1.0.0.tgz" }, false],
    ["of another platform without a hash", { version: "1.0.0", optional: true, os: ["win32"] }, false],
    ["from git", { version: "1.0.0", resolved: "git+ssh://git@github.com/a/a.git#abc" }, false],
    ["with SHA-1", { version: "1.0.0", integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }, false],
    ["with SHA-1 beside it", { version: "1.0.0", integrity: `sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= ${SHA512}` }, false],
    ["with a hash cut short", { version: "1.0.0", integrity: SHA512.slice(0, 40) }, false],
    ["with an empty hash", { version: "1.0.0", integrity: "" }, false],
  ])("%s", (_, entry, passes) => {
    expect(entriesWithoutIntegrity(lock({ "node_modules/a": entry }))).toEqual(passes ? [] : ["node_modules/a"])
  })

  it("is looked for at any depth, and a lock file without a list is none", () => {
    const nested = {
      "node_modules/a": { integrity: SHA512 },
      "node_modules/a/node_modules/b": {},
      cli: { version: "1" },
    }
    expect(entriesWithoutIntegrity(lock(nested))).toEqual(["node_modules/a/node_modules/b"])
    expect(entriesWithoutIntegrity({ lockfileVersion: 1, dependencies: {} })).toHaveLength(1)
  })
})

describe("the foreign tools of the interop run", () => {
  const requirements = read("test/interop/requirements.txt")
  const entries = requirements.split(/^(?=[a-z0-9])/m).filter((entry) => /^[a-z0-9]/.test(entry))

  it("are pinned with a SHA-256 each, and so is everything that they need", () => {
    expect(entries.length).toBeGreaterThan(50)
    for (const entry of entries)
      expect(entry).toMatch(/^[a-z0-9-]+(?:\[[a-z]+\])?==\S+[^\n]*\\\n(?:\s+--hash=sha256:[0-9a-f]{64}[ \\]*\n)+/)
    expect(requirements).not.toMatch(/^-|https?:|@ /m)
  })

  it("are those that requirements.in names, at its versions", () => {
    const wanted = [...read("test/interop/requirements.in").matchAll(/^[a-z].*$/gm)].map(([line]) => line)
    expect(wanted.length).toBeGreaterThan(3)
    for (const line of wanted) expect(requirements).toContain(`\n${line.replace(/\[\w+\]/, "")} `)
  })

  it("are installed by hash alone", () => {
    expect(read("test/interop/tools.ts")).toContain('"--require-hashes"')
    expect(read(".github/workflows/zizmor.yml")).toContain("--require-hashes")
  })
})
