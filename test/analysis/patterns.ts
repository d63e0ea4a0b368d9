import fc from "fast-check"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { compilePattern, type Pattern } from "../../broker/core/policy/pattern.ts"

/** A pattern that is known to be good. */
export function pattern(source: string): Pattern {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error(compiled.fault)
  return compiled.value
}

/** Patterns over an alphabet so small that they meet all the time. */
export const anyPattern: fc.Arbitrary<Pattern> = fc
  .array(fc.constantFrom("a", "b", "/", ".", "*", "**"), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(""))
  .filter((source) => !source.includes("***"))
  .map(pattern)

/** Texts over the same alphabet, and some of what it leaves out. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom("a", "b", "/", ".", ":", "@", "x", "_", " ", "é", "\ud83d", "\u0000"), { maxLength: 8 })
  .map((characters) => characters.join(""))

const anyPatterns = fc.array(anyPattern, { minLength: 1, maxLength: 3 })

/** Any condition on one of these claims. */
export const conditionOn = (...claims: readonly string[]): fc.Arbitrary<Condition> =>
  fc.record({
    claim: fc.constantFrom(...claims),
    test: fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("any", "none"), patterns: anyPatterns }) },
      fc.record({ kind: fc.constant("present"), present: fc.boolean() }),
    ),
  }) as fc.Arbitrary<Condition>

/** The value of a result that must be one. */
export function must<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly fault: unknown },
): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.fault))
  return result.value
}
