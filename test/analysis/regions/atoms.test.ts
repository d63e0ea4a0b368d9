import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { atomsOf, escaping, meeting } from "../../../analysis/regions/atoms.ts"
import {
  between,
  common,
  followedBy,
  has,
  INSERTABLE,
  languageOfPattern,
  languageOfText,
  WORD,
} from "../../../analysis/regions/language.ts"
import { matchPattern, type Pattern } from "../../../broker/core/policy/pattern.ts"
import { isInsertable } from "../../../broker/core/policy/template.ts"
import { runs } from "../../support/laws.ts"
import { anyPattern, anyText, must, pattern } from "../patterns.ts"

const RUNS = { numRuns: runs(2000) }
const languages = (...sources: string[]) => sources.map((source) => languageOfPattern(pattern(source)))
const membersOf = (patterns: readonly Pattern[], text: string) =>
  patterns.flatMap((one, index) => (matchPattern(one, text) ? [index] : []))

describe("a language", () => {
  it("of a pattern has what the engine matches", () => {
    fc.assert(
      fc.property(anyPattern, anyText, (one, text) => {
        expect(has(languageOfPattern(one), text)).toBe(matchPattern(one, text))
      }),
      RUNS,
    )
  })

  it("of what may be inserted has what the engine inserts", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(has(INSERTABLE, text)).toBe(isInsertable(text))
      }),
      RUNS,
    )
    for (const text of ["..", "..a", "a..", "-", "A9_", ""]) expect(has(INSERTABLE, text)).toBe(isInsertable(text))
  })

  it("between two texts has what makes them whole", () => {
    const short = fc.constantFrom("", "a", "b", "a/", "ab", "/")
    fc.assert(
      fc.property(anyPattern, short, anyText, short, (one, before, text, after) => {
        const quotient = between(before, languageOfPattern(one), after)
        expect(has(quotient, text)).toBe(matchPattern(one, before + text + after))
      }),
      RUNS,
    )
  })

  it("common to two has what both have", () => {
    const either = fc.oneof(anyPattern.map(languageOfPattern), fc.constantFrom(INSERTABLE, WORD))
    fc.assert(
      fc.property(either, either, anyText, (one, other, text) => {
        expect(has(common(one, other), text)).toBe(has(one, text) && has(other, text))
      }),
      RUNS,
    )
  })

  it("followed by another has every text of the one before every text of the other", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, anyText, (one, other, text) => {
        const cuts = Array.from({ length: text.length + 1 }, (_, at) => at)
        const expected = cuts.some((at) => matchPattern(one, text.slice(0, at)) && matchPattern(other, text.slice(at)))
        expect(has(followedBy(languageOfPattern(one), languageOfPattern(other)), text)).toBe(expected)
      }),
      RUNS,
    )
  })
})

