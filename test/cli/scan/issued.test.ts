import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { beforeEach, describe, expect, test } from "vitest"
import { RecordMaker } from "../../../action/fingerprints/record.ts"
import { patternsFor } from "../../../action/patterns.ts"
import { folderOf, runScripted } from "../run-cli.ts"

const SECRET = "s3cr3t>>>value???/K7MDENG+bPxRfiCY"
const STEP = "daypass-00000000-0000-4000-8000-000000000000"

let root = ""
beforeEach(() => {
  root = folderOf({ "work/clean.txt": "nothing" })
  issue(STEP, "issued.json")
})

function issue(step: string, name: string, value = SECRET, token = "token"): void {
  const record = new RecordMaker(token).make(
    [{ grant: "aws-deploy", name: "secret-access-key", patterns: patternsFor(value) }],
    Date.now(),
  )
  put(`temp/${step}/${name}`, record)
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

const scan = (args: readonly string[] = [], env: Record<string, string> = {}) =>
  runScripted(
    {
      cwd: join(root, "work"),
      env: {
        RUNNER_TEMP: join(root, "temp"),
        GITHUB_WORKSPACE: join(root, "work"),
        HOME: join(root, "home"),
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "token",
        ...env,
      },
    },
    "scan",
    ...args,
  )

test("finds what a step issued, and never prints it", async () => {
  put("work/dist/config.js", `one\n${SECRET}`)
  const { code, out, err } = await scan(["--issued"])
  expect([code, err]).toEqual([1, ""])
  expect(out).toMatch(/^dist\/config\.js:2: the value secret-access-key of aws-deploy\n1 finding in 2 files\.$/)
})

test("finds nothing where nothing is", async () => {
  const { code, out } = await scan(["--issued"])
  expect([code, out]).toEqual([0, "no issued value in 1 file."])
})

test("looks inside a path, from the current directory, and for the values of all steps", async () => {
  issue(STEP.replaceAll("0", "1"), "issued-2.json", "another-secret-of-the-job")
  put("outside/dist/a", "another-secret-of-the-job")
  const { code, out } = await scan(["--issued", "../outside/dist"])
  expect([code, out]).toEqual([
    1,
    `${root}/outside/dist/a:1: the value secret-access-key of aws-deploy\n1 finding in 2 files.`,
  ])
})

test("prints JSON, in which hostile names do no harm", async () => {
  put("work/::error::\u202e", SECRET)
  const { code, out } = await scan(["--issued", "--json"])
  expect(code).toBe(1)
  expect(out).not.toContain("\u202e")
  expect(JSON.parse(out)).toMatchObject({
    findings: [{ grant: "aws-deploy", name: "secret-access-key", path: "::error::\u202e", line: 1 }],
    hasMore: false,
    unread: [],
    unreadCount: 0,
    files: 2,
  })
  expect(out).not.toContain(SECRET)
})

test("says what it could not read, and fails for that only with --strict", async () => {
  const lax = await scan(["--issued", "nowhere"])
  expect([lax.code, lax.err]).toEqual([0, "not looked at: nowhere (missing)"])
  expect((await scan(["--issued", "nowhere", "--strict"])).code).toBe(1)
})

describe("searches nothing, and exits with 2", () => {
  test.each<[string, readonly string[], Record<string, string>, string, () => void]>([
    ["outside of a job", ["--issued"], { RUNNER_TEMP: "" }, "RUNNER_TEMP", () => {}],
    ["without id-token: write", ["--issued"], { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" }, "id-token: write", () => {}],
    ["in another job", ["--issued"], { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "other" }, "of another job", () => {}],
    ["when a record was edited", ["--issued"], {}, "was changed", () => put(`temp/${STEP}/issued.json`, "{}")],
    [
      "when there is none",
      ["--issued"],
      {},
      "no Daypass step",
      () => rmSync(join(root, "temp", STEP), { recursive: true }),
    ],
    [
      "when a record is a link",
      ["--issued"],
      {},
      "was changed",
      () => symlinkSync(join(root, "temp", STEP, "issued.json"), join(root, "temp", STEP, "issued-2.json")),
    ],
  ])("%s", async (_, args, env, message, act) => {
    act()
    const { code, out, err } = await scan(args, env)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(message)
  })
})
