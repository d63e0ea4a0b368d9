import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { SecretFilter } from "../../../action/run/secret-filter.ts"

const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1")
const text = (latin1: string) => Buffer.from(latin1, "latin1").toString("utf8")
const filter = (...masks: string[]) => new SecretFilter(() => new Set(masks))
const hidden = (line: string, ...masks: string[]) => text(filter(...masks).replace(bytes(line)))

describe("a line", () => {
  test.each([
    ["a secret alone", "hunter22", ["hunter22"], "***"],
    ["twice", "hunter22 and hunter22\n", ["hunter22"], "*** and ***\n"],
    ["side by side, as the runner shows them", "hunter22hunter22", ["hunter22"], "***"],
    ["a shorter one inside of a longer one", "abcdefgh", ["abcd", "abcdefgh"], "***"],
    ["two that overlap", "xabcdefy", ["abcd", "cdef"], "x***y"],
    ["one that overlaps itself", "xababay", ["aba"], "x***y"],
    ["of one character", "2031", ["3"], "20***1"],
    ["with characters of several bytes", "é–pässwörd–é", ["pässwörd"], "é–***–é"],
    ["as JSON escapes it", String.raw`{"a":"x\"y\\z"}`, ['x"y\\z'], '{"a":"***"}'],
    ["as a URI escapes it", "?q=a%26b%3Dc", ["a&b=c"], "?q=***"],
    ["as XML escapes it", "<v>a&amp;&lt;b</v>", ["a&<b"], "<v>***</v>"],
    ["none", "nothing here", ["hunter22"], "nothing here"],
  ])("with %s", (_, line, masks, expected) => {
    expect(hidden(line, ...masks)).toBe(expected)
  })

  test("hides a mask that was added later", () => {
    const masks = new Set<string>()
    const later = new SecretFilter(() => masks)
    expect(later.replace("hunter22")).toBe("hunter22")
    masks.add("hunter22")
    expect(later.replace("hunter22")).toBe("***")
  })
})

describe("laws", () => {
  // Few characters, so that texts overlap each other and themselves.
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 6 })
  const line = fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), maxLength: 40 })

  test("every character of every occurrence is hidden, and no other one", () => {
    fc.assert(
      fc.property(line, fc.array(word, { minLength: 1, maxLength: 5 }), (shown, masks) => {
        const covered = [...shown].map((_, at) =>
          masks.some((mask) => occurrences(shown, mask).some(([start, end]) => start <= at && at < end)),
        )
        const expected = [...shown]
          .map((character, at) => (covered[at] ? (covered[at - 1] ? "" : "***") : character))
          .join("")
        expect(filter(...masks).replace(shown)).toBe(expected)
      }),
    )
  })

  test("a line that is shown in pieces hides what a whole one hides", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), fc.array(word, { minLength: 1, maxLength: 5 }), (parts, masks) => {
        const open = filter(...masks)
        let shown = ""
        let state = { rest: "", covered: 0 }
        for (const part of parts) {
          const piece = open.replaceOpen(state.rest + part, state.covered)
          shown += piece.shown
          state = piece
        }
        shown += open.replace(state.rest, state.covered)
        // Two secrets that touch where pieces meet become two marks.
        expect(shown.replaceAll(/(\*\*\*)+/g, "***")).toBe(filter(...masks).replace(parts.join("")))
      }),
    )
  })
})

function occurrences(where: string, what: string): [number, number][] {
  return [...where].flatMap((_, at) => (where.startsWith(what, at) ? [[at, at + what.length] as [number, number]] : []))
}
