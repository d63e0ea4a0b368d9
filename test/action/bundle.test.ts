import { readdirSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { buildAction } from "../../action/build.ts"

const DIST = new URL("../../action/dist/", import.meta.url)
/** Without the helpers, which later steps start. */
const MAX_BYTES = 250_000
const HELPERS: ReadonlySet<string> = new Set(["renew.js", "kept.js", "renewal.js", "aws-profile.js"])
/** What runs before the first request. V8 takes about 1 ms for 30 KB of it, and all of its text is garbage afterwards. */
const MAX_START_BYTES = 41_000
const PROGRAMS = ["main.js", "post.js", "renew.js", "aws-profile.js"]

/** Built with the layout of the sources, which these tests read. */
const parts = new Map(
  [...(await buildAction(true))]
    .filter(([name]) => name.endsWith(".js"))
    .map(([name, contents]) => [name, Buffer.from(contents).toString("utf8")] as const),
)
const textOf = (part: string) => parts.get(part) ?? ""

/** What a part takes from others: at its start, or later with `import()`. */
const atOnce = (part: string) =>
  [...textOf(part).matchAll(/^var (\w+) = (?:__toESM\()?require\("\.\/(\w+\.js)"\)/gm)].map(
    ([, variable = "", from = ""]) => ({ variable, from }),
  )
const later = (part: string) =>
  new Set(
    [...textOf(part).matchAll(/then\(\(\) => __toESM\(require\("\.\/([\w-]+\.js)"\), 1\)\)/g)].map(([, from]) => from),
  )

function exportsOf(part: string): ReadonlySet<string | undefined> {
  const [, members = ""] = /__export\(\w+_exports, \{(.*?)\n\}\)/s.exec(textOf(part)) ?? []
  return new Set([...members.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name))
}

const modulesOf = (part: string) => [
  ...new Set([...textOf(part).matchAll(/^\/\/ ([\w./-]+\.ts)$/gm)].map(([, module]) => module)),
]

test("the checked-in files are exactly what the sources build", async () => {
  const built = await buildAction()
  expect(readdirSync(DIST).sort()).toEqual([...built.keys()].sort())
  for (const [name, contents] of built) {
    expect(readFileSync(new URL(name, DIST), "utf8")).toBe(Buffer.from(contents).toString("utf8"))
  }
})

test("the bundle stays small and contains no package", async () => {
  const built = await buildAction()
  const sizeOf = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + (built.get(name)?.byteLength ?? 0), 0)
  expect(sizeOf([...built.keys()].filter((name) => !HELPERS.has(name)))).toBeLessThanOrEqual(MAX_BYTES)
  expect(sizeOf(["main.js", "start.js"])).toBeLessThanOrEqual(MAX_START_BYTES)
  for (const [name, text] of parts) {
    expect(text).not.toContain("node_modules/")
    const taken = [...text.matchAll(/require\("([^"]+)"\)/g)].map(([, from = ""]) => from)
    for (const from of taken)
      expect(from.startsWith("node:") || parts.has(from.slice("./".length)), `${name}: ${from}`).toBe(true)
    expect(text).not.toContain("sourceMappingURL")
  }
})

test("each part takes from another only what that one exports, and nothing from a program, which would act twice", () => {
  const taken = [...parts].flatMap(([part, text]) =>
    atOnce(part).flatMap(({ variable, from }) =>
      [...text.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, "g"))].map(([, name]) => ({ part, from, name })),
    ),
  )
  expect(taken.length).toBeGreaterThan(100)
  expect(taken.filter(({ from, name }) => !exportsOf(from).has(name))).toEqual([])
  const users = [...parts.keys()].flatMap((part) => [...atOnce(part).map(({ from }) => from), ...later(part)])
  expect(PROGRAMS.filter((program) => users.includes(program))).toEqual([])
})

test("a part is loaded only when it is needed", () => {
  const whole = (part: string) => [...new Set(atOnce(part).map(({ from }) => from))].sort()
  expect(whole("main.js")).toEqual(["start.js"])
  expect(whole("start.js")).toEqual([])
  expect(later("start.js")).toEqual(new Set(["delivery.js", "failed.js"]))
  // A post step of a step that saved nothing, and a tool that asks for what is kept, load no more.
  expect(whole("post.js")).toEqual([])
  expect(whole("renew.js")).toEqual(["kept.js"])
  expect(whole("kept.js")).toEqual(["disk.js"])
  expect(whole("disk.js")).toEqual([])
  // What most steps do not need is at nobody's start.
  const rare = ["failed.js", "advice.js", "files.js", "tools.js", "run.js", "sweep.js"]
  for (const part of ["main.js", "start.js", "shared.js", "delivery.js", "revoke.js"]) {
    expect(whole(part).filter((name) => rare.includes(name))).toEqual([])
  }
})

test("one copy of each module is in all parts, so that they share masks and classes", () => {
  const modules = [...parts.keys()].flatMap(modulesOf).filter((module) => !module?.startsWith("../broker/wire/"))
  expect(modules).toContain("runner.ts")
  expect(modules.filter((module, at) => modules.indexOf(module) !== at)).toEqual([])
})

test("every part is strict", async () => {
  for (const [name, contents] of await buildAction()) {
    if (name.endsWith(".js")) expect(Buffer.from(contents).toString("utf8")).toMatch(/^(#!.*\n)?"use strict";/)
  }
})

test("the built files contain no path of the machine that built them", async () => {
  for (const contents of (await buildAction()).values()) {
    expect(Buffer.from(contents).toString("utf8")).not.toContain(process.cwd())
  }
})
