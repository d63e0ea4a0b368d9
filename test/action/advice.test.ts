import { expect, test } from "vitest"
import { advice } from "../../action/advice.ts"
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
