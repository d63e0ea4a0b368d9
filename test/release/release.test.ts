import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { isExampleHost } from "../../broker/config/example-host.ts"
import packageJson from "../../package.json" with { type: "json" }
import { pushBranch } from "../../release/branch.ts"
import { layOutButton } from "../../release/button.ts"
import { notesOf, versionOfTag } from "../../release/notes.ts"
import { readSource } from "../../release/place.ts"
import { shipped } from "../../release/sbom.ts"
import { readDockerfile } from "./image.ts"

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

const CHANGELOG = `# Changelog

## [Unreleased]

- later

## [1.2.0] - 2026-12-01

### Added

- a thing

## [1.1.0] - unreleased

- a draft

## [1.0.0] - 2026-11-01
`

describe("what a release refuses", () => {
  it("takes the section of its version as its notes, and nothing of the others", () => {
    expect(notesOf(CHANGELOG, "1.2.0")).toBe("### Added\n\n- a thing\n")
  })

  it.each([
    ["1.3.0", 'no section "## [1.3.0] - YYYY-MM-DD"'],
    ["1.1.0", "the section of 1.1.0 needs its date"],
    ["1.0.0", "the section of 1.0.0 is empty"],
  ])("makes no release of %s without notes and a date", (version, why) => {
    expect(() => notesOf(CHANGELOG, version)).toThrow(why)
  })

  it("makes no release of a tag that names another version", () => {
    expect(versionOfTag("v1.2.0", "1.2.0")).toBe("1.2.0")
    for (const tag of ["v1.2.1", "1.2.0", "v1.2.0-rc.1", "v1.2"]) expect(() => versionOfTag(tag, "1.2.0")).toThrow(tag)
  })

  it.each(["1.2", "v1.2.0", "1.2.0-rc.1", "01.2.0", "1.2.0\n"])("moves no major tag to %j", async (version) => {
    await expect(pushBranch({ archive: "absent", version, remote: "absent" })).rejects.toThrow("must be X.Y.Z")
  })

  it("takes no time that is no time", async () => {
    await expect(readSource({ SOURCE_DATE_EPOCH: "yesterday" })).rejects.toThrow("Unix seconds")
    expect(await readSource({ SOURCE_DATE_EPOCH: "7" })).toEqual({ version: packageJson.version, time: 7 })
  })
})

describe("the bill of materials", () => {
  const component = (name: string) => ({
    "bom-ref": `${name}@1.0.0`,
    properties: [{ name: "development", value: "true" }],
  })
  const inventory = {
    serialNumber: "urn:uuid:drawn",
    metadata: { component: component("daypass") },
    components: ["inside", "below", "tool"].map(component),
    dependencies: [
      { ref: "daypass@1.0.0", dependsOn: ["inside@1.0.0", "tool@1.0.0"] },
      { ref: "inside@1.0.0", dependsOn: ["below@1.0.0", "tool@1.0.0"] },
      { ref: "tool@1.0.0" },
    ],
  }
  const parts = new Map([
    ["inside@1.0.0", ["a.tgz", "b.tar.gz"]],
    ["below@1.0.0", ["a.tgz"]],
  ])
  const source = { version: "1.0.0", time: 0 }

  it("has the packages in the bundles, says in which files, and is the same each time", () => {
    const bill = shipped(inventory, parts, source)
    expect(bill).toEqual(shipped(inventory, parts, source))
    expect(bill).toMatchObject({
      serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
      metadata: { timestamp: "1970-01-01T00:00:00.000Z" },
      components: [
        { "bom-ref": "inside@1.0.0", properties: [{ value: "a.tgz" }, { value: "b.tar.gz" }] },
        { "bom-ref": "below@1.0.0", properties: [{ value: "a.tgz" }] },
      ],
      dependencies: [
        { ref: "daypass@1.0.0", dependsOn: ["below@1.0.0", "inside@1.0.0"] },
        { ref: "inside@1.0.0", dependsOn: ["below@1.0.0"] },
      ],
    })
  })

  it("is not made when a bundle has a package that npm does not know", () => {
    expect(() => shipped(inventory, new Map([["gone@1.0.0", ["a.tgz"]]]), source)).toThrow("gone@1.0.0")
  })
})

describe("the release's files", () => {
  it("are made with the Node of the development dependency, by both jobs that make them", () => {
    const { jobs } = parse(readFileSync(path(".github/workflows/release.yml"), "utf8"))
    for (const name of ["make", "rehearse"]) {
      const steps: { uses?: string; with?: Record<string, string> }[] = jobs[name].steps
      const node = steps.find(({ uses }) => uses?.startsWith("actions/setup-node@"))
      expect(node?.with?.["node-version"], name).toBe(packageJson.devDependencies.node)
    }
  })

  it("include an image that runs nothing while it is built, and nothing as root", () => {
    const { user, volume } = readDockerfile(path("release/Dockerfile"))
    expect([user, volume]).toEqual(["65532:65532", ["/var/lib/daypass"]])
  })

  it("deploy the same Worker as a checkout: flags, limits and objects", () => {
    const settings = (name: string) => readFileSync(path(name), "utf8").split(/^\[env\./m)[0] ?? ""
    const lines = (name: string) =>
      settings(name)
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
    const released = lines("release/wrangler.toml")
    const differs = /^(?:main|\[build\]|command|watch_dir|DAYPASS_URL) ?/
    expect(lines("wrangler.toml").filter((line) => !differs.test(line) && !released.includes(line))).toEqual([])
  })
})

describe("what the Deploy to Cloudflare button clones", () => {
  it("is the Worker of the release at workers.dev, and serves nothing until its URL is set", async () => {
    const folder = mkdtempSync(join(tmpdir(), "daypass-button-"))
    try {
      cpSync(path("release/wrangler.toml"), join(folder, "wrangler.toml"))
      await layOutButton(folder)
      const config = readFileSync(join(folder, "wrangler.toml"), "utf8")
      const directives = (text: string) => text.split("\n").filter((line) => /^[^#\s]/.test(line))
      const released = directives(readFileSync(path("release/wrangler.toml"), "utf8"))
      const own = directives(config)
      expect(own.filter((line) => !released.includes(line))).toEqual(["workers_dev = true"])
      expect(released.filter((line) => !own.includes(line)).map((line) => line.split(" ")[0])).toEqual([
        "routes",
        "workers_dev",
        "id",
      ])
      expect(isExampleHost(new URL(/^DAYPASS_URL = "(.*)"$/m.exec(config)?.[1] ?? "").hostname)).toBe(true)
      const { cloudflare, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
      const secrets = readFileSync(join(folder, ".dev.vars.example"), "utf8").match(/^[A-Z_]+(?==)/gm) ?? []
      expect(Object.keys(cloudflare.bindings)).toEqual(expect.arrayContaining(secrets))
      expect(devDependencies.wrangler).toMatch(/^[0-9]+\.[0-9]+\.[0-9]+$/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
