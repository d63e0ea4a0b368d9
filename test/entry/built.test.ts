import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { isBuiltin } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildBroker } from "../../broker/entry/build.ts"

const NODE = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url))
const MAX_BYTES = 5 * 1024 * 1024

// Outside of the checkout, where no package is found.
let built: string

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "daypass-built-"))
  await buildBroker(built)
})
afterAll(() => rmSync(built, { recursive: true, force: true }))

const run = (args: readonly string[], node: readonly string[] = []) =>
  spawnSync(NODE, [...node, join(built, "broker.js"), ...args], { cwd: built, env: {}, encoding: "utf8" })

describe("the built broker", () => {
  it("starts where there is no checkout and no package", () => {
    const misused = "--policies is required.\nSee daypass serve --help.\n"
    expect(run([])).toMatchObject({ status: 2, stdout: "", stderr: misused })
    const refused = run([
      "--policies",
      join(built, "absent"),
      "--data",
      join(built, "data"),
      "--url",
      "http://127.0.0.1:1",
    ])
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("absent cannot be loaded") })
  })

  it("imports nothing but its own parts and modules of Node, is small, and has the licences of what is in it", () => {
    const files = readdirSync(built).filter((name) => statSync(join(built, name)).isFile())
    const parts = files.filter((name) => name.endsWith(".js"))
    for (const name of parts) {
      const text = readFileSync(join(built, name), "utf8")
      const imported = [...text.matchAll(/^(?:import|export)\b[^"'`;]*"([^"]+)";$|\bimport\("([^"]+)"\)/gm)]
      const specifiers = imported.map((match) => match[1] ?? match[2] ?? "")
      expect(
        specifiers.filter((one) => !isBuiltin(one) && !parts.includes(one.replace("./", ""))),
        name,
      ).toEqual([])
    }
    expect(files.reduce((bytes, name) => bytes + statSync(join(built, name)).size, 0)).toBeLessThan(MAX_BYTES)
    expect(readFileSync(join(built, "LICENSES.txt"), "utf8")).toMatch(/^hono /m)
  })

  it("takes no code of AWS's SDK that could look for credentials of the machine", () => {
    const [part = "", ...others] = readdirSync(built).filter((name) => name.startsWith("sts-client-"))
    const text = readFileSync(join(built, part), "utf8")
    expect(others).toEqual([])
    expect(text).toContain("AssumeRoleWithWebIdentity")
    expect(text).not.toMatch(/169\.254|credential_process|homedir|"node:(?:fs|os|http|child_process)/)
  })

  it("says which Node it needs when an older one runs it", () => {
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.23.3" } })`
    const { status, stderr } = run([], ["--import", `data:text/javascript,${encodeURIComponent(older)}`])
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^The broker needs Node 24 or newer, .* 22\.23\.3\./)])
  })
})
