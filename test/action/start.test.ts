import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { buildAction } from "../../action/build.ts"
import { definition, runAction } from "../support/runner.ts"
import { scriptedBroker } from "../support/scripted-broker.ts"
import { granted, play } from "./story.ts"

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-start-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Prints what a step loads of Node while it runs, on stderr when it ends. */
const WITNESS = `
const before = new Set(process.moduleLoadList)
process.on("exit", () => {
  const loaded = process.moduleLoadList.filter((name) => !before.has(name)).map((name) => name.replace("NativeModule ", ""))
  require("node:fs").writeSync(2, JSON.stringify(loaded))
})
`

async function modulesOf(script: Parameters<typeof play>[0], step: Parameters<typeof play>[1] = {}) {
  const witness = join(folder, "witness.cjs")
  writeFileSync(witness, WITNESS)
  const { run } = await play(script, { ...step, env: () => ({ NODE_OPTIONS: `--require ${witness}` }) })
  const loaded = JSON.parse(run.stderr) as string[]
  return loaded.filter((name) => builtinModules.includes(name)).sort()
}

test("a step that delivers loads of Node what a client of node:http loads, and node:crypto", async () => {
  expect(await modulesOf(granted())).toEqual([
    "_http_agent",
    "_http_client",
    "_http_common",
    "_http_incoming",
    "_http_outgoing",
    "_http_server",
    "crypto",
    "http",
    "net",
    "stream",
    "stream/promises",
    "string_decoder",
  ])
})

test("a post step without a lease loads nothing of Node that was not there", async () => {
  expect(await modulesOf([], { entry: "post" })).toEqual([])
})

test("what a start reads has no expression with a class of Unicode, whose tables V8 would load to check it", async () => {
  const built = await buildAction()
  for (const name of ["main.js", "start.js", "delivery.js", "shared.js", "post.js"]) {
    expect(Buffer.from(built.get(name) ?? "").toString("utf8")).not.toMatch(/\/[^"`\n]*\\p\{[^"`\n]*\/[a-z]*u/)
  }
})

/** Runs a copy of the built action, of which something removes a file while it runs. */
async function runWithout(
  file: string,
  script: Parameters<typeof scriptedBroker>[0],
  inputs: Record<string, string> = {},
) {
  const dist = join(folder, `without-${file}`)
  cpSync(join(definition().main, ".."), dist, { recursive: true })
  rmSync(join(dist, file))
  const broker = await scriptedBroker(script)
  try {
    const step = { inputs: { broker: broker.origin, grants: "aws-deploy", ...inputs }, idToken: broker.idToken }
    const run = await runAction({ entry: "main", ...step, main: join(dist, "main.js") })
    expect(broker.faults()).toEqual([])
    return run
  } finally {
    await broker.close()
  }
}

const UNREADABLE =
  "The action cannot read one of its own files on this runner any more. Let nothing clean the runner's folder `_actions` while a job runs."

test("a failure is said in plain words when the file with its words is gone", async () => {
  const run = await runWithout("failed.js", [], { grants: "" })
  expect(run.exitCode).toBe(1)
  expect(run.stdout).toBe(
    `::error title=Daypass%3A input_invalid::The input \`grants\` is missing; write the names of the grants that this job needs, separated by commas. ${UNREADABLE}\n`,
  )
  expect(run.stderr).toBe("")
})

test("a delivery whose file is gone fails in plain words, and leaves its lease to the post step", async () => {
  const run = await runWithout("delivery.js", granted())
  expect(run.exitCode).toBe(1)
  expect(run.log).toBe(
    `::error title=Daypass%3A unexpected::The action itself failed with Error (MODULE_NOT_FOUND). ${UNREADABLE}\n`,
  )
  expect(run.stderr).toBe("")
  expect(run.env).toEqual({})
  expect(JSON.parse(run.state["lease"] ?? "")).toMatchObject({ leases: [{ expiresAt: null }] })
})
