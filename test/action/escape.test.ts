import fc from "fast-check"
import { expect, test } from "vitest"
import { forLog, forMarkdown } from "../../action/escape.ts"

test.each([
  ["<img src=x>", "&#60;img src&#61;x&#62;"],
  ["a|b", "a&#124;b"],
  ["`code`", "&#96;code&#96;"],
  ["[x](https://e.example)", "&#91;x&#93;&#40;https&#58;//e.example&#41;"],
  ["www.evil.example", "www&#46;evil.example"],
  ["@octocat #1", "&#64;octocat &#35;1"],
  ["---", "&#45;&#45;&#45;"],
  ["1. one", "1&#46; one"],
  ["a\nb", "a&#92;u&#123;a&#125;b"],
  ["refs/heads/main-2.x", "refs/heads/main-2.x"],
])("Markdown: %j becomes %j", (text, escaped) => {
  expect(forMarkdown(text)).toBe(escaped)
})

test("Markdown: no text leaves a character that could be structure", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => /^[A-Za-z0-9 /,.&#;-]*$/.test(forMarkdown(text))))
})

test("Markdown: a character reference is never cut in two", () => {
  expect(forMarkdown("<".repeat(1_000))).toMatch(/^(&#60;){400}/)
})

test("log: one line, no old-style command, no invisible character", () => {
  expect(forLog("a\r\n::set-env name=A::b")).toBe("a\\u{d}\\u{a}::set-env name=A::b")
  expect(forLog("##[add-mask]x")).toBe("## [add-mask]x")
  expect(forLog("a\u202eb\u0000c\u2028d")).toBe("a\\u{202e}b\\u{0}c\\u{2028}d")
})
