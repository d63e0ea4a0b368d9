import { generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { formsOf, formsOfPem, placesWith } from "./canary.ts"

const SECRET = "ghs_s3cr3t>>>value???K7MDENG"
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const PEM = privateKey.export({ type: "pkcs1", format: "pem" }).toString()
const DER = privateKey.export({ type: "pkcs1", format: "der" })

describe("a leaked secret is found", () => {
  const base64 = (before: string) => Buffer.from(`${before}${SECRET} and more`).toString("base64")
  it.each([
    ["as it is", SECRET],
    ["in a URL", `?token=${encodeURIComponent(SECRET)}&x=1`],
    ["in JSON within JSON", JSON.stringify(JSON.stringify({ token: SECRET }))],
    ["in hexadecimal", Buffer.from(SECRET).toString("hex")],
    ["in base64", base64("")],
    ["in base64, one byte in", base64("x")],
    ["in base64, two bytes in", base64("xy")],
    ["in base64 as Basic credentials", base64("x-access-token:")],
    ["in base64url", Buffer.from(`x:${SECRET}`).toString("base64url")],
  ])("%s", (_, text) => {
    expect(placesWith(formsOf(SECRET), { clean: "nothing", leak: `before ${text} after` })).toEqual(["leak"])
  })

  it.each([
    ["whole", PEM],
    ["as JSON", JSON.stringify({ key: PEM })],
    ["on one line", DER.toString("base64")],
    ["by one of its lines", PEM.split("\n")[3] ?? ""],
    ["in base64 again", Buffer.from(PEM).toString("base64")],
    ["in hexadecimal", DER.toString("hex")],
  ])("a private key %s", (_, text) => {
    expect(placesWith(formsOfPem(PEM), { clean: "BEGIN RSA PRIVATE KEY", leak: text })).toEqual(["leak"])
  })
})

it("of any length is found among others, at the start and at the end of a text, and no part of one is", () => {
  const needles = ["ab", "first-secret-1", "first-secret-22", ...formsOf(SECRET)]
  const places = { start: "first-secret-1.", end: ".first-secret-22", short: "ab", part: "first-secret-2", none: "" }
  expect(placesWith(needles, places)).toEqual(["start", "end", "short"])
  expect(placesWith(needles.slice(1), places)).toEqual(["start", "end"])
  expect(placesWith([], places)).toEqual([])
})
