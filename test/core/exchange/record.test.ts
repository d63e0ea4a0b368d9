import { describe, expect, it } from "vitest"
import { DEFAULT_LIMITS } from "../../../broker/core/policy/limits.ts"
import type { Boundary } from "../../../broker/core/policy/model.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { explain } from "../../../broker/exchange/explain.ts"
import { handleContext } from "../../../broker/exchange/lease.ts"
import type { Admission, Settlement } from "../../../broker/ports/ledger.ts"
import type { Provider } from "../../../broker/providers/provider.ts"
import { NOW, world } from "./world.ts"

const WHO = {
  issuer: "https://token.actions.githubusercontent.com",
  unit_kind: "repository",
  unit: "acme/shop",
  unit_id: "41",
  environment: "production",
  run_id: "10988497055",
  run_attempt: "1",
}

describe("what an exchange records", () => {
  it("before it mints says who asked, by which token and policies, for what, and until when", async () => {
    const ttls = { one: 300, two: 600 }
    const { broker, call, recorded } = await world({ grants: { one: "mints", two: "expires-only" }, ttls })
    const { lease } = await exchange(call(), broker)
    const admission = recorded[0] as Admission
    expect(admission.token).toEqual({
      key: "token-key",
      issuedAt: NOW.getTime() / 1000,
      expiresAt: NOW.getTime() / 1000 + 360,
    })
    // The longest granted time, behind the time that minting may take.
    const endsBy = NOW.getTime() + 10_000 + 600_000
    expect(admission.lease).toEqual({
      id: lease,
      runId: WHO.run_id,
      runAttempt: WHO.run_attempt,
      settleBy: NOW.getTime() + 60_000,
      endsBy,
      unknownUntil: endsBy,
      limited: [],
    })
    expect(admission).toMatchObject({ now: NOW.getTime(), limits: DEFAULT_LIMITS })
    expect(admission.audit).toStrictEqual({
      version: 2,
      at: NOW.toISOString(),
      request_id: "request-1",
      event: "exchange.intended",
      identity: expect.objectContaining(WHO),
      token_digest: "digest",
      token_binding: "none",
      lease,
      grants: [
        { name: "one", connection: "staged", provider: "staged", resource: "resource of mints", ttl_seconds: 300 },
        {
          name: "two",
          connection: "staged",
          provider: "staged",
          resource: "resource of expires-only",
          ttl_seconds: 600,
        },
      ],
      decision: "allow",
      reason: "allowed",
      policy_version: "v1",
      client_address: "192.0.2.1",
      claims: {},
    })
  })

  it("of a decision says what the token says for the claims that policies read, and of an outcome does not repeat it", async () => {
    const boundaries: readonly Boundary[] = [
      {
        name: "main",
        file: "daypass.yaml",
        line: 1,
        when: [{ claim: "ref", test: { kind: "present", present: true } }],
        allow: [{ connection: "staged", line: 2, fields: new Map() }],
        require: [{ claim: "enterprise", test: { kind: "present", present: false } }],
      },
    ]
    const { broker, call, recorded } = await world({ grants: { one: "mints" }, boundaries })
    await exchange(call(), broker)
    await exchange(call({ grants: ["two"] }), broker).catch(() => {})
    const [intended, outcome, denied] = recorded as (Admission | Settlement)[]
    // The token also has an event_name, which nothing reads.
    expect([intended?.audit.event, intended?.audit.claims]).toEqual(["exchange.intended", { ref: "refs/heads/main" }])
    expect([denied?.audit.event, denied?.audit.claims]).toEqual(["exchange.denied", { ref: "refs/heads/main" }])
    expect(outcome?.audit.event).toBe("exchange.minted")
    expect(outcome?.audit).not.toHaveProperty("claims")
  })

  it("says that a token was bound to its job's key", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" }, boundTo: "thumb" })
    await exchange(call({ key: { thumbprint: "thumb" } }), broker)
    expect((recorded as (Admission | Settlement)[]).map(({ audit }) => audit.token_binding)).toEqual([
      "thumbprint",
      "thumbprint",
    ])
  })

  it("of a token that comes back names the reuse, and no lease or grant", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" } })
    await exchange(call(), broker)
    await exchange(call({ grants: ["none"] }), broker).catch(() => {})
    for (const { replayAudit } of [recorded[0], recorded.at(-1)] as Admission[]) {
      expect(replayAudit).toMatchObject({
        event: "token.replayed",
        reason: "token_already_used",
        decision: "deny",
        lease: null,
        grants: [],
      })
    }
  })

  it("of a denial says that it is one, and for what", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" } })
    await exchange(call({ grants: ["two", "three"] }), broker).catch(() => {})
    expect((recorded[0] as Admission).audit).toMatchObject({
      event: "exchange.denied",
      reason: "not_allowed: two, three",
      decision: "deny",
      lease: null,
      grants: [],
    })
  })

  it("after it minted is the outcome, under the same lease", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" } })
    const { lease } = await exchange(call(), broker)
    expect(recorded).toHaveLength(2)
    expect(recorded[1]).toMatchObject({
      lease,
      outcome: "minted",
      audit: { event: "exchange.minted", reason: "minted", lease, decision: null, grants: [{ name: "one" }] },
    })
  })

  it("is told a denial that its token was used before", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, alreadyUsed: true })
    await expect(exchange(call({ grants: ["two"] }), broker)).rejects.toMatchObject({
      code: "token_already_used",
      detail: expect.stringContaining("used before"),
    })
  })

  it("names no resource where the broker has no such provider, which is a fault of the broker", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" }, providerIsGone: true })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      code: "internal",
      detail: "This broker has no provider staged.",
    })
    expect((recorded[0] as Admission).audit.grants).toMatchObject([{ provider: "staged", resource: "" }])
  })

  it("goes into the request's own event, too: whose job, for which grants, with which lease", async () => {
    const { broker, call } = await world({ grants: { one: "mints" } })
    const asked = call()
    const { lease } = await exchange(asked, broker)
    const { unit_kind, unit, unit_id, environment, run_id } = WHO
    expect(asked.event).toMatchObject({ unit_kind, unit, unit_id, environment, run_id, grants: ["one"], lease })
  })
})

