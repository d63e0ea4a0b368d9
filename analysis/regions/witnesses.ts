import type { Region, Witness } from "./region.ts"

const MAX_BOXES = 8

/**
 * A few identities of a region, the most plausible first, that differ claim by claim. For callers that need one with a
 * property that the region does not express.
 */
export function* candidatesOf({ space, boxes }: Region): Generator<Witness> {
  const seen = new Set<string>()
  for (const box of boxes.slice(0, MAX_BOXES)) {
    const choices = space.axes.map(({ values }, axis) =>
      values.filter((_, at) => ((box[axis] ?? 0n) >> BigInt(at)) & 1n),
    )
    const plain = choices.map(() => 0)
    const picks = [
      plain,
      ...choices.flatMap((values, axis) => values.slice(1, 4).map((_, at) => plain.with(axis, at + 1))),
    ]
    for (const pick of picks) {
      const witness = Object.fromEntries(
        space.axes.flatMap(({ claim }, axis): (readonly [string, string])[] => {
          const value = choices[axis]?.[pick[axis] ?? 0] ?? null
          return value === null ? [] : [[claim, value]]
        }),
      )
      const key = JSON.stringify(witness)
      if (seen.has(key)) continue
      seen.add(key)
      yield witness
    }
  }
}
