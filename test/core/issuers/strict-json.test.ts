import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { MAX_JSON_DEPTH, parseStrictJsonObject } from "../../../broker/issuers/strict-json.ts"
import { runs } from "../../support/laws.ts"
import { utf8 } from "./fixture.ts"

const parse = (text: string) => parseStrictJsonObject(utf8(text))
const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`

describe("a JSON object is taken", () => {
  test.each([
    ["empty", "{}", {}],
    [
      "with white space of all four kinds",
      ' \t\n\r{ \t\n\r"a" \t\n\r: \t\n\r1 \t\n\r, "b" : [ 1 , 2 ] } \t\n\r',
      { a: 1, b: [1, 2] },
    ],
    [
      "with every kind of value",
      '{"a":true,"b":false,"c":null,"d":"x","e":[{}],"f":{"g":[]}}',
      { a: true, b: false, c: null, d: "x", e: [{}], f: { g: [] } },
    ],
    ["with every escape", String.raw`{"a":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"}`, { a: '"\\/\b\f\n\r\tä😀' }],
    ["with characters of all lengths", '{"ä":"€😀\u007f"}', { ä: "€😀\u007f" }],
    [
      "with safe integers and true fractions",
      '{"a":0,"b":-1,"c":9007199254740991,"d":0.5,"e":1.5e-3}',
      { a: 0, b: -1, c: 9007199254740991, d: 0.5, e: 0.0015 },
    ],
    ["at the greatest depth", nested(MAX_JSON_DEPTH), JSON.parse(nested(MAX_JSON_DEPTH))],
  ])("%s", (_, text, value) => {
    const parsed = parse(text)
    expect(parsed.ok && structuredClone(parsed.value)).toEqual(value)
  })
})

