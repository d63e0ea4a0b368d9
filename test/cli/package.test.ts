import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import packageJson from "../../package.json" with { type: "json" }
import { folderOf, ORGANISATION, POLICY } from "./run-cli.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const run = promisify(execFile)

describe("the package that npm pack makes, installed in an empty folder", () => {
  let folder: string
  let command: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "daypass-package-"))
    await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT })
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))
    const options = ["--no-save", "--omit=dev", "--ignore-scripts", "--offline", "--no-audit", "--no-fund"]
    await run("npm", ["install", ...options, `./${tarball}`], { cwd: folder })
    command = join(folder, "node_modules/daypass/cli/bin.js")
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs the installed command with the Node of this test. */
  const daypass = (...args: string[]) =>
    run(process.execPath, [command, ...args], { cwd: folder }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )

  it("carries built JavaScript and no sources", () => {
    expect(readdirSync(join(folder, "node_modules/daypass")).sort()).toEqual(
      expect.arrayContaining(["cli", "package.json"]),
    )
    const files = readdirSync(join(folder, "node_modules/daypass/cli"), { recursive: true }).map(String)
    expect(files).toContain("bin.js")
    expect(files).toContain("dist/main.js")
    expect(files.filter((name) => name.endsWith(".ts"))).toEqual([])
  })

  it("is linked as the command daypass, and says its version", async () => {
    const { stdout } = await run(join(folder, "node_modules/.bin/daypass"), ["--version"], { cwd: folder })
    expect(stdout).toBe(`${packageJson.version}\n`)
  })

  it("runs on the machine's own Node as well, which may be older than the one that this checkout brings", async () => {
    const outside = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.startsWith(ROOT))
    const env = { ...process.env, PATH: outside.join(delimiter) }
    const policies = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY })
    const { stdout } = await run(join(folder, "node_modules/.bin/daypass"), ["check", policies], { cwd: folder, env })
    expect(stdout).toContain("no faults")
  })

  it("checks a folder, clean and faulty", async () => {
    const clean = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY })
    expect(await daypass("check", clean)).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringContaining("no faults"),
    })
    const faulty = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY.replace("version: 1", "version: 2") })
    expect(await daypass("check", faulty)).toMatchObject({ code: 1, stdout: expect.stringContaining("p.yaml:1:10: ") })
  })

  it("explains a decision", async () => {
    const policies = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY })
    const claims = join(ROOT, "test/vectors/claims/github-environment.json")
    const asked = ["explain", "--policies", policies, "--claims", claims, "--grants", "aws-deploy", "--json"]
    const { code, stdout } = await daypass(...asked)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ decision: "allow", grants: ["aws-deploy"] })
  })

  it("has the audit commands too", async () => {
    expect(await daypass("audit", "verify")).toMatchObject({ code: 2 })
    expect(await daypass("audit", "export")).toMatchObject({ code: 2 })
  })
})
