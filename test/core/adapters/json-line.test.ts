import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { forLog } from "../../../action/escape.ts"
import { createLineLog } from "../../../broker/adapters/node/line-log.ts"
import { jsonLine } from "../../../broker/adapters/web/json-line.ts"
import { auditIdentity } from "../../../broker/core/audit-record.ts"
import { visible } from "../../../broker/core/policy/faults.ts"
import { inert, inertJson } from "../../../cli/inert.ts"
import { identityOf } from "../policy/support.ts"

/** Line ends, controls, bidirectional controls, zero-width and blank characters, tags and halves of pairs. */
const UNSEEN = [
  ...["\n", "\r", "\t", "\0", "\x1b", "\x7f", "\u0085", "\u009b", "\u2028", "\u2029"],
  ...["\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"],
  ...["\u00ad", "\u034f", "\u115f", "\u180e", "\u200b", "\u200d", "\u2060", "\u3164", "\ufe0f", "\ufeff", "\uffa0"],
  ...["\u{e0001}", "\u{e0041}", "\u{e0100}", "\u{1d173}", "\ud800", "\udc00"],
]
const anyOf = (characters: readonly string[]) => new RegExp(`[${characters.map(escaped).join("")}]`, "u")
const escaped = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`
const SEEN_AS_NOTHING = anyOf(UNSEEN)
const text = fc
  .array(fc.oneof(fc.constantFrom(...UNSEEN), fc.string({ unit: "binary" })))
  .map((parts) => parts.join(""))

describe("a character that nobody sees, or that ends a line for some readers,", () => {
  test.each(UNSEEN.map((character) => [escaped(character), character]))(
    "%s is escaped in every room",
    (_, character) => {
      for (const shown of [forLog, visible, inert, jsonLine, inertJson]) {
        expect(shown(`a${character}b`)).not.toContain(character)
      }
    },
  )

  test("is in no line of JSON, whatever the text, and the value stays the same", () => {
    fc.assert(
      fc.property(text, text, (key, value) => {
        const line = jsonLine({ [key]: value, list: [value, { value }] })
        expect(line).not.toMatch(SEEN_AS_NOTHING)
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify({ [key]: value, list: [value, { value }] })))
      }),
    )
  })

  test("adds no line to the broker's log", () => {
    let written = ""
    const { log, flush } = createLineLog((lines) => {
      written += lines
    })
    log({ request_id: "1", route: "exchange", environment: 'a\u2028{"event":"broker.started"}\u0085\nb' })
    flush()
    expect(written.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(2)
    expect(JSON.parse(written).environment).toBe('a\u2028{"event":"broker.started"}\u0085\nb')
  })

  test("is in no record: what people named is recorded with it escaped", () => {
    fc.assert(
      fc.property(text, (name) => {
        const identity = auditIdentity({ ...identityOf(), environment: name, ref: name, event: name, actor: name })
        expect(JSON.stringify(identity)).not.toMatch(SEEN_AS_NOTHING)
        expect(Object.values(identity).every((value) => value === null || value.isWellFormed())).toBe(true)
      }),
    )
    const identity = auditIdentity({ ...identityOf(), ref: "refs/heads/größe-✓", environment: "prod\u2028x" })
    expect(identity).toMatchObject({ ref: "refs/heads/größe-✓", environment: "prod\\u{2028}x" })
  })
})