describe("refused is", () => {
  test.each([
    ["nothing", "", "is not a JSON object"],
    ["an array", "[]", "is not a JSON object"],
    ["a string", '"a"', "is not a JSON object"],
    ["a byte order mark", "\ufeff{}", "is not a JSON object"],
    ["a second value", "{}{}", "is not JSON"],
    ["a NUL behind the end", "{}\0", "is not JSON"],
    ["a missing end", '{"a":1', "is not JSON"],
    ["a string without an end", '{"a', "is not JSON"],
    ["an escape without an end", '{"a\\', "is not JSON"],
    ["a trailing comma", '{"a":1,}', "is not JSON"],
    ["a comma in an empty array", '{"a":[,]}', "is not JSON"],
    ["a missing comma", '{"a":1 "b":2}', "is not JSON"],
    ["a missing colon", '{"a" 1}', "is not JSON"],
    ["a missing value", '{"a":}', "is not JSON"],
    ["an unquoted key", "{a:1}", "is not JSON"],
    ["a single quote", "{'a':1}", "is not JSON"],
    ["a comment", '{"a":1/**/}', "is not JSON"],
    ["a word that JSON has not", '{"a":undefined}', "is not JSON"],
    ["a word in capitals", '{"a":True}', "is not JSON"],
    ["a word with a tail", '{"a":truely}', "is not JSON"],
    ["a leading zero", '{"a":01}', "is not JSON"],
    ["a plus sign", '{"a":+1}', "is not JSON"],
    ["a number that begins with a point", '{"a":.5}', "is not JSON"],
    ["a number that ends with a point", '{"a":1.}', "is not JSON"],
    ["a hexadecimal number", '{"a":0x1}', "is not JSON"],
    ["NaN", '{"a":NaN}', "is not JSON"],
    ["other white space", '{\u00a0"a":1}', "is not JSON"],
    ["a raw control character in a string", '{"a":"\n"}', "is not JSON"],
    ["an unknown escape", String.raw`{"a":"\x41"}`, "is not JSON"],
    ["a short \\u escape", String.raw`{"a":"\u00e"}`, "is not JSON"],
    ["a \\u escape with a sign", String.raw`{"a":"\u+123"}`, "is not JSON"],
    ["half a surrogate pair", String.raw`{"a":"\ud83d"}`, "surrogate"],
    ["half a surrogate pair in a key", String.raw`{"\ude00":1}`, "surrogate"],
    ["the same key twice", '{"a":1,"a":1}', "same key twice"],
    ["the same key twice, once escaped", String.raw`{"a":1,"\u0061":2}`, "same key twice"],
    ["the same key twice further in", '{"a":[{"b":1,"b":2}]}', "same key twice"],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}', "same key twice"],
    ["an integer that a double rounds", '{"a":9007199254740993}', "exactly"],
    ["an integer too large for a double", '{"a":1e400}', "exactly"],
    ["a fraction that a double makes an integer", '{"a":1795300300.00000000001}', "exactly"],
    ["an integer written as a fraction", '{"a":1.0}', "exactly"],
    ["an integer written with an exponent", '{"a":1e3}', "exactly"],
    ["one level too many", nested(MAX_JSON_DEPTH + 1), "deeper than 8"],
    [
      "one object too many in objects",
      `${'{"a":'.repeat(MAX_JSON_DEPTH)}{}${"}".repeat(MAX_JSON_DEPTH)}`,
      "deeper than 8",
    ],
    [
      "one level too many, of objects and lists in turn",
      `${'{"a":['.repeat(MAX_JSON_DEPTH / 2)}{}${"]}".repeat(MAX_JSON_DEPTH / 2)}`,
      "deeper than 8",
    ],
    ["an object for every few bytes", '{"a":'.repeat(12_000), "deeper than 8"],
    ["a key without the quotation mark before it", '{a":1}', "is not JSON"],
    ["a key behind a letter", '{xa":1}', "is not JSON"],
    ["a level for each byte", `{"a":${"[".repeat(60_000)}`, "deeper than 8"],
  ])("%s", (_, text, fault) => {
    expect(parse(text)).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })

  test.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate in three bytes", [0xed, 0xa0, 0x80]],
    ["a sequence that is cut off", [0xe2, 0x82]],
  ])("UTF-8 with %s", (_, bytes) => {
    const text = Uint8Array.from([...utf8('{"a":"'), ...bytes, ...utf8('"}')])
    expect(parseStrictJsonObject(text)).toEqual({ ok: false, fault: "is not UTF-8" })
  })
})

test("keys that name parts of a prototype are keys and nothing else", () => {
  const parsed = parse('{"__proto__":{"admin":true},"constructor":1,"toString":"x"}')
  if (!parsed.ok) throw new Error(parsed.fault)
  expect(Object.keys(parsed.value)).toEqual(["__proto__", "constructor", "toString"])
  expect(Object.getPrototypeOf(parsed.value)).toBeNull()
  expect(parsed.value["admin"]).toBeUndefined()
  expect("hasOwnProperty" in parsed.value).toBe(false)
  expect(({} as Record<string, unknown>)["admin"]).toBeUndefined()
})

describe("as a law", () => {
  test("what JSON.stringify writes is read as JSON.parse reads it", () => {
    const value = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 5 }))
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        const parsed = parse(text)
        // The two ways in which we take less: numbers that a double cannot be trusted with.
        const inexact = !parsed.ok && parsed.fault.includes("exactly")
        if (!inexact) expect(parsed.ok && JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(text))
      }),
    )
  })

  test("whatever is taken, JSON.parse takes too, and reads alike", () => {
    const fragment = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      '"a"',
      "1",
      "-",
      ".5",
      "e9",
      "true",
      "null",
      "\\u0061",
      " ",
      "\n",
    )
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fragment).map((parts) => `{${parts.join("")}}`),
    )
    fc.assert(
      fc.property(text, (candidate) => {
        const parsed = parse(candidate)
        if (parsed.ok) expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(candidate))
      }),
      { numRuns: runs(2000) },
    )
  })

  test("no bytes make it throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof parseStrictJsonObject(bytes).ok === "boolean"),
    )
  })
})
