import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { ended } from "../../../cli/exec/session-failures.ts"
import { SessionToken } from "../../../cli/exec/session-token.ts"
import { exchangeAnswer } from "../../support/scripted-broker.ts"

const NOW = Date.parse("2026-11-22T12:00:00Z")
beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ["Date"] }))
afterEach(() => void vi.useRealTimers())

const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString()
const tokenOf = (claims: object) =>
  new SessionToken(`e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`, (end) =>
    ended("GitLab CI", end, false),
  )
const living = (seconds: number) => tokenOf({ exp: NOW / 1000 + seconds })
const answer = (grants: readonly string[], seconds: number) =>
  exchangeAnswer(Object.fromEntries(grants.map((grant) => [grant, { values: {} }])), { expires_at: at(seconds) })

describe("a token that serves a session", () => {
  test.each<[string, SessionToken, [readonly string[], number][], readonly string[], boolean]>([
    ["before its first use, even if it ends soon", living(5), [], ["a"], false],
    ["while a renewal lives longer than what there is", living(3600), [[["a"], 900]], ["a"], false],
    ["when the credential ends with the token", living(3600), [[["a"], 3590]], ["a"], true],
    ["when another grant could still be had", living(3600), [[["a"], 3600]], ["a", "b"], false],
    ["when all grants end with the token", living(3600), [[["a", "b"], 3600]], ["b", "a"], true],
    ["in its last minute, whatever there is", living(59), [[["a"], 30]], ["a", "b"], true],
    ["and does not know its own end", tokenOf({}), [[["a"], 900]], ["a"], false],
    ["and has an end that is no time", tokenOf({ exp: "soon" }), [[["a"], 900]], ["a"], false],
  ])("gives nothing more %s: %#", (_, token, given, grants, nothing) => {
    for (const [names, seconds] of given) token.gave(answer(names, seconds))
    expect(token.canGiveNothingMore(grants)).toBe(nothing)
  })

  test("gives nothing more of what the broker found too short, and the rest as before", () => {
    const token = living(3600)
    token.gave(answer(["a", "b"], 900))
    token.givesNoMore(["a"])
    expect([token.canGiveNothingMore(["a"]), token.canGiveNothingMore(["b"])]).toEqual([true, false])
  })

  test("is over at its end", () => {
    const token = living(60)
    expect(token.isOver()).toBe(false)
    vi.setSystemTime(NOW + 60_000)
    expect(token.isOver()).toBe(true)
    expect(token.ended.message).toContain(`The ID token of GitLab CI ends at ${at(60)}.`)
  })

  test.each([
    [{ aud: "https://b.example?jkt=0ZcO" }, true],
    [{ aud: ["https://b.example?jkt=0ZcO"] }, true],
    [{ aud: "https://b.example" }, false],
    [{}, false],
  ])("%j names a key: %s", (claims, names) => expect(tokenOf(claims).namesKey).toBe(names))

  test("of any text is no failure here: the broker refuses it", () => {
    const token = new SessionToken("no token", (end) => ended("a token file", end, true))
    expect([token.isOver(), token.canGiveNothingMore(["a"])]).toEqual([false, false])
    token.gave({ credentials: "none" })
    expect(token.hasGiven).toBe(false)
    expect(token.ended.message).toBe(
      "The ID token of a token file ends soon. What it got ends then too, and is renewed when the file has a new token.",
    )
  })
})
