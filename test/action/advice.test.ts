import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { advice, pageOf } from "../../action/advice.ts"
import { OWN_CODES } from "../../action/failure.ts"
import { ERROR_CODES } from "../../broker/wire/error-codes.ts"

test.each([...ERROR_CODES, ...OWN_CODES])("%s has one sentence that says what to change", (code) => {
  const sentence = advice(code)
  const prose = sentence.replaceAll(/`[^`]*`/g, "x")
  expect(prose).toMatch(/^[A-Z][^.!?\n]*(\.(?=[a-z])[^.!?\n]*)*\.$/)
  expect(sentence.length).toBeLessThan(200)
})

test("each of the action's own codes has a different sentence", () => {
  expect(new Set(OWN_CODES.map(advice)).size).toBe(OWN_CODES.length)
})

const PAGE = readFileSync(new URL("../../docs/codes.md", import.meta.url), "utf8")

test.each([...ERROR_CODES, ...OWN_CODES])("%s is explained at the place that its link names", (code) => {
  expect(pageOf(code)).toBe(`https://github.com/daypass/daypass/blob/main/docs/codes.md#${code}`)
  const [, section = ""] = PAGE.split(`\n## ${code}\n`)
  expect(section.split("\n## ")[0]?.replaceAll(/\s+/g, " ")).toContain(advice(code))
})

test("the page explains no code that does not exist", () => {
  const headings = [...PAGE.matchAll(/^## (\w+)$/gm)].map(([, code]) => code)
  expect(headings).toEqual([...ERROR_CODES, ...OWN_CODES])
})
