import { execFileSync } from "node:child_process"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isTooCommon, masksFor } from "../../action/masks.ts"
import { runnerMasker } from "../support/runner-masker.ts"
import { readable } from "./framings.ts"

function maskerFor(secret: string) {
  const masker = runnerMasker()
  for (const mask of masksFor(secret)) masker.addMask(mask)
  return (text: string) => text.split("\n").map(masker.mask).join("\n")
}

describe("a secret that is too common", () => {
  test.each([
    ...["3", "abc", "a b", "()", " ab\n", "yes", "ON"],
    ...["1234567", "-1234567", "12.5", "1e10", "+49", "1,000"],
    ...["true", "False", "NULL", "none", "undefined", "disabled"],
    ...["======", "-----", "{ }", "$$$$$$$$", "!@#%^&*()_+"],
    ...["1\n2\n3", "}\n]\n}", "yes\r\nno"],
  ])("is not masked: %j", (secret) => {
    expect([masksFor(secret), isTooCommon(secret)]).toEqual([[], true])
  })

  test.each(["", " ", "\n\n"])("is not said of nothing: %j", (secret) => {
    expect([masksFor(secret), isTooCommon(secret)]).toEqual([[], false])
  })

  test.each(["abcd", "12345678", "1234-567", "0x12ab", "truer", "a===", "🔑🔑", "x\n1\ny\nword"])(
    "is not %j",
    (secret) => {
      expect(isTooCommon(secret)).toBe(false)
      expect(masksFor(secret).length).toBeGreaterThan(0)
    },
  )
})

test("every mask is one line, no shorter than four characters, and never one that is too common", () => {
  const unit = fc.constantFrom("a", "é", "🔑", " ", "\n", "\r", "}", "%", "\ud800", "1", "'", '"', "{", "[", ":", ",")
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (secret) => {
      for (const mask of masksFor(secret)) {
        expect(mask).not.toMatch(/[\r\n]/)
        expect(mask.length).toBeGreaterThanOrEqual(4)
        expect(isTooCommon(mask)).toBe(/^[0-9]{1,7}$/.test(mask))
      }
    }),
  )
})

describe("a text of several lines is hidden", () => {
  const json = '{\n  "private_key": "-----BEGIN",\n  "id": 1\n}\n'

  test("line by line, except for lines that are too common", () => {
    const masks = masksFor(`${json}======\n`)
    expect(masks).toContain('"private_key": "-----BEGIN",')
    for (const line of ["}", "{", "======"]) expect(masks).not.toContain(line)
  })

  test("as one line of JSON and as part of a URL", () => {
    expect(maskerFor(json)(JSON.stringify({ key: json }))).toBe('{"key":"***\\n"}')
    expect(maskerFor(json)(`https://x.example/?key=${encodeURIComponent(json)}`)).toBe("https://x.example/?key=***%0A")
  })
})

describe("of a JSON document", () => {
  test.each<[string, unknown, string[], string[]]>([
    ["a string", { password: "hunter2hunter2" }, ["hunter2hunter2"], ["password"]],
    ["a string in a list", [{ a: ["deep-inside"] }], ["deep-inside"], []],
    ["a string with escapes", { a: 'line "one"\nline two' }, ['line "one"', "line two"], []],
    ["a document in a string", { a: JSON.stringify({ b: "hunter2hunter2" }) }, ["hunter2hunter2"], []],
    ["a long number", { pin: 12345678, port: 123456 }, ["12345678"], ["123456"]],
    ["no short or common leaf", { a: "short", b: "======", c: "false", d: true, e: null }, [], ["short", "======"]],
    ["a text", "hunter2hunter2", ["hunter2hunter2"], []],
  ])("%s is masked by itself", (_, document, masked, not) => {
    for (const text of [JSON.stringify(document), JSON.stringify(document, null, 2)]) {
      const masks = masksFor(text)
      expect(masks).toEqual(expect.arrayContaining(masked))
      for (const each of not) expect(masks).not.toContain(each)
    }
  })

  test("a number is masked as it is written", () => {
    expect(masksFor('{"id": 12345678901234567890}')).toContain("12345678901234567890")
  })

  test("only the first leaves are encoded, and all are masked", () => {
    const leaves = Array.from({ length: 2_000 }, (_, index) => `leaf-number-${index}`)
    const masks = masksFor(JSON.stringify(leaves))
    expect(masks).toEqual(expect.arrayContaining(leaves))
    expect(masks.length).toBeLessThan(3_000)
  })

  test("broken ones and very deep ones are texts like any other", () => {
    expect(masksFor('{"a": "hunter2hunter2"')).not.toContain("hunter2hunter2")
    expect(masksFor(`${"[".repeat(30_000)}"hunter2hunter2"${"]".repeat(30_000)}`)).toContain("hunter2hunter2")
  })
})

test("bash writes a secret as the masks expect it", () => {
  const printable = fc.string({
    minLength: 4,
    maxLength: 24,
    unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
  })
  const secrets = fc.sample(printable, { numRuns: 120, seed: 7 }).filter((secret) => !isTooCommon(secret))
  const script = 'for s in "$@"; do printf "%q\\n" "$s"; export s; export -p | grep " s="; (set -x; : "$s") 2>&1; done'
  const written = execFileSync("bash", ["-c", script, "bash", ...secrets], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
  expect(written).toHaveLength(secrets.length * 3)
  written.forEach((line, index) => {
    const secret = secrets[Math.floor(index / 3)] ?? ""
    expect({ secret, line, shown: maskerFor(secret)(line) }).toMatchObject({ shown: expect.stringContaining("***") })
    expect(readable(maskerFor(secret)(line)).some((text) => text.includes(secret))).toBe(false)
  })
})
