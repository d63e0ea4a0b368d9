import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import { overLimit } from "../../../broker/exchange/over-limit.ts"
import { faultOf, problemResponse } from "../../../broker/http/problem.ts"
import { ERROR_CODES, PROBLEMS } from "../../../broker/wire/error-codes.ts"

const CANARY = "canary-of-something-secret"

describe("a problem document", () => {
  it.each(ERROR_CODES.map((code) => [code]))("of %s says its code, its status and the request", async (code) => {
    const response = problemResponse(new BrokerError(code, "What happened."), "request-1")
    expect(response.status).toBe(PROBLEMS[code].status)
    expect(response.headers.get("content-type")).toBe("application/problem+json")
    expect(await response.json()).toEqual({
      type: `urn:daypass:problem:${code}`,
      title: PROBLEMS[code].title,
      status: PROBLEMS[code].status,
      detail: "What happened.",
      code,
      request_id: "request-1",
    })
  })

  it("says where the organisation helps", async () => {
    const help = { url: "https://wiki.acme.example/daypass", text: "Ask the platform team" }
    const response = problemResponse(new BrokerError("not_allowed", "No.", { help }), "request-1")
    expect(await response.json()).toMatchObject({ code: "not_allowed", help })
  })

  it.each([
    ["an unknown error", new Error(CANARY)],
    ["a text", CANARY],
    ["nothing", undefined],
    [
      "an error with the members of a BrokerError",
      Object.assign(new Error(CANARY), { code: "not_allowed", detail: CANARY }),
    ],
    ["an error with a foreign cause", new BrokerError("ledger_unavailable", "The disk.", { cause: new Error(CANARY) })],
  ])("reveals nothing of %s", async (_, error) => {
    expect(await problemResponse(error, "r").text()).not.toContain(CANARY)
    expect(JSON.stringify(faultOf(error))).not.toContain(CANARY)
  })

  it("names the Bearer scheme with every 401, and Retry-After with every 503", () => {
    for (const code of ERROR_CODES) {
      const { status, headers } = problemResponse(new BrokerError(code, "x"), "r")
      expect(headers.get("www-authenticate"), code).toBe(status === 401 ? "Bearer" : null)
      expect(headers.has("retry-after"), code).toBe(status === 503)
    }
  })

  it.each([
    ["exchanges_per_minute", '"exchanges_per_minute";q=600;w=60', '"exchanges_per_minute";r=0;t=30'],
    ["open_leases", '"open_leases";q=600', '"open_leases";r=0'],
    ["max_open_leases", '"max_open_leases";q=600', '"max_open_leases";r=0'],
  ] as const)("of the limit %s says which it is, in the RateLimit fields", async (name, policy, state) => {
    const grant = name === "max_open_leases" ? { grant: "vault" } : {}
    const reached = { name, max: 600, source: "daypass.yaml:12", used: 600, retryAfterSeconds: 30, ...grant }
    const response = problemResponse(overLimit(reached, "repository"), "r")
    expect(response.status).toBe(429)
    expect(response.headers.get("retry-after")).toBe("30")
    expect(response.headers.get("ratelimit-policy")).toBe(policy)
    expect(response.headers.get("ratelimit")).toBe(state)
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    expect(code).toBe("quota_exceeded")
    expect(detail).toContain(`(${name})`)
    expect(detail).toContain("The limit is set in daypass.yaml:12. Try again in 30 s.")
  })

  it("of every other refusal has no RateLimit fields", () => {
    const { headers } = problemResponse(new BrokerError("provider_throttled", "x", { retryAfterSeconds: 7 }), "r")
    expect([headers.get("ratelimit"), headers.get("ratelimit-policy")]).toEqual([null, null])
  })

  it("leaves out a trace that is too long, and says so", async () => {
    const rule = {
      kind: "deny",
      name: "x".repeat(100),
      file: "p.yaml",
      line: 1,
      matched: false,
      conditions: [],
    } as const
    const trace = {
      subject: { issuer: "github", unit_kind: "repository", unit: "acme/shop", unit_id: "41", environment: null },
      policies: [],
      notes: [],
      grants: [
        { name: "vault", outcome: "deny", reason: "no", rules: Array.from({ length: 5000 }, () => rule) },
      ] as const,
    }
    const text = await problemResponse(new BrokerError("not_allowed", "Denied.", { trace }), "r").text()
    expect(text.length).toBeLessThan(10_000)
    expect(JSON.parse(text)).toMatchObject({
      code: "not_allowed",
      detail: expect.stringContaining("Denied. The trace is left out because it is too long"),
    })
    expect(JSON.parse(text)).not.toHaveProperty("trace")
  })

  it("contains the error's trace and its Retry-After", async () => {
    const trace = {
      subject: { issuer: "github", unit_kind: "repository", unit: "acme/shop", unit_id: "41", environment: null },
      policies: [],
      notes: [],
      grants: [],
    }
    const response = problemResponse(new BrokerError("provider_throttled", "x", { trace, retryAfterSeconds: 7 }), "r")
    expect(response.headers.get("retry-after")).toBe("7")
    expect(await response.json()).toMatchObject({ trace })
  })
})
