import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { forLog, forMarkdown, messageForMarkdown } from "../../action/escape.ts"

describe("Markdown: what could be structure becomes a character reference", () => {
  test.each([
    ["<img src=x>", "&#60;img src=x&#62;"],
    ["a|b", "a&#124;b"],
    ["`code`", "&#96;code&#96;"],
    ["[x](https://e.example)", "&#91;x&#93;(https&#58;//e.example)"],
    ["www.evil.example", "www&#46;evil.example"],
    ["mailto:a", "mailto&#58;a"],
    ["@octocat #1", "&#64;octocat &#35;1"],
    ["---", "&#45;--"],
    ["1. one", "1&#46; one"],
    ["12) one", "12&#41; one"],
    ["    code", "&#32;   code"],
    ["=====", "&#61;===="],
    ["_a_ __b__", "&#95;a&#95; &#95;&#95;b&#95;&#95;"],
    [":tada: so", "&#58;tada: so"],
    ["$x$ ~y~ &lt;", "&#36;x&#36; &#126;y&#126; &#38;lt;"],
    ["a\nb", "a&#92;u{a}b"],
  ])("%j becomes %j", (text, escaped) => {
    expect(forMarkdown(text)).toBe(escaped)
  })
})

test.each([
  "refs/heads/main-2.x",
  "AWS_ACCESS_KEY_ID",
  "2031-05-06T07:08:09.000Z",
  "acme/shop/production.yaml:7",
  'The allow rule "deploy" (x.yaml:7) does not match: ref must be a, but is b; c = d (2 more).',
  "größe",
])("Markdown: %j stays as it is", (text) => {
  expect(forMarkdown(text)).toBe(text)
})

/** Characters that are structure wherever they stand, and those that are structure in some places. */
const ALWAYS = /[\\`*[\]<>|~$@#\n\r]|&(?!#\d+;)/
const SOMEWHERE = /:\/\/|(?:mailto|xmpp):|www\.|^[-+= ]|^\d{1,9}[.)]|^_|_$/i

test("Markdown: no text leaves a character that could be structure, and the references say the text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(..."ab1 _*`[]()<>|:/.#@&;-+=~$!wWw\n"), maxLength: 60 }),
  )
  fc.assert(
    fc.property(text, (raw) => {
      const escaped = forMarkdown(raw)
      expect(escaped.replaceAll(/&#\d+;/g, "")).not.toMatch(ALWAYS)
      expect(escaped).not.toMatch(SOMEWHERE)
      const shown = escaped.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
      expect(shown).toBe(forLog(raw).replaceAll("## [", "##["))
    }),
  )
})

test("Markdown: a message keeps its code spans, and nothing else of its structure", () => {
  expect(messageForMarkdown("Add `environment: a|b` to *the* job `")).toBe(
    "Add `environment: a|b` to &#42;the&#42; job &#96;",
  )
  const text = fc.string({ unit: fc.constantFrom(..."ab `*[]<>|@\n"), maxLength: 60 })
  fc.assert(
    fc.property(text, (raw) => {
      const outside = messageForMarkdown(raw).replaceAll(/`[^`\n]+`/g, "x")
      expect(outside.replaceAll(/&#\d+;/g, "")).not.toMatch(ALWAYS)
    }),
  )
})

test("Markdown: plain ASCII is escaped as in a text with other letters, which takes another expression", () => {
  const ascii = fc.string({ unit: fc.constantFrom(..."aZ9 _*`[]()<>|:/.#@&;-+=~$!w"), minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(ascii, (raw) => {
      expect(forMarkdown(`${raw} \u00e9`)).toBe(`${forMarkdown(raw)} \u00e9`)
      expect(messageForMarkdown(`${raw} \u00e9`)).toBe(`${messageForMarkdown(raw)} \u00e9`)
    }),
    { numRuns: 1_000 },
  )
})

test("Markdown: a character reference is never cut in two", () => {
  expect(forMarkdown("<".repeat(1_000))).toMatch(/^(&#60;){400}/)
})

test("log: one line, no old-style command, no invisible character", () => {
  expect(forLog("a\r\n::set-env name=A::b")).toBe("a\\u{d}\\u{a}::set-env name=A::b")
  expect(forLog("##[add-mask]x")).toBe("## [add-mask]x")
  expect(forLog("a\u202eb\u0000c\u2028d")).toBe("a\\u{202e}b\\u{0}c\\u{2028}d")
})
