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
    expect(text).not.toMatch(/require\("(?!node:|\.\/(?:run|tools|sweep|main)\.js"|fs"|os"|path"|crypto")[^"]+"\)/)
    expect(text).not.toContain("sourceMappingURL")
  }
})

test.each([
  ["run.js", 20],
  ["tools.js", 3],
])("%s takes from main.js only what it exports, and main.js loads it only when it needs it", async (room, least) => {
  const built = await buildAction()
  const text = (name: string) => Buffer.from(built.get(name) ?? "").toString("utf8")
  const [apart, main] = [text(room), text("main.js")]
  const exported = /__export\(main_exports, \{(.*?)\n\}\)/s.exec(main)?.[1] ?? ""
  const offered = new Set([...exported.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name))
  const taken = [...apart.matchAll(/var (\w+) = (?:__toESM\()?require\("\.\/main\.js"\)/g)].flatMap(([, variable]) =>
    [...apart.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, "g"))].map(([, name]) => name),
  )
  expect(taken.length).toBeGreaterThan(least)
  expect(taken.filter((name) => !offered.has(name))).toEqual([])
  expect(main.split(`require("./${room}")`)).toHaveLength(2)
  expect(text("post.js")).not.toContain(room)
})

test("the built files contain no path of the machine that built them", async () => {
  for (const contents of (await buildAction()).values()) {
    expect(Buffer.from(contents).toString("utf8")).not.toContain(process.cwd())
  }
})
