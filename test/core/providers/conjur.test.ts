import { expect, test } from "vitest"
import type { HttpResponse } from "../../../broker/ports/http.ts"
import { readLogin } from "../../../broker/providers/conjur/api.ts"

const NOW = new Date("2026-11-22T12:00:00.000Z")
const SIDE = { name: "Conjur", connection: "c" }

function answerWith(payload: string): HttpResponse {
  const body = JSON.stringify({ protected: "e30=", payload, signature: "c2ln" })
  return { status: 200, header: () => null, body: new TextEncoder().encode(body) }
}
const base64url = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

/** The seconds that a login with this payload is kept. */
const secondsOf = (payload: string) =>
  (readLogin(SIDE, answerWith(payload), "sub", NOW).endsAt.getTime() - NOW.getTime()) / 1000

test.each([
  ["as long as it says", { iat: 1_700_000_000, exp: 1_700_000_120 }, 120],
  ["by its own clock, not ours", { iat: 4_000_000_000, exp: 4_000_000_480 }, 480],
  ["an hour at most", { iat: 0, exp: 900_000 }, 3_600],
  ["eight minutes without an end", { iat: 1_700_000_000 }, 480],
  ["eight minutes with an end of another form", { iat: 1_700_000_000, exp: "soon" }, 480],
])("a login is kept %s", (_, claims, seconds) => {
  const text = JSON.stringify({ sub: "host/a?>~ÿ", ...claims })
  expect([secondsOf(btoa(text)), secondsOf(base64url(text))]).toEqual([seconds, seconds])
})

test("a payload that is not JSON counts as one without an end", () => {
  expect(secondsOf("AAAA")).toBe(480)
  expect(secondsOf("A")).toBe(480)
})

test("a login that has no time is refused", () => {
  expect(() => secondsOf(btoa('{"iat":2,"exp":1}'))).toThrow("never was valid")
})
