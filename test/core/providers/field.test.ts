import { describe, expect, it } from "vitest"
import { Secret } from "../../../broker/core/secret.ts"
import { fieldOf, fieldOfJson } from "../../../broker/providers/field.ts"

const SIDE = { name: "The shelf", connection: "shelf" }
const pick = (json: string, field = "n") => fieldOfJson(SIDE, `shelf#${field}`, field, new Secret(json)).reveal()
const pickOf = (map: object) => fieldOf(SIDE, "shelf#n", "n", map).reveal()
const unusable = (says: string) =>
  expect.objectContaining({ code: "secret_unusable", detail: expect.stringContaining(says) })

describe("a field of a JSON text", () => {
  it.each([
    "12345678901234567890",
    "9007199254740993",
    "1.10",
    "0.1000000000000000055511151231257827",
    "-0",
    "1e3",
    "1E+400",
    "5432",
  ])("is the number %s as it is written there", (written) => {
    expect(pick(`{"n": ${written} }`)).toBe(written)
    expect(pick(`{"a":{"n":7},"n":${written},"b":[8]}`)).toBe(written)
  })

  it.each([
    ['{"n":"1.10"}', "1.10"],
    ['{"n":true}', "true"],
    ['{"n":false}', "false"],
    ['{"n":""}', ""],
    ['{"n":1,"n":2.0}', "2.0"],
  ])("of %s is %j", (json, value) => {
    expect(pick(json)).toBe(value)
  })

  it("may have the name of what every object has", () => {
    expect(pick('{"__proto__":1.0}', "__proto__")).toBe("1.0")
    expect(() => pick("{}", "__proto__")).toThrow(expect.objectContaining({ code: "secret_not_found" }))
    // Of the broker's own making, and of no store's.
    expect(() => pick('{"n":{"text":"1"}}')).toThrow(unusable("not a single text, number or boolean"))
  })

  it.each(["7", "1.10", '"a"', "null", "true", "[1]"])("is none where the text is %s", (json) => {
    expect(() => pick(json, "text")).toThrow(unusable("not a JSON object"))
  })

  it.each(['{"n":null}', '{"n":[1]}', '{"n":{"a":1}}'])("is no single value in %s", (json) => {
    expect(() => pick(json)).toThrow(unusable("not a single text, number or boolean"))
  })
})

describe("a field of a map that was parsed already", () => {
  it.each([
    [5432, "5432"],
    [-1, "-1"],
    [true, "true"],
    ["1.10", "1.10"],
  ])("is %j as it is", (value, text) => {
    expect(pickOf({ n: value })).toBe(text)
  })

  it.each([JSON.parse("12345678901234567890"), 2 ** 53, 1.1, 1e21, Number.NaN])(
    "is not the number %d, whose digits may have been others",
    (value) => {
      expect(() => pickOf({ n: value })).toThrow(unusable("store it as a text"))
    },
  )
})
