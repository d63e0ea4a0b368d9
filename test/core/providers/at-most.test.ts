import { describe, expect, it } from "vitest"
import { atMost } from "../../../broker/providers/at-most.ts"

/** Work that a test ends by hand. */
function workshop() {
  const begun: number[] = []
  const ends = new Map<number, (error?: Error) => void>()
  const act = (item: number) =>
    new Promise<string>((resolve, reject) => {
      begun.push(item)
      ends.set(item, (error) => (error === undefined ? resolve(`done ${item}`) : reject(error)))
    })
  const end = async (item: number, error?: Error) => {
    ends.get(item)?.(error)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { begun, act, end }
}

describe("acting on at most so many items at once", () => {
  it("begins no more than the limit, and answers in the order of the items", async () => {
    const { begun, act, end } = workshop()
    const results = atMost(2, [1, 2, 3, 4], act)
    expect(begun).toEqual([1, 2])
    await end(2)
    expect(begun).toEqual([1, 2, 3])
    await end(3)
    await end(4)
    await end(1)
    expect(await results).toEqual(["done 1", "done 2", "done 3", "done 4"])
  })

  it("begins nothing after a failure, waits for what is under way, and throws the first failure", async () => {
    const { begun, act, end } = workshop()
    let settled = false
    const results = atMost(2, [1, 2, 3], act).finally(() => {
      settled = true
    })
    results.catch(() => {})
    await end(2, new Error("the first"))
    expect([begun, settled]).toEqual([[1, 2], false])
    await end(1, new Error("the second"))
    expect([begun, settled]).toEqual([[1, 2], true])
    await expect(results).rejects.toThrow("the first")
  })

  it("takes an act that throws at once for one that failed", async () => {
    const act = () => {
      throw new Error("at once")
    }
    await expect(atMost(3, [1, 2], act)).rejects.toThrow("at once")
  })

  it.each([
    [8, [], []],
    [8, [1], [2]],
    [1, [1, 2, 3], [2, 4, 6]],
  ])("with a limit of %i doubles %j", async (limit, items: readonly number[], doubled) => {
    expect(await atMost(limit, items, async (item) => item * 2)).toEqual(doubled)
  })
})
