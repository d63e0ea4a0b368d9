// The answer to "does this let in a text beyond the known ones" must be exact: it is compared with a search of every text.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { beyond, type Demand, fulfils, inAnyCase, listed, literal, wild } from "../../../analysis/trust/wild.ts"

/** Three letters, of which patterns spell out two: the third stands for all others. */
const LETTERS = ["a", "b", "c"]
const LONGEST = 5
const EVERY: readonly string[] = Array.from({ length: LONGEST + 1 }, (_, length) => length).flatMap((length) =>
  Array.from({ length: LETTERS.length ** length }, (_, number) =>
    Array.from({ length }, (_, at) => LETTERS[Math.floor(number / LETTERS.length ** at) % LETTERS.length]).join(""),
  ),
)

/** A pattern as IAM compares it, by a regular expression and not by the code under test. */
function matchesByExpression(source: string, text: string): boolean {
  const expression = [...source].map((one) => (one === "*" ? "[^]*" : one === "?" ? "[^]" : one)).join("")
  return new RegExp(`^(?:${expression})$`).test(text)
}

const anySource = fc.array(fc.constantFrom("a", "b", "*", "?"), { maxLength: 4 }).map((parts) => parts.join(""))
const anySources = fc.array(anySource, { minLength: 1, maxLength: 3 })
const anyDemand = fc.record({ sources: anySources, negated: fc.boolean() })
const anyKnown = fc.array(
  fc.array(fc.constantFrom(...LETTERS), { maxLength: 4 }).map((parts) => parts.join("")),
  {
    maxLength: 12,
  },
)

const demandOf = ({ sources, negated }: { sources: string[]; negated: boolean }): Demand => ({
  patterns: sources.map((source) => wild(source)),
  negated,
})
const passes = (text: string, demands: readonly { sources: string[]; negated: boolean }[]) =>
  demands.every(({ sources, negated }) => sources.some((source) => matchesByExpression(source, text)) !== negated)

describe("a pattern", () => {
  it("matches exactly what IAM's wildcards match", () => {
    fc.assert(
      fc.property(anySource, (source) => {
        for (const text of EVERY)
          expect(fulfils(text, [{ patterns: [wild(source)], negated: false }])).toBe(matchesByExpression(source, text))
      }),
      { numRuns: 50 },
    )
  })

  it("lists its texts exactly when it has no wildcard", () => {
    expect(listed([{ patterns: [wild("ab"), literal("a*")], negated: false }])).toEqual(["ab", "a*"])
    expect(listed([{ patterns: [wild("ab"), wild("a*")], negated: false }])).toBeNull()
    expect(listed([{ patterns: [wild("a?", false)], negated: false }])).toEqual(["a?"])
    expect(listed([{ patterns: [literal("a")], negated: true }])).toBeNull()
  })

  it("in any case matches each spelling and nothing else", () => {
    const demand = [{ patterns: [inAnyCase("aB-1")], negated: false }]
    expect(["ab-1", "AB-1", "Ab-1"].every((text) => fulfils(text, demand))).toBe(true)
    expect(["ab-2", "ab-", "xab-1"].some((text) => fulfils(text, demand))).toBe(false)
  })
})

describe("beyond the known texts", () => {
  it("something is found exactly when a search of every text finds it", () => {
    fc.assert(
      fc.property(fc.array(anyDemand, { minLength: 1, maxLength: 3 }), anyKnown, (demands, list) => {
        const known = new Set(list)
        const found = beyond(demands.map(demandOf), known, [])
        expect(found).not.toBe("unknown")
        // A text that is longer than every pattern and every known text is like one of the searched ones with another end.
        const searched = EVERY.some((text) => passes(text, demands) && !known.has(text))
        if (found === null) expect(searched).toBe(false)
        else if (found !== "unknown") {
          expect(passes(found.text, demands)).toBe(true)
          expect(known.has(found.text)).toBe(false)
        }
        if (searched) expect(found).not.toBeNull()
      }),
      { numRuns: 400 },
    )
  })

  it("a sample is preferred, if the pattern lets it in", () => {
    const demands = [{ patterns: [wild("github:*")], negated: false }]
    expect(beyond(demands, new Set(["github:a"]), ["other", "github:a", "github:real"])).toEqual({
      text: "github:real",
    })
  })

  it("a pattern that other conditions close has nothing", () => {
    const closed: Demand[] = [
      { patterns: [wild("a*")], negated: false },
      { patterns: [wild("?")], negated: false },
    ]
    expect(beyond(closed, new Set(["a"]), [])).toBeNull()
    expect(
      beyond(
        [
          { patterns: [wild("*")], negated: false },
          { patterns: [wild("*")], negated: true },
        ],
        new Set(),
        [],
      ),
    ).toBeNull()
  })

  it("stays within its bound for many patterns and many known texts, and says so when it cannot tell", () => {
    const stars = Array.from({ length: 40 }, (_, index) => wild(`*a${"?".repeat(index)}b*${index}`))
    const known = new Set(Array.from({ length: 3000 }, (_, index) => `a${index}`))
    const demands: Demand[] = [
      { patterns: stars, negated: true },
      { patterns: [wild("a*")], negated: false },
      { patterns: [wild("?".repeat(4)), wild("a???")], negated: false },
    ]
    const found = beyond(demands, known, [])
    expect(found === "unknown" || found === null || !known.has(found.text)).toBe(true)
  })
})
