import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createBoundedCache } from "../../../broker/adapters/memory/bounded-cache.ts"

describe("a bounded cache", () => {
  test("lets go of what was asked for longest ago when it is full", () => {
    const cache = createBoundedCache<number>(2)
    cache.set("a", 1)
    cache.set("b", 2)
    cache.get("a")
    cache.set("c", 3)
    expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([1, undefined, 3])
  })

  test("lets go of as many as a heavy value needs, and keeps none that is heavier than all", () => {
    const cache = createBoundedCache<number>(10, 100)
    for (const [index, key] of ["a", "b", "c"].entries()) cache.set(key, index, 30)
    cache.set("d", 3, 60)
    expect(["a", "b", "c", "d"].map((key) => cache.get(key))).toEqual([undefined, undefined, 2, 3])
    cache.set("d", 4, 101)
    expect(["c", "d"].map((key) => cache.get(key))).toEqual([2, undefined])
  })

  test("holds what was set last, and never more than it may, whatever is done with it", () => {
    const key = fc.constantFrom("a", "b", "c", "d", "e", "f")
    const act = fc.oneof(
      fc.record({ act: fc.constant("set" as const), key, weight: fc.integer({ min: 0, max: 12 }) }),
      fc.record({ act: fc.constantFrom("get" as const, "delete" as const), key, weight: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const cache = createBoundedCache<{ readonly index: number; readonly weight: number }>(3, 20)
        const latest = new Map<string, number>()
        for (const [index, { act, key, weight }] of acts.entries()) {
          if (act === "set") {
            cache.set(key, { index, weight }, weight)
            latest.set(key, index)
            expect(cache.get(key)?.index).toBe(index)
          } else if (act === "delete") {
            cache.delete(key)
            latest.delete(key)
          } else cache.get(key)
        }
        const held = ["a", "b", "c", "d", "e", "f"].flatMap((each) => {
          const value = cache.get(each)
          return value ? [[each, value] as const] : []
        })
        for (const [each, { index }] of held) expect(index).toBe(latest.get(each))
        expect(held.length).toBeLessThanOrEqual(3)
        expect(held.reduce((sum, [, { weight }]) => sum + weight, 0)).toBeLessThanOrEqual(20)
      }),
    )
  })
})
