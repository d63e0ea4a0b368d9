import { readdirSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { buildAction } from "../../action/build.ts"

const DIST = new URL("../../action/dist/", import.meta.url)
const MAX_BYTES = 250_000

test("the checked-in files are exactly what the sources build", async () => {
  const built = await buildAction()
  expect(readdirSync(DIST).sort()).toEqual([...built.keys()].sort())
  for (const [name, contents] of built) {
    expect(readFileSync(new URL(name, DIST), "utf8")).toBe(Buffer.from(contents).toString("utf8"))
  }
})

test("the bundle stays small and contains no HTTP client", async () => {
  const built = await buildAction()
  const bytes = [...built.values()].reduce((sum, contents) => sum + contents.byteLength, 0)
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES)
  for (const contents of built.values()) {
    const text = Buffer.from(contents).toString("utf8")
    expect(text).not.toMatch(/node_modules\/(undici|tunnel|@actions\/(http-client|exec|io))\//)
    expect(text).not.toMatch(
      /require\("(?!node:|\.\/(?:run|tools|files|refresh|sweep|main)\.js"|fs"|os"|path"|crypto")[^"]+"\)/,
    )
    expect(text).not.toContain("sourceMappingURL")
  }
})

test("rooms apart take from other files only what these export, and main.js loads each only when a step needs it", async () => {
  const built = await buildAction()
  const text = (name: string) => Buffer.from(built.get(name) ?? "").toString("utf8")
  const offered = (name: string) => {
    const [, exported = ""] = /\n__export\(\w+_exports, \{([^{}]*)\n\}\);\nmodule\.exports/.exec(text(name)) ?? []
    return new Set([...exported.matchAll(/^ {2}(\w+): /gm)].map(([, one]) => one))
  }
  for (const [room, least] of [
    ["run.js", 20],
    ["files.js", 5],
    ["refresh.js", 8],
  ] as const) {
    const taken = [...text(room).matchAll(/(\w+) = (?:__toESM\()?require\("\.\/(\w+\.js)"\)/g)].flatMap(
      ([, variable, from = ""]) =>
        [...text(room).matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, "g"))].map(([, name]) => ({ from, name })),
    )
    expect(taken.length, room).toBeGreaterThanOrEqual(least)
    expect(taken.filter(({ from, name }) => !offered(from).has(name))).toEqual([])
  }
  for (const room of ["run.js", "files.js"]) expect(text("main.js").split(`require("./${room}")`)).toHaveLength(2)
  expect(text("main.js")).not.toContain(`require("./refresh.js")`)
  expect(text("post.js")).not.toMatch(/require\("\.\//)
})

test("refresh.js loads the other files only when it must ask the broker", async () => {
  const text = Buffer.from((await buildAction()).get("refresh.js") ?? "").toString("utf8")
  const atOnce = text.split("\n").filter((line) => /^\S.*require\("\.\//.test(line))
  expect(atOnce).toEqual([])
  expect(text).toContain(`require("./main.js")`)
})

test("the built files contain no path of the machine that built them", async () => {
  for (const contents of (await buildAction()).values()) {
    expect(Buffer.from(contents).toString("utf8")).not.toContain(process.cwd())
  }
})
