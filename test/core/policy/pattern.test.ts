import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compilePattern, MAX_PATTERN_CHARACTERS, matchPattern } from "../../../broker/core/policy/pattern.ts"
import { runs } from "../../support/laws.ts"

const matches = (source: string, value: string): boolean => {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error(compiled.fault)
  return matchPattern(compiled.value, value)
}

describe("a pattern", () => {
  it.each([
    ["refs/heads/main", "refs/heads/main", true],
    ["refs/heads/main", "refs/heads/mainline", false],
    ["refs/heads/main", "xrefs/heads/main", false],
    ["refs/heads/main", "refs/heads/Main", false],
    ["refs/heads/main", "refs/heads/main\n", false],
    ["refs/heads/*", "refs/heads/main", true],
    ["refs/heads/*", "refs/heads/", false],
    ["refs/heads/*", "refs/heads/a/b", false],
    ["refs/heads/**", "refs/heads/a/b", true],
    ["refs/heads/**", "refs/heads/", true],
    ["refs/tags/v*", "refs/tags/v1.2.3", true],
    ["refs/tags/v*", "refs/tags/v", false],
    ["*", "a:b", false],
    ["*", "a@b", false],
    ["*", "a\nb", true],
    ["**", "", true],
    ["*", "", false],
    ["acme/*", "acme-evil/shop", false],
    ["acme*", "acme-evil/shop", false],
    ["acme/shop*", "acme/shop", false],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "abc", false],
    ["a**b", "ab", true],
    ["**a", "aaaa", true],
    ["a\\*", "a*", true],
    ["a\\*", "ab", false],
    ["\\*\\*", "**", true],
    ["a|b", "a", false],
    ["a|b", "a|b", true],
    [".*", "anything", false],
    ["[ab]", "a", false],
    ["(a", "(a", true],
    ["^a$", "a", false],
    ["?", "x", false],
    ["{a}", "{a}", true],
    ["*😀", "a😀", true],
  ])("%j against %j: %j", (pattern, value, expected) => {
    expect(matches(pattern, value)).toBe(expected)
  })

  it.each([
    [""],
    ["a".repeat(MAX_PATTERN_CHARACTERS + 1)],
    ["a\\"],
    ["a\\\\b"],
    ["\\d"],
    ["a***b"],
    ["a\nb"],
    ["a\u0000b"],
  ])("%j is refused", (source) => {
    expect(compilePattern(source).ok).toBe(false)
  })

  it("of the greatest length is taken", () => {
    expect(matches("a".repeat(MAX_PATTERN_CHARACTERS), "a".repeat(MAX_PATTERN_CHARACTERS))).toBe(true)
  })

  const alphabet = fc.constantFrom("a", "b", "/", ":", "@", "*", "\\", ".", "|")
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/", ":", "@", "*", "."), maxLength: 12 })

  it("agrees with the naive reading of the rules, on any value", () => {
    fc.assert(
      fc.property(fc.string({ unit: alphabet, minLength: 1, maxLength: 10 }), text, (source, value) => {
        const compiled = compilePattern(source)
        if (compiled.ok) expect(matchPattern(compiled.value, value)).toBe(naive(source, value))
      }),
      { numRuns: runs(5000) },
    )
  })

  it("matches every text whose stars are escaped, and only that one", () => {
    fc.assert(
      fc.property(
        text.filter((value) => value !== ""),
        text,
        (value, other) => {
          const source = value.replaceAll("*", "\\*")
          expect(matches(source, value)).toBe(true)
          expect(matches(source, other)).toBe(value === other)
        },
      ),
      { numRuns: runs(1000) },
    )
  })

  it("compiles or refuses anything, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), fc.string({ unit: "binary" }), (source, value) => {
        const compiled = compilePattern(source)
        if (compiled.ok) matchPattern(compiled.value, value)
      }),
      { numRuns: runs(1000) },
    )
  })

  it("takes as many steps for a hostile value as for any other of its length", () => {
    // Exponential in backtracking matchers: this ends at all only because the work is bounded.
    expect(matches(`${"**a".repeat(85)}b`, "a".repeat(16_384))).toBe(false)
    expect(matches(`${"*a".repeat(127)}b`, "a".repeat(16_384))).toBe(false)
  })
})

/** The rules as they read, by trying every split: slow and obvious. */
function naive(pattern: string, value: string): boolean {
  if (pattern === "") return value === ""
  if (pattern.startsWith("**")) {
    for (let end = 0; end <= value.length; end++) if (naive(pattern.slice(2), value.slice(end))) return true
    return false
  }
  if (pattern.startsWith("*")) {
    for (let end = 1; end <= value.length && !"/:@".includes(value.charAt(end - 1)); end++) {
      if (naive(pattern.slice(1), value.slice(end))) return true
    }
    return false
  }
  const escaped = pattern.startsWith("\\*")
  const literal = escaped ? "*" : pattern.charAt(0)
  return value.startsWith(literal) && naive(pattern.slice(escaped ? 2 : 1), value.slice(1))
}