describe("the atoms of patterns", () => {
  const somePatterns = fc.array(anyPattern, { maxLength: 5 })

  it("have a witness that belongs to them, each other combination, and a place for any text", () => {
    fc.assert(
      fc.property(somePatterns, anyText, (patterns, text) => {
        const atoms = must(atomsOf(patterns.map(languageOfPattern)))
        for (const { members, witness } of atoms) expect(membersOf(patterns, witness)).toEqual(members)
        const keys = atoms.map(({ members }) => members.join())
        expect(new Set(keys).size).toBe(keys.length)
        expect(keys).toContain(membersOf(patterns, text).join())
      }),
      RUNS,
    )
  })

  it("have the shortest witness, and the empty one only if there is no other", () => {
    fc.assert(
      fc.property(somePatterns, anyText, (patterns, text) => {
        const atoms = must(atomsOf(patterns.map(languageOfPattern)))
        const own = atoms.find(({ members }) => members.join() === membersOf(patterns, text).join())
        if (text === "") return
        expect(own?.witness.length).toBeGreaterThan(0)
        expect(own?.witness.length).toBeLessThanOrEqual(text.length)
      }),
      RUNS,
    )
  })

  it("stay within what a value can be, and lose none of it", () => {
    fc.assert(
      fc.property(
        somePatterns,
        fc.array(anyPattern, { minLength: 1, maxLength: 2 }),
        anyText,
        (patterns, outer, text) => {
          const atoms = must(atomsOf(patterns.map(languageOfPattern), { within: outer.map(languageOfPattern) }))
          const inside = (one: string) => outer.some((each) => matchPattern(each, one))
          for (const { members, witness } of atoms) {
            expect(inside(witness)).toBe(true)
            expect(membersOf(patterns, witness)).toEqual(members)
          }
          if (inside(text))
            expect(atoms.map(({ members }) => members.join())).toContain(membersOf(patterns, text).join())
        },
      ),
      RUNS,
    )
  })

  it("take samples as witnesses, the best first", () => {
    const atoms = must(
      atomsOf(languages("refs/heads/*", "refs/heads/main", "refs/tags/**"), {
        samples: ["refs/heads/feature", "refs/heads/main", "refs/heads/other"],
      }),
    )
    expect(atoms).toEqual([
      { members: [0], witness: "refs/heads/feature" },
      { members: [0, 1], witness: "refs/heads/main" },
      { members: [], witness: "x" },
      { members: [2], witness: "refs/tags/" },
    ])
  })

  it.each([
    { of: ["a", "b"], witnesses: ["x", "a", "b"] },
    { of: ["**"], witnesses: ["x"] },
    { of: ["*"], witnesses: ["x", "/"] },
    { of: [], witnesses: ["x"] },
    { of: ["v*", "v**"], witnesses: ["x", "v", "vx"] },
    { of: ["*x*"], witnesses: ["x", "xxy"] },
  ])("of $of are read easily", ({ of, witnesses }) => {
    expect(
      must(atomsOf(languages(...of)))
        .map(({ witness }) => witness)
        .sort(),
    ).toEqual([...witnesses].sort())
  })

  it("of a thousand names come at once", () => {
    const names = Array.from({ length: 1000 }, (_, index) => `acme/repository-${index}`)
    expect(must(atomsOf(languages("acme/*-1*", ...names)))).toHaveLength(1002)
  })

  it.each([
    { name: "stars around one letter", sources: Array.from({ length: 20 }, (_, n) => `${"*a".repeat(n + 1)}*`) },
    { name: "stars around two letters", sources: Array.from({ length: 20 }, (_, n) => `${"*a".repeat(n + 1)}*b*`) },
    { name: "stars around many", sources: [..."abcdefghijklmnopqrst"].map((letter) => `**${letter}**`) },
    { name: "stars at a distance", sources: Array.from({ length: 20 }, (_, n) => `**a${"*b".repeat(n)}**c*`) },
    {
      name: "long and starry",
      sources: Array.from({ length: 50 }, (_, n) => `${"*a".repeat(120)}${"*b".repeat(n % 3)}**`),
    },
  ])("of the worst patterns are found, or said to be too complex: $name", ({ sources }) => {
    const patterns = sources.map(pattern)
    const atoms = atomsOf(patterns.map(languageOfPattern))
    if (atoms.ok) for (const { members, witness } of atoms.value) expect(membersOf(patterns, witness)).toEqual(members)
    else expect(atoms.fault).toEqual({ kind: "too_complex", reason: "these patterns overlap in too many ways" })
  })

  it("are too complex past the limit, rather than too few", () => {
    const letters = [..."abcdefghijklmnopqrst"].map((letter) => `**${letter}**`)
    expect(atomsOf(languages(...letters)).ok).toBe(false)
    expect(atomsOf(languages("refs/heads/*"), { maxMoves: 5 }).ok).toBe(false)
  })
})

describe("two patterns", () => {
  it.each([
    ["refs/heads/*", "refs/*/main", "refs/heads/main"],
    ["acme/svc-*", "acme/*-eu", "acme/svc-eu"],
    ["a*", "*/b", null],
    ["a", "b", null],
    ["acme/*", "acme/**", "acme/x"],
  ])("%s and %s meet in %s", (one, other, expected) => {
    const [first, second] = languages(one, other)
    if (!first || !second) throw new Error("two patterns")
    const shared = must(meeting(first, second))
    if (expected === null) expect(shared).toBeNull()
    else {
      expect(shared).toHaveLength(expected.length)
      expect(has(first, shared ?? "") && has(second, shared ?? "")).toBe(true)
    }
  })
})

describe("whether others cover a pattern", () => {
  it.each([
    { one: "a*", others: ["*"], escapes: null },
    { one: "*", others: ["a*"], escapes: "x" },
    { one: "refs/heads/release-*", others: ["refs/heads/*"], escapes: null },
    { one: "refs/heads/*", others: ["refs/heads/a**", "refs/heads/b**"], escapes: "refs/heads/x" },
    { one: "**", others: ["*", "**/**", "**:**", "**@**"], escapes: "" },
    { one: "a", others: [], escapes: "a" },
  ])("$others over $one is told by a witness: $escapes", ({ one, others, escapes }) => {
    const [language] = languages(one)
    if (!language) throw new Error("a pattern")
    expect(must(escaping(language, languages(...others)))).toBe(escapes)
  })

  it("agrees with the engine on every text", () => {
    fc.assert(
      fc.property(anyPattern, fc.array(anyPattern, { maxLength: 3 }), anyText, (one, others, text) => {
        const found = must(escaping(languageOfPattern(one), others.map(languageOfPattern)))
        const escapes = (each: string) => matchPattern(one, each) && !others.some((other) => matchPattern(other, each))
        if (found === null) expect(escapes(text)).toBe(false)
        else expect(escapes(found)).toBe(true)
      }),
      RUNS,
    )
  })

  it("knows a text from its patterns", () => {
    expect(must(escaping(languageOfText("a"), languages("*")))).toBeNull()
    expect(must(escaping(languageOfText("/"), languages("*")))).toBe("/")
  })
})
