import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { builtCli } from "../support/built-cli.ts"
import { runNode } from "../support/packaged.ts"
import { folderOf, ORGANISATION, POLICY } from "./run-cli.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

// The package itself is installed by `npm run rehearse`, and on older Nodes by the interop run.
describe("the command line, built and without its sources", () => {
  let folder: string
  let command: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "daypass-built-"))
    command = await builtCli()
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs the built command with the Node of this test. */
  const daypass = (...args: string[]) => daypassWith({ args })
  const daypassWith = ({
    args,
    node = [],
    env = {},
  }: {
    readonly args: readonly string[]
    readonly node?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  }) => runNode(process.execPath, [...node, command, ...args], { cwd: folder, env: { ...process.env, ...env } })

  it("checks a folder, clean and faulty", async () => {
    const clean = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY })
    expect(await daypass("check", clean)).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("no faults"),
    })
    const faulty = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY.replace("version: 1", "version: 2") })
    expect(await daypass("check", faulty)).toMatchObject({ code: 1, out: expect.stringContaining("p.yaml:1:10: ") })
  })

  it("explains a decision", async () => {
    const policies = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY })
    const claims = join(ROOT, "test/vectors/claims/github-environment.json")
    const asked = ["explain", "--policies", policies, "--claims", claims, "--grants", "aws-deploy", "--json"]
    const { code, out } = await daypass(...asked)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ decision: "allow", grants: ["aws-deploy"] })
  })

  it("has the audit commands too", async () => {
    expect(await daypass("audit", "verify")).toMatchObject({ code: 2 })
    expect(await daypass("audit", "export")).toMatchObject({ code: 2 })
  })

  it("says of an operator's command without a broker which option is missing, and nothing on standard output", async () => {
    const { code, out, err } = await daypassWith({ args: ["keys", "list"], env: { DAYPASS_BROKER: "" } })
    expect([code, out, err]).toEqual([2, "", expect.stringContaining("The option `--broker` is missing")])
  })

  it("says to an older Node which one it needs", async () => {
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } })`
    const node = ["--import", `data:text/javascript,${encodeURIComponent(older)}`]
    expect(await daypassWith({ args: ["--version"], node })).toEqual({
      code: 2,
      out: "",
      err: "daypass: The command line needs Node 20 or newer, and this is Node 18.20.8.\n",
    })
  })

  describe("keeps what Node compiled of it", () => {
    let caches: string
    beforeEach(() => {
      caches = mkdtempSync(join(folder, "caches-"))
    })
    const check = (env: Readonly<Record<string, string>>) => {
      const policies = folderOf({ "daypass.yaml": ORGANISATION, "p.yaml": POLICY })
      return daypassWith({ args: ["check", policies], env })
    }
    const clean = { code: 0, err: "", out: expect.stringContaining("no faults") }
    const kept = (cache: string) => readdirSync(cache, { recursive: true }).length

    it("in the user's folder for caches, and reads it again", async () => {
      expect(await check({ XDG_CACHE_HOME: caches })).toEqual(clean)
      const files = kept(join(caches, "daypass"))
      expect(files).toBeGreaterThan(5)
      expect(await check({ XDG_CACHE_HOME: caches })).toEqual(clean)
      expect(kept(join(caches, "daypass"))).toBe(files)
    })

    it("in the home, when no absolute path says where caches are", async () => {
      expect(await check({ XDG_CACHE_HOME: "caches", HOME: caches })).toEqual(clean)
      expect(kept(join(caches, ".cache/daypass"))).toBeGreaterThan(5)
    })

    it("never in a folder that others can write to: what is in it is run", async () => {
      mkdirSync(join(caches, "daypass"))
      chmodSync(join(caches, "daypass"), 0o777)
      expect(await check({ XDG_CACHE_HOME: caches })).toEqual(clean)
      expect(kept(join(caches, "daypass"))).toBe(0)
    })

    it("and works as well where there can be no such folder", async () => {
      writeFileSync(join(caches, "file"), "")
      expect(await check({ XDG_CACHE_HOME: join(caches, "file") })).toEqual(clean)
      expect(await check({ XDG_CACHE_HOME: "/proc/nowhere" })).toEqual(clean)
    })
  })
})
