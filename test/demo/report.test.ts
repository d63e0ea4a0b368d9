import { afterEach, describe, expect, test, vi } from "vitest"
import { Report } from "./report.ts"

const written: string[] = []
vi.spyOn(console, "log").mockImplementation((text: string) => void written.push(text))
afterEach(() => {
  written.length = 0
})

describe("the demo is not as it must be when", () => {
  const STEPS: readonly [string, (report: Report) => Promise<void>][] = [
    ["one fact does not hold", (report) => report.step("a", async ({ check }) => check("two is three", false))],
    [
      "a later fact holds again",
      (report) =>
        report.step("a", async ({ check }) =>
          [false, true].forEach((holds) => {
            check("it", holds)
          }),
        ),
    ],
    ["a step throws", (report) => report.step("a", () => Promise.reject(new Error("no such job")))],
    ["a step finds nothing to check", (report) => report.step("a", async () => {})],
    ["a step never ran", async () => {}],
  ]
  test.each(STEPS)("%s", async (_, run) => {
    const report = new Report("json")
    await run(report)
    expect(report.close(1, 0)).toBe(false)
    expect(JSON.parse(written.join(""))).toMatchObject({ ok: false })
  })
})

test("the demo is as it must be when every step is, and tells each fact in JSON", async () => {
  const report = new Report("json")
  await report.step("a", async ({ check, show }) => {
    show("not in JSON", "text")
    check("one fact", true)
    check("another", true)
  })
  expect(report.close(1, 0)).toBe(true)
  expect(written).toEqual([JSON.stringify({ steps: [{ name: "a", ok: true, detail: "one fact; another" }], ok: true })])
})

test("the short form has a line for each headline, and for each step that failed", async () => {
  const report = new Report("short")
  await report.step("quiet", async ({ check, show }) => {
    show("not here", "text")
    check("one fact", true)
  })
  await report.step("told", async ({ check, headline }) => {
    check("another", true)
    headline("it happened")
  })
  await report.step("broken", async ({ check, headline }) => {
    headline("it happened, too")
    check("two is three", false)
  })
  expect(report.close(3, 1)).toBe(false)
  expect(written.map((line) => line.replace(/[0-9.]+ s\b(?!teps)/, "N s"))).toEqual([
    expect.stringMatching(/✓ {2}N s {2}it happened/),
    expect.stringMatching(/✗ {2}N s {2}broken: FAILED: two is three/),
    expect.stringMatching(/2 of 3 steps passed in N s\./),
  ])
})
