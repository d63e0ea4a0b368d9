import { readdirSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { buildAction } from "../../action/build.ts"

const DIST = new URL("../../action/dist/", import.meta.url)
const MAX_BYTES = 250_000
/** What runs before the first request. V8 takes about 1 ms for 30 KB of it, and all of its text is garbage afterwards. */
const MAX_START_BYTES = 46_000

const partTexts = async () =>
  new Map(
    [...(await buildAction())]
      .filter(([name]) => name.endsWith(".js"))
      .map(([name, contents]) => [name, Buffer.from(contents).toString("utf8")] as const),
  )

function exportsOf(text: string): ReadonlySet<string | undefined> {
  const [, members = ""] = /__export\(\w+_exports, \{(.*?)\n\}\)/s.exec(text) ?? []
  return new Set([...members.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name))
}

test("the checked-in files are exactly what the sources build", async () => {
  const built = await buildAction()
  expect(readdirSync(DIST).sort()).toEqual([...built.keys()].sort())
  for (const [name, contents] of built) {
    expect(readFileSync(new URL(name, DIST), "utf8")).toBe(Buffer.from(contents).toString("utf8"))
  }
})

test("the bundle stays small and contains no package", async () => {
  const built = await buildAction()
  const bytes = [...built.values()].reduce((sum, contents) => sum + contents.byteLength, 0)
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES)
  expect(built.get("main.js")?.byteLength).toBeLessThanOrEqual(MAX_START_BYTES)
  for (const contents of built.values()) {
    const text = Buffer.from(contents).toString("utf8")
    expect(text).not.toContain("node_modules/")
    expect(text).not.toMatch(/require\("(?!node:|\.\/(?:delivery|failed|run|main)\.js")[^"]+"\)/)
    expect(text).not.toContain("sourceMappingURL")
  }
})

test("each part takes from another only what that one exports", async () => {
  const texts = await partTexts()
  const taken = [...texts].flatMap(([part, text]) =>
    [...text.matchAll(/var (\w+) = (?:__toESM\()?require\("\.\/(\w+\.js)"\)/g)].flatMap(([, variable, from]) =>
      [...text.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, "g"))].map(([, name]) => ({ part, from, name })),
    ),
  )
  expect(taken.length).toBeGreaterThan(60)
  const offered = new Map([...texts].map(([part, text]) => [part, exportsOf(text)]))
  expect(taken.filter(({ from = "", name = "" }) => !offered.get(from)?.has(name))).toEqual([])
})

test("a part is loaded only when it is needed: at the start main.js loads no other, and post.js never does", async () => {
  const texts = await partTexts()
  const main = texts.get("main.js") ?? ""
  expect(main).not.toMatch(/^var \w+ = (?:__toESM\()?require\("\.\//m)
  const apart = [...main.matchAll(/Promise\.resolve\(\)\.then\(\(\) => __toESM\(require\("\.\/(\w+)\.js"\), 1\)\)/g)]
  expect(new Set(apart.map(([, part]) => part))).toEqual(new Set(["delivery", "failed", "run"]))
  for (const alone of ["post.js", "aws-profile.js"]) expect(texts.get(alone)).not.toMatch(/require\("\.{1,2}\//)
})

test("one copy of each module is in the parts that main.js can load, so that they share masks and classes", async () => {
  const texts = await partTexts()
  const modules = ["main.js", "delivery.js", "failed.js", "run.js"].flatMap((part) => [
    ...new Set([...(texts.get(part) ?? "").matchAll(/^\/\/ ([\w./-]+\.ts)$/gm)].map(([, module]) => module)),
  ])
  expect(modules).toContain("runner.ts")
  expect(modules.filter((module, at) => modules.indexOf(module) !== at)).toEqual([])
})

test("every part is strict", async () => {
  for (const text of (await partTexts()).values()) expect(text).toMatch(/^(#!.*\n)?"use strict";\n/)
})

test("the built files contain no path of the machine that built them", async () => {
  for (const contents of (await buildAction()).values()) {
    expect(Buffer.from(contents).toString("utf8")).not.toContain(process.cwd())
  }
})