it("a revocation handle is sealed for the issuer's URL and the unit's id, the lease and the grant", () => {
  expect(handleContext({ issuerUrl: "https://issuer.example", unitId: "41" }, "a-lease", "a-grant")).toEqual({
    kind: "revocation-handle",
    unit: "https://issuer.example 41",
    id: "a-lease/a-grant",
  })
})

describe("what a provider is given", () => {
  /** The world's provider, and what it is asked. */
  async function curious(canRevoke: boolean) {
    const { broker, call, recorded } = await world({ grants: { one: "mints", two: "fails" } })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const windows: [string, number][] = []
    const requests: unknown[] = []
    const provider: Provider = {
      ...staged,
      mint(request, io) {
        windows.push(["mint", io.remainingMs()])
        requests.push(request)
        return staged.mint(request, io)
      },
      async revoke(_, request, io) {
        windows.push(["revoke", io.remainingMs()])
        requests.push(request)
        if (!canRevoke) throw new Error("not now")
      },
    }
    return { broker: { ...broker, providers: new Map([["staged", provider]]) }, call, recorded, windows, requests }
  }

  it("is ten seconds to mint, and four to take back while a job waits to be told of a failure", async () => {
    const { broker, call, windows } = await curious(true)
    await exchange(call(), broker).catch(() => {})
    expect(windows).toEqual([
      ["mint", 10_000],
      ["mint", 10_000],
      ["revoke", 4_000],
    ])
  })

  it("is the grant, the connection and the lease, to mint; the connection alone, to take back", async () => {
    const { broker, call, requests, recorded } = await curious(false)
    await exchange(call(), broker).catch(() => {})
    const { lease, credentials } = recorded.at(-1) as Settlement
    expect(requests[0]).toMatchObject({
      grantName: "one",
      connectionName: "staged",
      connection: {},
      grant: { behaviour: "mints" },
      ttlSeconds: 900,
      lease,
    })
    expect(requests[0]).not.toHaveProperty("files")
    expect(requests.at(-1)).toBe("staged")
    expect(credentials).toMatchObject([{ grant: "one", connection: "staged", provider: "staged" }])
  })
})

