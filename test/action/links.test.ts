import { execFileSync } from "node:child_process"
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { writeJobFiles } from "../../action/job-folder.ts"
import { foldersOf, granted, leftIn, play, revoked, SECRET } from "./story.ts"

let temp = ""
let victim = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
  victim = join(temp, "victim")
  writeFileSync(victim, "of others\n", { mode: 0o644 })
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

const untouched = () => {
  expect(readFileSync(victim, "utf8")).toBe("of others\n")
  expect(statSync(victim).mode & 0o777).toBe(0o644)
}

const PLANTS: Readonly<Record<string, (path: string) => void>> = {
  "a link": (path) => symlinkSync(victim, path),
  "a link to nothing": (path) => symlinkSync(join(temp, "nothing"), path),
  "another name of a file": (path) => linkSync(victim, path),
  "a pipe": (path) => void execFileSync("mkfifo", [path]),
  "a folder": (path) => void mkdirSync(path),
}

describe.each(Object.entries(PLANTS))("%s in the place of the runner's file", (kind, plant) => {
  test.each(["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"])("of %s: nothing is asked of the broker", async (name) => {
    const path = join(temp, "planted")
    plant(path)
    const { run } = await play([], { env: () => ({ [name]: path }) })
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toContain(
      `::error title=Daypass%3A runner_disk::A link or something else stands where the runner's file of ${name} must be. Look for`,
    )
    untouched()
    expect(existsSync(join(temp, "nothing"))).toBe(false)
    if (kind === "a folder") expect(readdirSync(path)).toEqual([])
  })

  test("of GITHUB_STEP_SUMMARY: the step works, says so, and writes no summary", async () => {
    const path = join(temp, "planted")
    plant(path)
    const { run } = await play(granted(), { env: () => ({ GITHUB_STEP_SUMMARY: path }) })
    expect([run.exitCode, run.env["AWS_SECRET_ACCESS_KEY"]]).toEqual([0, SECRET])
    expect(run.log).toContain("::warning title=Daypass::The job's summary is not written. A link or something else")
    untouched()
    expect(existsSync(join(temp, "nothing"))).toBe(false)
  })
})

test("/dev/null in the place of the summary's file takes the summary", async () => {
  const { run } = await play(granted(), { env: () => ({ GITHUB_STEP_SUMMARY: "/dev/null" }) })
  expect([run.exitCode, run.log.includes("::warning")]).toEqual([0, false])
})

/** A step whose file of this name becomes a link to the victim after it was checked, and before the answer. */
async function swappedWhileMinting(name: string) {
  const path = join(temp, "planted")
  writeFileSync(path, "")
  const [token, exchange] = granted()
  const swap = async () => {
    rmSync(path)
    symlinkSync(victim, path)
    return exchange?.reply
  }
  const script = [token, { on: "exchange" as const, reply: { when: swap } }, ...revoked()]
  const { run } = await play(
    script.filter((one) => one !== undefined),
    { env: () => ({ [name]: path }) },
  )
  return run
}

describe("a link that is planted while the broker mints", () => {
  test.each(["GITHUB_ENV", "GITHUB_OUTPUT"])(
    "in the place of %s: nothing is delivered, and the lease is revoked",
    async (name) => {
      const run = await swappedWhileMinting(name)
      expect([run.exitCode, run.env, run.state["lease"]]).toEqual([1, {}, ""])
      expect(run.stdout).toContain(`runner's file of ${name} must be`)
      untouched()
    },
  )

  test("in the place of GITHUB_STATE: the step fails, because nothing could revoke after it", async () => {
    const run = await swappedWhileMinting("GITHUB_STATE")
    expect([run.exitCode, run.env]).toEqual([1, {}])
    expect(run.stdout).toContain("runner's file of GITHUB_STATE must be")
    untouched()
  })
})

