import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Answer, readAnswer } from "../../../broker/github/answer.ts"
import type { HttpResponse } from "../../../broker/ports/http.ts"
import { runs } from "../../support/laws.ts"

const NOW = new Date("2026-11-22T10:00:00Z")
const NOW_SECONDS = NOW.getTime() / 1000

function response(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  const bytes = typeof body === "string" ? body : JSON.stringify(body)
  return { status, header: (name) => headers[name] ?? null, body: new TextEncoder().encode(bytes) }
}

const answerTo = (from: HttpResponse, conditional = false): Answer =>
  readAnswer(from, { success: 200, conditional }, NOW)

const EMPTY = { message: "Git Repository is empty." }

describe("an answer of GitHub's", () => {
  test("is yes with 200 and JSON", () => {
    expect(answerTo(response(200, { id: 41 }, { etag: 'W/"1"' }))).toEqual({
      outcome: "ok",
      body: { id: 41 },
      etag: 'W/"1"',
    })
  })

  test("is yes with 201 only where that was to come", () => {
    expect(answerTo(response(201, {}))).toMatchObject({ outcome: "failed" })
    expect(readAnswer(response(201, {}), { success: 201, conditional: false }, NOW)).toMatchObject({ outcome: "ok" })
    expect(readAnswer(response(200, {}), { success: 201, conditional: false }, NOW)).toMatchObject({
      outcome: "failed",
    })
  })

  test("is yes with 204 and no body only where that was to come", () => {
    const empty = response(204, "")
    expect(readAnswer(empty, { success: 204, conditional: false }, NOW)).toEqual({
      outcome: "ok",
      body: null,
      etag: null,
    })
    expect(answerTo(empty)).toMatchObject({ outcome: "failed" })
  })

  test("keeps no ETag that is none, or that would break out of a header", () => {
    for (const etag of ["", "abc", '"a\r\nb"', '"ä"', `"${"x".repeat(300)}"`, '"a" "b"']) {
      expect(answerTo(response(200, {}, { etag }))).toMatchObject({ outcome: "ok", etag: null })
    }
  })

  test("says that nothing changed only to who asked", () => {
    expect(answerTo(response(304, ""), true)).toEqual({ outcome: "not-modified" })
    expect(answerTo(response(304, ""), false)).toMatchObject({ outcome: "failed" })
  })

  test("says that a repository is empty with 409 and these words", () => {
    expect(answerTo(response(409, EMPTY))).toEqual({ outcome: "absent" })
  })

  test("of no JSON, or of broken UTF-8, is none", () => {
    expect(answerTo(response(200, "<html>"))).toMatchObject({ outcome: "failed" })
    const broken = { ...response(200, ""), body: new Uint8Array([0x22, 0xff, 0x22]) }
    expect(answerTo(broken)).toMatchObject({ outcome: "failed" })
  })

  test("means absent for nothing else, whatever the status, the words and the headers", () => {
    const headers = fc.dictionary(fc.constantFrom("retry-after", "x-ratelimit-remaining", "etag"), fc.string())
    const words = fc.oneof(fc.constant(EMPTY.message), fc.string())
    const body = fc.oneof(fc.record({ message: words }), fc.json(), fc.string())
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 599 }),
        body,
        headers,
        fc.boolean(),
        (status, body, headers, conditional) => {
          const said = typeof body === "object" && body.message === EMPTY.message
          const { outcome } = answerTo(response(status, body, headers), conditional)
          expect(outcome === "absent").toBe(status === 409 && said)
          if (status !== 200) expect(outcome).not.toBe("ok")
        },
      ),
      { numRuns: runs(2_000) },
    )
  })

  test("never carries a word of GitHub's when it is no yes", () => {
    for (let status = 201; status < 600; status += 1) {
      expect(JSON.stringify(answerTo(response(status, { message: "words of theirs" })))).not.toContain("theirs")
    }
  })
})

describe("a call for patience", () => {
  const LIMITED: [string, number, Record<string, string>, unknown, number][] = [
    [
      "primary, with its end",
      403,
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_SECONDS + 90) },
      {},
      90,
    ],
    ["primary, as 429", 429, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_SECONDS + 90) }, {}, 90],
    ["primary, that ended", 403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_SECONDS - 5) }, {}, 1],
    ["primary, until far away", 403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999" }, {}, 3600],
    ["primary, without its end", 403, { "x-ratelimit-remaining": "0" }, {}, 60],
    ["primary, with an end that is none", 403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon" }, {}, 60],
    ["secondary, with a time", 403, { "retry-after": "30" }, {}, 30],
    ["secondary, with no time at all", 429, { "retry-after": "0" }, {}, 1],
    ["secondary, with a time that is none", 429, { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, {}, 60],
    ["secondary, with a very long time", 429, { "retry-after": "86400" }, {}, 3600],
    ["secondary, before the primary's end", 403, { "retry-after": "30", "x-ratelimit-remaining": "0" }, {}, 30],
    ["429 alone", 429, {}, "", 60],
    ["in words", 403, {}, { message: "You have exceeded a secondary rate limit." }, 60],
    ["in the words of old", 403, {}, { message: "You have triggered an abuse detection mechanism." }, 60],
  ]
  test.each(LIMITED)("%s", (_, status, headers, body, seconds) => {
    expect(answerTo(response(status, body, headers))).toEqual({ outcome: "rate-limited", retryAfterSeconds: seconds })
  })

  test("404 says that the App does not exist, in GitHub's words, or only that nothing is visible", () => {
    const said = (message: string) => answerTo(response(404, { message }))
    expect(said("Integration not found")).toEqual({ outcome: "no-access", why: "app-rejected" })
    expect(said("Not Found")).toEqual({ outcome: "no-access", why: "not-visible" })
  })

  const NOT_LIMITED: [string, number, Record<string, string>, string][] = [
    ["403 with requests left", 403, { "x-ratelimit-remaining": "4999" }, "permission"],
    ["404 with the last request", 404, { "x-ratelimit-remaining": "0" }, "not-visible"],
    ["401 with the last request", 401, { "x-ratelimit-remaining": "0" }, "app-rejected"],
  ]
  test.each(NOT_LIMITED)("is not %s", (_, status, headers, why) => {
    expect(answerTo(response(status, {}, headers))).toEqual({ outcome: "no-access", why })
  })
})
