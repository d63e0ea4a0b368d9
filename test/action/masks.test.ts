import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { masksFor } from "../../action/masks.ts"

/** Whether masking would hide the secret in this text, wherever the secret or an encoding of it stands. */
function hidden(text: string, secret: string): string {
  return masksFor(secret).reduce((shown, mask) => shown.replaceAll(mask, "***"), text)
}

const secrets = fc
  .string({ minLength: 12, maxLength: 80, unit: "grapheme-ascii" })
  .filter((text) => text.trim().length >= 12)

describe("a secret of one line is hidden", () => {
  test("as it is, with and without the spaces around it, however short", () => {
    expect(masksFor("ab")).toEqual(["ab"])
    expect(masksFor("ab\n")).toEqual(["ab"])
    expect(masksFor(" abc ")).toEqual([" abc ", "abc"])
  })

  test.each(["base64", "base64url"] as const)(
    "in %s of any text that contains it, but for the bytes at its borders",
    (form) => {
      fc.assert(
        fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
          const shown = hidden(Buffer.from(`${before}${secret}${after}`).toString(form), secret)
          return shown.includes("***")
        }),
      )
    },
  )

  test("in hex", () => {
    fc.assert(
      fc.property(secrets, fc.string(), (secret, before) => {
        const hex = Buffer.from(`${before}${secret}`).toString("hex")
        return hidden(hex, secret).includes("***") && hidden(hex.toUpperCase(), secret).includes("***")
      }),
    )
  })
})

describe("a secret of several lines is hidden", () => {
  const json = '{\n  "private_key": "-----BEGIN",\n  "id": 1\n}\n'

  test("line by line, except for lines that are too short", () => {
    const masks = masksFor(json)
    expect(masks).toContain('"private_key": "-----BEGIN",')
    expect(masks).not.toContain("}")
    expect(masks).not.toContain("{")
  })

  test("as one line of JSON and as part of a URL", () => {
    expect(hidden(JSON.stringify({ key: json }), json)).toBe('{"key":"***\\n"}')
    expect(hidden(`https://x.example/?key=${encodeURIComponent(json)}`, json)).toBe("https://x.example/?key=***%0A")
  })
})

test("every mask is one line and not blank, and is short only when the secret is one short line", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "é", "🔑", " ", "\n", "\r", "}", "%", "\ud800") }), (secret) => {
      const shortest = /[^\r\n][\r\n]+[^\r\n]/.test(secret) ? 4 : 1
      return masksFor(secret).every((mask) => mask.length >= shortest && mask.trim() !== "" && !/[\r\n]/.test(mask))
    }),
  )
})
