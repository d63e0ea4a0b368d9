import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { octoStsRefusal } from "../../../broker/http/octo-sts.ts"
import { parseTokenRequest, tokenRefusal } from "../../../broker/http/token.ts"
import { ERROR_CODES, PROBLEMS } from "../../../broker/wire/error-codes.ts"

const CANARY = "canary-of-something-secret"
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "vault", "a.b.c"))

describe("a refusal by RFC 6749", () => {
  it.each(ERROR_CODES.map((code) => [code]))("of %s has a registered error, and our code beside it", async (code) => {
    const response = tokenRefusal(new BrokerError(code, "What happened."), "request-1")
    const registered = /^(?:invalid_request|invalid_scope|temporarily_unavailable|server_error)$/
    expect(await response.json()).toEqual({
      error: expect.stringMatching(registered),
      error_description: "What happened.",
      code,
      request_id: "request-1",
    })
    const { status } = PROBLEMS[code]
    const own = status >= 500 || ["quota_exceeded", "request_too_large", "wrong_host"].includes(code)
    expect(response.status).toBe(own ? status : 400)
    expect(response.headers.has("retry-after"), code).toBe(status === 503)
    expect(response.headers.get("content-type")).toContain("application/json")
  })

  it("of a subject token is invalid_request, as RFC 8693 wants it, and of a policy invalid_scope", async () => {
    const errorOf = async (code: "token_expired" | "not_allowed" | "quota_exceeded" | "provider_denied") =>
      ((await tokenRefusal(new BrokerError(code, "x"), "r").json()) as { error: string }).error
    expect(await errorOf("token_expired")).toBe("invalid_request")
    expect(await errorOf("not_allowed")).toBe("invalid_scope")
    expect(await errorOf("quota_exceeded")).toBe("temporarily_unavailable")
    expect(await errorOf("provider_denied")).toBe("server_error")
  })

  it("has a description that OAuth allows, whatever the detail", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 9_000 }), async (detail) => {
        const body = await tokenRefusal(new BrokerError("not_allowed", detail), "r").json()
        expect((body as { error_description: string }).error_description).toMatch(
          /^[\x20\x21\x23-\x5b\x5d-\x7e]{0,4096}$/,
        )
      }),
    )
  })

  it.each([new Error(CANARY), CANARY, undefined])("reveals nothing of %s", async (error) => {
    expect(await tokenRefusal(error, "r").text()).not.toContain(CANARY)
    expect(await octoStsRefusal(error).text()).not.toContain(CANARY)
  })
})

describe("a refusal for clients of octo-sts", () => {
  it.each(ERROR_CODES.map((code) => [code]))("of %s has its status, a code of gRPC and a message", async (code) => {
    const response = octoStsRefusal(new BrokerError(code, "What happened."))
    expect(response.status).toBe(PROBLEMS[code].status)
    const body = (await response.json()) as { code: number; message: string }
    expect(body).toEqual({ code: expect.any(Number), message: `${code}: What happened.`, details: [] })
    expect(body.code).toBeGreaterThan(0)
    expect(body.code).toBeLessThanOrEqual(16)
    expect(response.headers.get("www-authenticate")).toBe(response.status === 401 ? "Bearer" : null)
  })
})

it("a form of any parameters is parsed, or refused with an error of ours that quotes none of it", () => {
  const names = fc.constantFrom(
    "grant_type",
    "subject_token",
    "subject_token_type",
    "scope",
    "requested_token_type",
    "audience",
    "x",
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(names, text), { maxLength: 8 }), (parameters) => {
      const form = new URLSearchParams([...parameters, ["scope", `${CANARY} x`]])
      const error = (() => {
        try {
          return parseTokenRequest(form)
        } catch (thrown) {
          return thrown
        }
      })()
      expect(error).toBeInstanceOf(BrokerError)
      expect(String(error)).not.toContain(CANARY)
    }),
  )
})
