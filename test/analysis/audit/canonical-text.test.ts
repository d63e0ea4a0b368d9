import fc from "fast-check"
import { expect, it } from "vitest"
import { isCanonicalText } from "../../../analysis/audit/canonical-text.ts"
import { canonicalJson } from "../../../broker/core/canonical-json.ts"
import { runs } from "../../support/laws.ts"

const names = fc.oneof(
  fc.constantFrom("a", "b", "B", "10", "9", "é", "\ud83d\ude00", "\ufb33"),
  fc.string({ unit: "binary" }),
)
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, -0, 1.5, 2 ** 53, "\ud800", "\\ud800", "\u2028", '"'),
    fc.string({ unit: "binary" }),
    fc.maxSafeInteger(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(names, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value

it("says of every text whether it is what canonicalJson writes for its value", () => {
  fc.assert(
    fc.property(values, fc.constantFrom("", " "), fc.boolean(), (value, space, sorted) => {
      const canonical = canonicalJson(value)
      const text = sorted && canonical.ok ? canonical.value : JSON.stringify(value) + space
      const parsed: unknown = JSON.parse(text)
      const expected = canonicalJson(parsed)
      expect(isCanonicalText(text, parsed)).toBe(expected.ok && expected.value === text)
    }),
    { numRuns: runs(5_000) },
  )
})

it("takes a value that is nested as deeply as canonicalJson allows, and no deeper", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
  for (const depth of [16, 17, 31, 32]) expect(isCanonicalText(nested(depth), JSON.parse(nested(depth)))).toBe(true)
  expect(isCanonicalText(nested(33), JSON.parse(nested(33)))).toBe(false)
})
