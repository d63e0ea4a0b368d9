import { readdirSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { buildAction } from "../../action/build.ts"

const DIST = new URL("../../action/dist/", import.meta.url)
const MAX_BYTES = 700_000

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
    expect(text).not.toMatch(/require\("(?!node:|\.\/run\.js"|fs"|os"|path"|crypto")[^"]+"\)/)
    expect(text).not.toContain("sourceMappingURL")
  }
})

test("the built files contain no path of the machine that built them", async () => {
  for (const contents of (await buildAction()).values()) {
    expect(Buffer.from(contents).toString("utf8")).not.toContain(process.cwd())
  }
})