describe("a refusal", () => {
  it("says of each grant that is refused why, and nothing of those that could be had", async () => {
    const { broker, call } = await world({ grants: { one: "mints" } })
    await expect(exchange(call({ grants: ["two", "one", "three"] }), broker)).rejects.toMatchObject({
      code: "not_allowed",
      detail: expect.stringMatching(
        /^two: The policies .* that they define: one\. three: The policies .* that they define: one\.$/,
      ),
    })
  })

  it("of a grant that no policy gives stays one where its connection demands a bound token", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, requireBoundToken: true })
    await expect(exchange(call({ grants: ["one", "two"] }), broker)).rejects.toMatchObject({ code: "not_allowed" })
  })

  it("that a bound token would not be says so", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, requireBoundToken: true })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      code: "bound_token_required",
      detail: expect.stringContaining("need a key-bound subject token"),
    })
  })

  it("of another owner's job says no more than that no policy allows it", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, identity: { ownerId: "666" } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      detail: expect.stringMatching(
        /^No policy of this broker grants what this job requested to acme\/shop \(repository_id "41"\) in environment production\./,
      ),
    })
  })

  const HELP = { url: "https://wiki.acme.example/daypass", text: "Ask the platform team" }

  it.each([
    ["of a policy", { asked: { grants: ["two"] } }],
    ["where no policy covers the repository", { asked: {}, identity: { unitId: "42" } }],
    ["of a plain token", { asked: {}, requireBoundToken: true }],
  ])("%s says where the organisation helps", async (_, { asked, ...options }) => {
    const { broker, call } = await world({ grants: { one: "mints" }, help: HELP, ...options })
    await expect(exchange(call(asked), broker)).rejects.toMatchObject({ status: 403, help: HELP })
  })

  it("of another owner's job does not say where the organisation helps", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, help: HELP, identity: { ownerId: "666" } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "not_allowed", help: undefined })
  })

  it("of a time that is too short names the provider's shortest, and shows the trace", async () => {
    const { broker, call } = await world({ grants: { one: "mints" } })
    await expect(exchange(call({ ttlSeconds: 1 }), broker)).rejects.toMatchObject({
      code: "ttl_too_short",
      detail: expect.stringContaining("for at least 1m"),
      trace: expect.objectContaining({ grants: [expect.objectContaining({ name: "one" })] }),
    })
  })
})

describe("an explanation", () => {
  it("of what would be granted says so, with the trace, and records nothing", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" } })
    expect(await explain(call(), broker)).toEqual({
      decision: "allow",
      code: "allowed",
      grants: ["one"],
      policy_version: "v1",
      trace: expect.objectContaining({ grants: [expect.objectContaining({ name: "one", outcome: "allow" })] }),
      limits: expect.objectContaining({ open_leases: { max: 5_000, used: 2, source: "the default" } }),
    })
    expect(story).toEqual(["verify", "policiesOf", "standing"])
  })

  it("says what is used up of each limit, until when, and where it is set", async () => {
    const max = { exchanges_per_minute: 60, denials_per_hour: 10 }
    const limits = [{ file: "daypass.yaml", line: 9, when: [], max }]
    const { broker, call } = await world({ grants: { one: "mints", two: "mints" }, limits, maxOpenLeases: { two: 4 } })
    expect((await explain(call(), broker)).limits).toEqual({
      exchanges_per_minute: { max: 60, used: 1, resets_in_seconds: 30, source: "daypass.yaml:9" },
      open_leases: { max: 5_000, used: 2, source: "the default" },
      denials_per_hour: { max: 10, used: 3, counted: 0, resets_in_seconds: 600, source: "daypass.yaml:9" },
      max_open_leases: { two: { max: 4, source: "p.yaml:1" } },
    })
  })

  it("keeps its decision and says what is unknown while the ledger cannot be read", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, ledgerFails: ["standing"] })
    const answer = await explain(call(), broker)
    expect(answer).toMatchObject({ decision: "allow", notes: [expect.stringContaining("ledger of this unit")] })
    expect(answer).not.toHaveProperty("limits")
  })

  it("says nothing of limits to another owner's job, and does not touch a ledger for it", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, identity: { ownerId: "666" } })
    expect(await explain(call(), broker)).not.toHaveProperty("limits")
    expect(story).not.toContain("standing")
  })

  it("of a denial has the trace for the repository that owns the policies", async () => {
    const { broker, call } = await world({ grants: { one: "mints" } })
    expect(await explain(call({ grants: ["two"] }), broker)).toMatchObject({
      decision: "deny",
      code: "not_allowed",
      trace: { grants: [{ name: "two", outcome: "deny" }] },
    })
  })

  it.each([
    ["of another owner", { ownerId: "666" }],
    ["without policies", { unitId: "42" }],
  ])("has no trace for a repository %s", async (_, identity) => {
    const { broker, call } = await world({ grants: { one: "mints" }, identity })
    const answer = await explain(call(), broker)
    expect(answer).toMatchObject({ decision: "deny", code: "not_allowed" })
    expect(answer).not.toHaveProperty("trace")
  })

  it.each([
    ["a bound token without its key", "thumb", undefined, /bound to a key, but the request has no key/],
    ["a bound token with another key", "other", "thumb", /bound to a different key/],
    ["a plain token with a key", null, "thumb", /has a key, but the subject token is not bound/],
  ])("is refused to %s, like an exchange, and says what to change", async (_, boundTo, thumbprint, detail) => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, boundTo })
    const key = thumbprint === undefined ? undefined : { thumbprint }
    await expect(explain(call({ key }), broker)).rejects.toMatchObject({
      code: "key_mismatch",
      detail: expect.stringMatching(detail),
    })
    expect(story).toEqual(["verify"])
  })
})
