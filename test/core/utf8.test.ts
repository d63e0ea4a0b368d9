import { expect, test } from "vitest"
import { jsonOfUtf8, textOfUtf8 } from "../../broker/core/utf8.ts"

const BROKEN = Uint8Array.of(0x22, 0xc3, 0x28, 0x22)
const bytes = (text: string) => new TextEncoder().encode(text)

test("a text keeps its byte order mark, and bytes that are not UTF-8 are no text", () => {
  expect(textOfUtf8(bytes("\uFEFFa"))).toBe("\uFEFFa")
  expect(textOfUtf8(BROKEN)).toBeNull()
  // Bytes that were refused leave nothing behind in the decoder.
  expect(textOfUtf8(bytes("ä"))).toBe("ä")
})

test.each([
  ["no bytes", bytes("")],
  ["a text that is not JSON", bytes("{")],
  ["a byte order mark before it", bytes("\uFEFF{}")],
  ["bytes that are not UTF-8", BROKEN],
])("JSON is undefined for %s", (_, given) => {
  expect(jsonOfUtf8(given)).toBeUndefined()
})

test("JSON null is a value", () => {
  expect(jsonOfUtf8(bytes("null"))).toBeNull()
  expect(jsonOfUtf8(bytes('{"a":["ä"]}'))).toEqual({ a: ["ä"] })
})
