import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { escaping, meeting } from "../../../analysis/regions/atoms.ts"
import { followedBy, languageOfPattern, languageOfText } from "../../../analysis/regions/language.ts"
import { matchesSome, probesOf } from "../../../broker/core/families/probes.ts"
import { matchPattern, type Pattern } from "../../../broker/core/policy/pattern.ts"
import { runs } from "../../support/laws.ts"
import { must, pattern } from "../patterns.ts"

// The broker tells with a few probes whether patterns match every value. Automata tell it exactly, and both must agree.

const ABOUT = { unit: "acme/shop", unitId: "41", ownerId: "9001" }
const piece = fc.constantFrom("*", "*", "**", "**", "/", ":", "@", "x", "r", "refs/heads/", "refs/tags/")
const patternOf = (from: fc.Arbitrary<string>): fc.Arbitrary<Pattern> =>
  fc
    .array(from, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join(""))
    .filter((source) => !source.includes("***"))
    .map(pattern)
const some = fc.array(patternOf(piece), { minLength: 1, maxLength: 4 })
const RUNS = { numRuns: runs(2000) }

const spelt = (patterns: readonly Pattern[]) => new Set(patterns.map(({ source }) => source).join(""))
const coveredByProbes = (form: "ref" | undefined, patterns: readonly Pattern[]) =>
  probesOf(form, spelt(patterns), ABOUT).some((values) =>
    values.every((value) => patterns.some((one) => matchPattern(one, value))),
  )
const endingIn = (last: string) => followedBy(languageOfPattern(pattern("**")), languageOfPattern(pattern(last)))
/** Ends in something other than a separator, as probes do. */
const NOT_EMPTY = endingIn("*")

describe("probes", () => {
  it("of any text are matched by patterns that match every text, and by no others", () => {
    let covered = 0
    fc.assert(
      fc.property(some, (patterns) => {
        const exact = must(escaping(NOT_EMPTY, patterns.map(languageOfPattern))) === null
        if (exact) covered++
        if (exact) expect(coveredByProbes(undefined, patterns)).toBe(true)
        else if (coveredByProbes(undefined, patterns)) {
          // Probes have words between separators: only texts with two separators in a row may be missed.
          const missed = must(escaping(NOT_EMPTY, patterns.map(languageOfPattern))) ?? ""
          expect(missed).toMatch(/[/:@]{2}|^[/:@]/)
        }
      }),
      RUNS,
    )
    expect(covered).toBeGreaterThan(0)
  })

  it("of a ref are matched by patterns that match every branch and tag", () => {
    let covered = 0
    fc.assert(
      fc.property(some, (patterns) => {
        const exact = ["refs/heads/", "refs/tags/"].every(
          (prefix) =>
            must(escaping(followedBy(languageOfText(prefix), NOT_EMPTY), patterns.map(languageOfPattern))) === null,
        )
        if (!exact) return
        covered++
        expect(coveredByProbes("ref", patterns)).toBe(true)
      }),
      RUNS,
    )
    expect(covered).toBeGreaterThan(0)
  })

  it("are not needed to tell whether a pattern matches some branch or tag", () => {
    // A colon stands in no ref; automata know nothing of that.
    const inRefs = patternOf(piece.filter((part) => part !== ":"))
    fc.assert(
      fc.property(inRefs, (one) => {
        const languages = ["refs/heads/", "refs/tags/"].flatMap((prefix) =>
          ["*", "/", "@"].map((last) => followedBy(languageOfText(prefix), endingIn(last))),
        )
        const found = languages.some((language) => must(meeting(languageOfPattern(one), language)) !== null)
        expect(matchesSome("ref", one)).toBe(found)
      }),
      RUNS,
    )
  })
})
