// What must hold on every system that runs jobs: Linux, Windows and macOS. The commands are programs of Node, because no shell is
// everywhere. The workflow `ci` runs this file on all three; the rest of test/action needs what Linux and macOS have.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { actionNode } from "../support/runner.ts"
import {
  AWS,
  deliveredFiles,
  foldersOf,
  granted,
  leftIn,
  play,
  revoked,
  SECRET,
  savedByMain,
  unmaskedLines,
} from "./story.ts"

const isWindows = process.platform === "win32"
/** With spaces, as a user's folder on Windows can have. */
let temp = ""
beforeEach(() => {
  temp = realpathSync(mkdtempSync(join(tmpdir(), "daypass temp of job-")))
})
afterEach(() => rmSync(temp, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))

const KEY = {
  value: "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkq\r\n",
  secret: true,
  env: "TLS_KEY",
  file: { mode: "0400" },
}
const withKey = { g: { values: { key: KEY } } }

/** Node itself as the shell of `run`: its script has no extension, so it is a CommonJS module. */
const SHELL = `${actionNode().replaceAll("\\", "/")} {0}`
async function ran(
  script: string,
  step: Parameters<typeof play>[1] = {},
  credentials = { "aws-deploy": AWS } as object,
) {
  const inputs = { grants: Object.keys(credentials).join(), shell: SHELL, run: script, ...step.inputs }
  const story = await play([...granted(credentials as never), ...revoked()], { temp, ...step, inputs })
  return story.run
}

describe("delivery", () => {
  test("sets variables and outputs, with every line end as it came", async () => {
    const value = "first-line-of-it\r\nsecond-line\nthird-line"
    const credentials = { g: { values: { text: { value, secret: true, env: "TEXT" } } } }
    const { run } = await play(granted(credentials), { temp, inputs: { grants: "g", deliver: "both" } })
    expect(run.exitCode).toBe(0)
    expect([run.env["TEXT"], run.outputs["g-text"]]).toEqual([value, value])
    expect(unmaskedLines(run)).not.toContain("second-line")
  })

  test("writes files that hold exactly the value, and the post step removes them", async () => {
    const main = await play(granted(withKey), { temp, inputs: { grants: "g" } })
    expect(main.run.exitCode).toBe(0)
    const path = main.run.env["TLS_KEY"] ?? ""
    expect([dirname(dirname(dirname(path))), basename(path)]).toEqual([temp, "key"])
    expect(Object.values(deliveredFiles(main.run)).map(({ bytes }) => bytes.toString())).toEqual([KEY.value])
    const { run } = await play(revoked(), {
      entry: "post",
      temp,
      state: (origin) => ({ ...savedByMain(origin), ...foldersOf(main.run) }),
    })
    expect([run.exitCode, readdirSync(temp)]).toEqual([0, []])
  })

  test("refuses two names that are one variable where case does not count", async () => {
    const value = (text: string, env: string) => ({ values: { v: { value: text, secret: true, env } } })
    const script = [
      ...granted({ a: value("first-value", "API_KEY"), b: value("second-value", "Api_Key") }),
      ...revoked(),
    ]
    const { run } = await play(script, { temp, inputs: { grants: "a, b" } })
    expect([run.exitCode, run.env]).toEqual([1, {}])
    expect(run.log).toContain("delivery_refused")
  })
})

describe("a command", () => {
  test.each([0, 3])("ends the step with its exit code, %i", async (code) => {
    const step = await ran(`process.exitCode = ${code}`)
    expect([step.exitCode, leftIn(temp)]).toEqual([code, []])
  })

  test("alone has the credentials, its secrets hidden, and nothing of what is for actions only", async () => {
    const step = await ran(
      `console.log("has", process.env.AWS_SECRET_ACCESS_KEY === ${JSON.stringify(SECRET)}, process.env.AWS_SECRET_ACCESS_KEY)
      console.log("sees", Object.keys(process.env).filter((name) => /^(?:INPUT_|STATE_|ACTIONS_ID_TOKEN)/i.test(name)).length)`,
    )
    expect(step.log).toMatch(/^has true \*\*\*\r?$/m)
    expect(step.log).toMatch(/^sees 0\r?$/m)
    expect([step.exitCode, step.env]).toEqual([0, {}])
    expect(unmaskedLines(step)).not.toContain(SECRET)
  })

  test("replaces the job's variable of the same name, in any case where case does not count", async () => {
    const step = await ran(
      `const all = Object.entries(process.env).filter(([name]) => name.toUpperCase() === "AWS_SECRET_ACCESS_KEY")
      console.log("found", all.length, all.every(([, value]) => value === ${JSON.stringify(SECRET)}))`,
      { env: () => ({ [isWindows ? "Aws_Secret_Access_Key" : "AWS_SECRET_ACCESS_KEY"]: "of the job" }) },
    )
    expect(step.log).toMatch(/^found 1 true\r?$/m)
  })

  test("gets files that are gone when it ends", async () => {
    const step = await ran(
      `const text = require("fs").readFileSync(process.env.TLS_KEY, "utf8")
      console.log("length", text.length, process.env.TLS_KEY)`,
      {},
      withKey,
    )
    const [, path = ""] = new RegExp(`^length ${KEY.value.length} (.*?)\\r?$`, "m").exec(step.log) ?? []
    expect(path.startsWith(temp)).toBe(true)
    expect([existsSync(path), leftIn(temp)]).toEqual([false, []])
  })

  test("runs in a folder below the workspace, whose name has a space", async () => {
    const folder = join(temp, "work space", "below")
    mkdirSync(folder, { recursive: true })
    const step = await ran('require("fs").writeFileSync("here", process.cwd())', {
      env: () => ({ GITHUB_WORKSPACE: join(temp, "work space") }),
      inputs: { "working-directory": "below" },
    })
    expect(step.exitCode).toBe(0)
    expect(readFileSync(join(folder, "here"), "utf8").toLowerCase()).toBe(folder.toLowerCase())
  })

  test("runs in the shell of this system when none is named", async () => {
    const step = await ran(
      isWindows ? "Write-Output $PSVersionTable.PSEdition" : 'test -n "$BASH_VERSION" && echo a bash',
      {
        inputs: { shell: "" },
      },
    )
    expect(step.log).toMatch(isWindows ? /^(?:Core|Desktop)\r?$/m : /^a bash$/m)
  })

  test.each(isWindows ? ["pwsh", "powershell", "cmd", "bash", "python"] : ["bash", "sh", "python"])(
    "runs in %s",
    async (shell) => {
      const failing = { python: "raise SystemExit(5)", cmd: "exit /b 5" }[shell] ?? "exit 5"
      expect((await ran(failing, { inputs: { shell } })).exitCode).toBe(5)
    },
  )
})
