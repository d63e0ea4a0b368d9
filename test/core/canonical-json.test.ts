import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonicalJson } from "../../broker/core/canonical-json.ts"

/** What an audit record may hold, to any depth that one has. */
const recordable = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.maxSafeInteger().map((number) => number + 0),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "binary" }), tie("value"), { maxKeys: 4 }),
  ),
})).value

describe("the canonical text of a value", () => {
  test.each([
    ["members in the order of their names", { b: 1, a: null, "": "x" }, '{"":"x","a":null,"b":1}'],
    [
      "names by UTF-16 code units, as RFC 8785 section 3.2.3 orders them",
      { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 },
      '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}',
    ],
    ["only the escapes that must be", '\u20ac$\u000f\nA\'B"\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\"/"'],
    ["arrays in their own order", [3, [1], {}], "[3,[1],{}]"],
    [
      "the largest integers",
      [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0],
      "[9007199254740991,-9007199254740991,0]",
    ],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ["a name that is special to JavaScript", JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
  ])("has %s", (_name, value, text) => {
    expect(canonicalJson(value)).toEqual({ ok: true, value: text })
  })

  test.each([
    ["a fraction", 0.5],
    ["an integer that is not safe", 2 ** 53],
    ["minus zero", -0],
    ["not a number", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a boolean", true],
    ["undefined", undefined],
    ["a member that is undefined", { a: undefined }],
    ["a hole", new Array(1)],
    ["a big integer", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a lone surrogate", "\ud800"],
    ["a lone surrogate in a name", { "\udc00": 1 }],
  ])("does not exist for %s", (_name, value) => {
    expect(canonicalJson(value).ok).toBe(false)
    expect(canonicalJson({ deep: [value] }).ok).toBe(false)
  })

  test("does not exist for a value that contains itself", () => {
    const circle: unknown[] = []
    circle.push(circle)
    expect(canonicalJson(circle)).toEqual({ ok: false, fault: "nested too deeply" })
  })

  test("says the value, whole and alone: parsing it gives the value back, and the same text again", () => {
    fc.assert(
      fc.property(recordable, (value) => {
        const text = canonicalJson(value)
        if (!text.ok) throw new Error(text.fault)
        const parsed: unknown = JSON.parse(text.value)
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(parsed)).toEqual(text)
      }),
    )
  })

  test("does not depend on the order in which members were written", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.nat()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toEqual(canonicalJson(value))
      }),
    )
  })
})
