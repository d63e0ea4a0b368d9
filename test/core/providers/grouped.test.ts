import fc from "fast-check"
import { expect, it } from "vitest"
import { grouped } from "../../../broker/providers/grouped.ts"

it("groups as Map.groupBy does, which Node 20 lacks", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (items) => {
      const keyOf = (item: number) => item % 4
      expect([...grouped(items, keyOf)]).toEqual([...Map.groupBy(items, keyOf)])
    }),
  )
})
