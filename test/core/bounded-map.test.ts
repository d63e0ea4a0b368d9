import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { boundedMap } from "../../broker/core/bounded-map.ts"
import { canonicalJson } from "../../broker/core/canonical-json.ts"

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constant("__proto__"),
  fc.constant("ü".repeat(90)),
)
const entries = fc.uniqueArray(fc.tuple(text, fc.oneof(text, fc.array(text, { maxLength: 5 }))), {
  selector: ([name]) => name,
  maxLength: 12,
})

describe("a bounded map", () => {
  it("keeps everything that fits", () => {
    expect(
      boundedMap<string>(
        [
          ["b", "2"],
          ["a", "1"],
        ],
        100,
      ),
    ).toEqual({ map: { a: "1", b: "2" }, leftOut: 0 })
    const exact = '{"a":"1","b":"2"}'.length
    expect(
      boundedMap<string>(
        [
          ["a", "1"],
          ["b", "2"],
        ],
        exact,
      ).map,
    ).toEqual({ a: "1", b: "2" })
  })

  it("leaves out the longest value first, and still has its name", () => {
    const long = "x".repeat(50)
    const all = [
      ["a", "1"],
      ["b", long],
      ["c", "x".repeat(40)],
    ] as const
    expect(boundedMap<string>(all, 70)).toEqual({ map: { a: "1", b: null, c: "x".repeat(40) }, leftOut: 0 })
    expect(boundedMap<string>(all, 40)).toEqual({ map: { a: "1", b: null, c: null }, leftOut: 0 })
  })

  it("leaves names out, and counts them, only when the names alone are too long", () => {
    const all = [
      ["a", "1"],
      ["n".repeat(50), "1"],
    ] as const
    expect(boundedMap<string>(all, 30)).toEqual({ map: { a: null }, leftOut: 1 })
    expect(boundedMap<string>(all, 2)).toEqual({ map: {}, leftOut: 2 })
  })

  it("is never longer than its bound, invents nothing, and does not depend on the order", () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 2, max: 400 }), (all, bytes) => {
        const { map, leftOut } = boundedMap<string | readonly string[]>(all, bytes)
        const canonical = canonicalJson(map)
        expect(canonical.ok && new TextEncoder().encode(canonical.value).length).toBeLessThanOrEqual(bytes)
        expect(Object.keys(map).length + leftOut).toBe(all.length)
        const given = new Map<string, unknown>(all)
        for (const [name, value] of Object.entries(map)) if (value !== null) expect(value).toEqual(given.get(name))
        expect(boundedMap<string | readonly string[]>(all.toReversed(), bytes)).toEqual({ map, leftOut })
      }),
    )
  })
})
