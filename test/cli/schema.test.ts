import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { runCli } from "./run-cli.ts"

const committed = (kind: string) =>
  JSON.parse(readFileSync(new URL(`../../docs/schema/${kind}.schema.json`, import.meta.url), "utf8"))

describe("daypass schema", () => {
  it.each(["policy", "organisation", "test"])("prints the schema of a %s file as it is published", async (kind) => {
    const { code, out, err } = await runCli("schema", kind)
    expect([code, err]).toEqual([0, ""])
    expect(JSON.parse(out)).toEqual(committed(kind))
  })

  it.each([["--json"], ["--format", "json"], ["--format", "text"], ["--format", "github"]])(
    "is asked for as any other command is: %s %s",
    async (...options) => {
      const { code, out } = await runCli("schema", "test", ...options)
      expect(code).toBe(0)
      expect(JSON.parse(out)).toEqual(committed("test"))
    },
  )

  it("prints all of them by their names when none is asked for", async () => {
    const { code, out } = await runCli("schema")
    expect(code).toBe(0)
    const all = JSON.parse(out)
    expect(Object.keys(all)).toEqual(["policy", "organisation", "test"])
    for (const [kind, schema] of Object.entries(all)) {
      expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" })
      expect(JSON.parse((await runCli("schema", kind)).out)).toEqual(schema)
    }
  })

  it.each([
    ["an unknown kind", ["polcy"]],
    ["two kinds", ["policy", "organisation"]],
    ["a name that objects have", ["__proto__"]],
    ["an unknown option", ["--yaml"]],
    ["an unknown format", ["--format", "yaml"]],
  ])("ends with 2 and its usage for %s", async (_, args) => {
    const { code, out, err } = await runCli("schema", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("Usage: daypass schema")
  })
})
