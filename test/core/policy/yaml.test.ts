import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseYaml } from "../../../broker/core/policy/yaml.ts"
import { MAX_FILE_BYTES } from "../../../broker/core/policy/yaml-guard.ts"
import { runs } from "../../support/laws.ts"
import { shown } from "./support.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** The first fault's place and code, or "ok". */
function outcome(text: string | Uint8Array): string {
  const parsed = parseYaml("f", typeof text === "string" ? bytesOf(text) : text)
  return parsed.ok ? "ok" : (parsed.fault.map(shown)[0]?.slice(2) ?? "no fault")
}

describe("strict YAML", () => {
  it.each([
    ["an alias", "a: &x b\nc: *x", "1:4 yaml_feature"],
    ["an alias of nothing", "a: *x", "1:4 yaml_feature"],
    ["a star that should be in quotes", "a: **", "1:4 yaml_feature"],
    ["an anchor", "a: &x b", "1:4 yaml_feature"],
    ["an anchored map", "a: &x\n  b: c", "1:4 yaml_feature"],
    ["a merge key", "a: b\n<<: { c: d }", "2:1 yaml_feature"],
    ["a tag", "a: !!str 1", "1:4 yaml_feature"],
    ["a local tag", "a: !x 1", "1:4 yaml_feature"],
    ["a non-specific tag", "a: ! 1", "1:4 yaml_feature"],
    ["a YAML 1.1 directive", "%YAML 1.1\n---\na: yes", "1:1 yaml_feature"],
    ["a tag directive", "%TAG ! tag:x,2000:\n---\na: b", "1:1 yaml_feature"],
    ["two documents", "a: b\n---\nc: d", "2:1 yaml_feature"],
    ["two document starts", "---\n---\nc: d", "2:1 yaml_feature"],
    ["a document after an end", "a: b\n...\nc: d", "3:1 yaml_feature"],
    ["an explicit key", "? a\n: b", "1:1 yaml_feature"],
    ["a key that is a list", "[a]: b", "1:1 key_not_text"],
    ["a key that is a number", "41: b", "1:1 key_not_text"],
    ["a key that is a boolean", "true: b", "1:1 key_not_text"],
    ["a key that is null", "~: b", "1:1 key_not_text"],
    ["an empty key", '"": b', "1:1 key_not_text"],
    ["a key that reaches the prototype", "a:\n  __proto__: b", "2:3 key_not_text"],
    ["a key twice", "a: b\nc: d\na: e", "3:1 key_duplicate"],
    ["a key twice, once in quotes", 'a: b\n"a": e', "2:1 key_duplicate"],
    ["a key twice in a flow map", "x: { a: b, a: c }", "1:12 key_duplicate"],
    ["a tab for indentation", "a:\n\tb: c", "2:1 character_forbidden"],
    ["a tab in a comment", "a: b #\tc", "1:7 character_forbidden"],
    ["a NUL", "a: b\u0000", "1:5 character_forbidden"],
    ["an escape sequence", "a: \u001b[31m", "1:4 character_forbidden"],
    ["a C1 control", "a: \u0085b", "1:4 character_forbidden"],
    ["a line separator", "a: b\u2028c: d", "1:5 character_forbidden"],
    ["a lone carriage return", "a: b\rc: d", "1:5 character_forbidden"],
    ["a byte order mark", "\ufeffa: b", "1:1 character_forbidden"],
    ["text that reads backwards", "a: \u202eb", "1:4 character_forbidden"],
    ["a space without width", "ma\u200bin: b", "1:3 character_forbidden"],
    ["a mark that turns letters around", "a: b\u061c", "1:5 character_forbidden"],
    ["letters of a script that nobody sees", "a: b\u{e0041}", "1:5 character_forbidden"],
    ["a letter without a shape", "a: b\u3164", "1:5 character_forbidden"],
    ["a variation selector", "a: b\ufe0f", "1:5 character_forbidden"],
    ["a space at the end that is no part of the line's end", "a: b\u00a0", "1:5 character_forbidden"],
    ["a control character by escape", 'a: "b\\0"', "1:4 character_forbidden"],
    ["a tab by escape", 'a: "b\\t"', "1:4 character_forbidden"],
    ["half a character by escape", 'a: "\\ud800"', "1:4 character_forbidden"],
    ["nothing", "", "1:1 file_empty"],
    ["a comment only", "# a\n", "1:1 file_empty"],
    ["a document start only", "---\n", "1:1 file_empty"],
    ["an unclosed quote", 'a: "b', "1:6 yaml_syntax"],
    ["an unclosed bracket", "a: [b", "1:6 yaml_syntax"],
    ["a bracket too many", "a: [b]]", "1:7 yaml_syntax"],
    ["a bracket of the other kind", "a: [b}", "1:6 yaml_syntax"],
    ["wrong indentation", "a:\n  b: c\n d: e", "3:1 yaml_syntax"],
    ["a map in a line", "a: b: c", "1:4 yaml_syntax"],
    ["text behind a quote", 'a: "b" c', "1:8 yaml_syntax"],
    [
      "17 levels",
      `a:\n${Array.from({ length: 17 }, (_, level) => `${" ".repeat(level + 1)}a:`).join("\n")}`,
      "17:17 yaml_too_deep",
    ],
  ])("refuses %s", (_, text, expected) => {
    expect(outcome(text)).toBe(expected)
  })

  it.each([
    ["[".repeat(60_000)],
    ["{".repeat(60_000)],
    ["- ".repeat(30_000)],
    ["a: [".repeat(10_000)],
    [Array.from({ length: 340 }, (_, level) => `${" ".repeat(level)}a:`).join("\n")],
    [`[${'"]",['.repeat(10_000)}`],
  ])("refuses bottomless nesting before any parser recurses over it (%#)", (text) => {
    expect(outcome(text)).toMatch(/yaml_too_deep|yaml_syntax/)
  })

  it("reports several faults of one file, each with its place", () => {
    const parsed = parseYaml("f", bytesOf('a: b\na: c\n41: d\ne: "\\0"'))
    expect(parsed.ok ? [] : parsed.fault.map(shown)).toEqual([
      "f:2:1 key_duplicate",
      "f:3:1 key_not_text",
      "f:4:4 character_forbidden",
    ])
  })

  it.each([
    ["Latin-1", new Uint8Array([0x61, 0x3a, 0x20, 0xe9]), "1:4 not_utf8"],
    ["Latin-1 in a later line", bytesOf("a: b\nc: d").map((byte) => (byte === 0x64 ? 0xe9 : byte)), "2:4 not_utf8"],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x61, 0x00]), "1:1 not_utf8"],
    ["an overlong sequence", new Uint8Array([0x61, 0x3a, 0x20, 0xc0, 0xaf]), "1:4 not_utf8"],
    ["an encoded surrogate", new Uint8Array([0x61, 0x3a, 0x20, 0xed, 0xa0, 0x80]), "1:4 not_utf8"],
    ["one byte over 64 KiB", bytesOf(`a: ${"b".repeat(MAX_FILE_BYTES - 2)}`), "1:1 file_too_large"],
  ])("refuses %s", (_, bytes, expected) => {
    expect(outcome(bytes)).toBe(expected)
  })

  it.each([
    ["64 KiB", `a: ${"b".repeat(MAX_FILE_BYTES - 3)}`],
    ["a document start", "---\na: b\n"],
    ["comments before it", "# c\n---\na: b\n"],
    ["a document end", "a: b\n...\n"],
    ["Windows line ends", "a: b\r\nc: d\r\n"],
    ["letters of any script", "a: Übergröße 名前"],
    ["a block text that looks like YAML", "a: |\n  *b &c !d %e [[[ {{{\n  - - - - - - - - - - - -\n"],
    ["brackets in quotes", `a: "${"[".repeat(100)}"`],
  ])("reads %s", (_, text) => {
    expect(outcome(text)).toBe("ok")
  })

  it("reads scalars as YAML 1.2 does, where yes and on are texts", () => {
    const parsed = parseYaml("f", bytesOf("a: [yes, on, no, true, 41, 0x10, ~, '41', 1_000, 12:30:45]"))
    expect(parsed.ok && parsed.value.value).toEqual({
      a: ["yes", "on", "no", true, 41, 16, null, "41", "1_000", "12:30:45"],
    })
  })

  it("reads or refuses any bytes, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseYaml("f", bytes)
      }),
      { numRuns: runs(1000) },
    )
  })

  it("reads or refuses any arrangement of YAML's own signs, and never throws", () => {
    const sign = fc.constantFrom(..."-?:,[]{}#&*!|>'\"%@` \n\\", "a", "1", "\n  ", "- ", ": ", "---\n", "...\n", "<<")
    fc.assert(
      fc.property(fc.string({ unit: sign, maxLength: 60 }), (text) => {
        const parsed = parseYaml("f", bytesOf(text))
        if (!parsed.ok) {
          expect(parsed.fault.length).toBeGreaterThan(0)
          for (const { line, column, message } of parsed.fault) {
            expect(line >= 1 && column >= 1 && line <= text.split("\n").length && message !== "").toBe(true)
          }
        }
      }),
      { numRuns: runs(5000) },
    )
  })
})