describe("the step's folder", () => {
  const file = (folder: string, mode = 0o400) => ({
    path: join(folder, "g", "key"),
    bytes: Buffer.from("secret"),
    mode,
  })

  test.each([
    ["a link to another folder", () => symlinkSync(join(temp, "elsewhere"), join(temp, "daypass-x"))],
    ["a link to nothing", () => symlinkSync(join(temp, "nothing"), join(temp, "daypass-x"))],
    ["a folder that is there already", () => mkdirSync(join(temp, "daypass-x"))],
    ["a file", () => writeFileSync(join(temp, "daypass-x"), "")],
  ])("is not written through %s", (_, plant) => {
    mkdirSync(join(temp, "elsewhere"))
    plant()
    expect(() => writeJobFiles(join(temp, "daypass-x"), [file(join(temp, "daypass-x"))])).toThrow(/EEXIST/)
    expect([readdirSync(join(temp, "elsewhere")), existsSync(join(temp, "nothing"))]).toEqual([[], false])
    untouched()
  })

  test("holds files that are made new: one path is written once", () => {
    const folder = join(temp, "daypass-x")
    expect(() => writeJobFiles(folder, [file(folder), file(folder)])).toThrow(/EEXIST/)
    expect(readFileSync(join(folder, "g", "key"), "utf8")).toBe("secret")
  })

  test.each(["con", "NUL", "com1", "aux.json"])(
    "holds no file with the name %s on Windows, which is a device there",
    (name) => {
      const folder = join(temp, "daypass-x")
      const files = [{ ...file(folder), path: join(folder, name, "key") }]
      expect(() => writeJobFiles(folder, files, "win32")).toThrow(/keeps the name .* for a device/)
      expect(existsSync(folder)).toBe(false)
      writeJobFiles(folder, files, "linux")
      expect(readFileSync(join(folder, name, "key"), "utf8")).toBe("secret")
    },
  )

  test("is new for each step, so a name of it cannot be planted", async () => {
    const key = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }
    const folders = new Set<string>()
    for (let step = 0; step < 3; step++) {
      const { run } = await play(granted({ g: { values: { key } } }), { temp, inputs: { grants: "g" } })
      folders.add(run.state["files"] ?? "")
    }
    expect(folders.size).toBe(3)
    for (const folder of folders) expect(lstatSync(folder).mode & 0o777).toBe(0o700)
  })

  test("in a RUNNER_TEMP that is a link of the runner's own works, and is removed", async () => {
    const real = join(temp, "real")
    mkdirSync(real)
    symlinkSync(real, join(temp, "link"))
    const key = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }
    const main = await play(granted({ g: { values: { key } } }), { temp: join(temp, "link"), inputs: { grants: "g" } })
    expect([main.run.exitCode, leftIn(real).length]).toEqual([0, 1])
    await play([], { entry: "post", temp: join(temp, "link"), state: () => foldersOf(main.run) })
    expect(readdirSync(real)).toEqual([])
  })
})

describe("the post step, when links were planted after main", () => {
  test.each(["in the place of the folder", "inside of the folder"])("%s: removes no file of others", async (where) => {
    const key = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }
    const main = await play(granted({ g: { values: { key } } }), { temp, inputs: { grants: "g" } })
    const folder = main.run.state["files"] ?? ""
    mkdirSync(join(temp, "elsewhere"))
    writeFileSync(join(temp, "elsewhere", "kept"), "")
    if (where === "in the place of the folder") {
      rmSync(folder, { recursive: true })
      symlinkSync(join(temp, "elsewhere"), folder)
    } else {
      symlinkSync(join(temp, "elsewhere"), join(folder, "link"))
      symlinkSync(victim, join(folder, "file"))
    }
    const { run } = await play([], { entry: "post", temp, state: () => ({ files: folder }) })
    expect([run.exitCode, lstatSync(folder, { throwIfNoEntry: false })]).toEqual([0, undefined])
    expect(readdirSync(join(temp, "elsewhere"))).toEqual(["kept"])
    untouched()
  })
})
