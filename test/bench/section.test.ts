import { expect, test } from "vitest"
import { pictureOf } from "./picture.ts"
import { ratioOf } from "./race.ts"
import { atLeast, atMost, type Curve, isKept } from "./section.ts"

test.each([
  [atLeast("one", 0.9, 0.9), true],
  [atLeast("one", 0.89, 0.9), false],
  [atMost("one", 1, 1), true],
  [atMost("one", 1.01, 1), false],
  // What was not measured keeps no budget.
  [atLeast("one", Number.NaN, 0.9), false],
  [atMost("one", Number.NaN, 1), false],
])("%o is kept: %s", (row, kept) => {
  expect(isKept(row)).toBe(kept)
})

test("a ratio is the median of the rounds' ratios, and is no number without rounds", () => {
  const rounds = (...rates: readonly number[]) =>
    rates.map((rate) => ({ requests_per_second: rate, p50_ms: 1, p99_ms: 1, max_ms: 1, cpu: null }))
  const fsyncs = { one: null, other: null }
  // A round in which the machine was busy slows both arms.
  expect(ratioOf({ rounds: { one: rounds(200, 20, 190), other: rounds(100, 10, 100) }, fsyncs }, "one", "other")).toBe(
    2,
  )
  expect(ratioOf({ rounds: { one: [], other: [] }, fsyncs }, "one", "other")).toBeNaN()
})

test("a picture shows each point at its place, with text escaped", () => {
  const curve: Curve = {
    file: "test",
    title: "a < b & c",
    x: { label: "at a time", scale: "log2" },
    y: { label: "a second" },
    lines: [
      {
        name: "one",
        points: [
          [1, 0],
          [16, 500],
          [256, 1000],
        ],
      },
    ],
  }
  const svg = pictureOf(curve)
  expect(svg).toContain("<title>a &lt; b &amp; c</title>")
  const places =
    /points="([^"]*)"/
      .exec(svg)?.[1]
      ?.split(" ")
      .map((place) => place.split(",").map(Number)) ?? []
  const [left = [], middle = [], right = []] = places
  expect(places).toHaveLength(3)
  // 16 is the middle between 1 and 256 on this scale, and 500 between 0 and 1,000. Up is less.
  expect(middle).toEqual([((left[0] ?? 0) + (right[0] ?? 0)) / 2, ((left[1] ?? 0) + (right[1] ?? 0)) / 2])
  expect(right[1]).toBeLessThan(left[1] ?? 0)
  expect([...svg.matchAll(/<text[^>]*>([\d,]+)<\/text>/g)].map(([, tick]) => tick)).toEqual([
    ...["0", "200", "400", "600", "800", "1,000"],
    ...["1", "2", "4", "8", "16", "32", "64", "128", "256"],
  ])
})
