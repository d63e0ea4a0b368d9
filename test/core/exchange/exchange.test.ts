import { describe, expect, it } from "vitest"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { Claims } from "../../../broker/core/identity.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { handleContext } from "../../../broker/exchange/lease.ts"
import type { Admission, Preparation, Settlement, Suspicion, SweptLedger } from "../../../broker/ports/ledger.ts"
import { LeftAliveError, type Provider } from "../../../broker/providers/provider.ts"
import { CANARY, IDENTITY, NOW, type WorldOptions, world } from "./world.ts"

const KEY = { thumbprint: "thumb" }

describe("an exchange", () => {
  it("verifies, decides, records, mints, records, and only then answers", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints", two: "expires-only" } })
    const answer = await exchange(call(), broker)
    expect(story).toEqual(["verify", "policiesOf", "admit", "mint one", "mint two", "settle"])
    expect(answer.credentials["one"]).toEqual({
      provider: "staged",
      expires_at: new Date(NOW.getTime() + 900_000).toISOString(),
      revocation: "revocable",
      values: { key: { value: CANARY, secret: true, env: "KEY" }, region: { value: "eu", secret: false } },
    })
  })

  it("mints in memory first, records it once, and only then answers", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "in-memory", two: "in-memory" } })
    const { lease, credentials } = await exchange(call(), broker)
    expect(story).toEqual(["verify", "policiesOf", "mint one", "mint two", "admitMinted"])
    expect(Object.keys(credentials)).toEqual(["one", "two"])
    expect(recorded).toEqual([
      expect.objectContaining({
        lease: expect.objectContaining({ id: lease, unknownUntil: 0 }),
        audit: expect.objectContaining({ event: "exchange.minted", decision: "allow", lease, claims: {} }),
        credentials: [
          expect.objectContaining({ grant: "one", revocation: "expires-only", sealedHandle: null }),
          expect.objectContaining({ grant: "two", revocation: "expires-only", sealedHandle: null }),
        ],
      }),
    ])
    expect(JSON.stringify(recorded)).not.toContain(CANARY)
  })

  it("records the intent first when one of its grants is not minted in memory", async () => {
    const { broker, call, story } = await world({ grants: { one: "in-memory", two: "expires-only" } })
    await exchange(call(), broker)
    expect(story).toEqual(["verify", "policiesOf", "admit", "mint one", "mint two", "settle"])
  })

  it.each([
    [{ ledgerFails: ["admitMinted"] }, "ledger_unavailable"],
    [{ admission: { outcome: "already-used" } }, "token_already_used"],
    [{ admission: { outcome: "too-old" } }, "token_too_old"],
    [{ admission: { outcome: "lease-taken" } }, "lease_taken"],
  ] as const)("throws away unseen what it minted in memory and cannot record: %o", async (options, code) => {
    const { broker, call, story } = await world({ grants: { one: "in-memory" }, ...options })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code })
    expect(story).toEqual(["verify", "policiesOf", "mint one", "admitMinted"])
  })

  it("records why it came to nothing when a mint in memory fails, or its client is gone", async () => {
    const failing = await world({ grants: { one: "in-memory", two: "fails-in-memory" } })
    await expect(exchange(failing.call(), failing.broker)).rejects.toMatchObject({ code: "provider_denied" })
    expect(failing.story).toEqual(["verify", "policiesOf", "mint one", "mint two", "admit", "settle"])
    const left = await world({ grants: { one: "in-memory" } })
    await expect(exchange(left.call({ isGone: () => true }), left.broker)).rejects.toMatchObject({
      code: "client_gone",
    })
    expect(left.story).toEqual(["verify", "policiesOf", "mint one", "admit", "settle"])
    expect((left.recorded.at(-1) as Settlement).audit).toMatchObject({ event: "exchange.failed" })
  })

  it("records that nobody got what was minted in memory when the client is gone after the record", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "in-memory" } })
    const isGone = () => story.includes("admitMinted")
    await expect(exchange(call({ isGone }), broker)).rejects.toMatchObject({ code: "client_gone" })
    expect(recorded.at(-1)).toMatchObject({
      outcomes: { one: "expires-only" },
      audit: { event: "lease.closed", reason: "client_gone" },
    })
  })

  it("tells a provider the very subject that its identity tokens have", async () => {
    const { broker, call } = await world({ grants: { one: "mints" } })
    const signed: Claims[] = []
    const told: string[] = []
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const curious: Provider = {
      ...staged,
      async mint(request, io) {
        told.push(request.subject)
        await io.identityToken("https://other-side.example")
        return await staged.mint(request, io)
      },
    }
    const sign = async (claims: Claims) => {
      signed.push(claims)
      return new Secret("signed")
    }
    const signer = { ...broker.signer, sign }
    await exchange(call(), { ...broker, signer, providers: new Map([["staged", curious]]) })
    expect(told).toEqual(["github:repository:41:environment:production:grant:one"])
    expect(signed.map(({ sub }) => sub)).toEqual(told)
  })

  it("records of each grant what only its mint knows: whether its values came from memory, and how many an item has", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints", two: "expires-only" } })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const remembering: Provider = {
      ...staged,
      mint: async (request, io) => ({
        ...(await staged.mint(request, io)),
        ...(request.grantName === "two" ? { cache: "hit", count: 12 } : {}),
      }),
    }
    await exchange(call(), { ...broker, providers: new Map([["staged", remembering]]) })
    const { audit } = recorded.at(-1) as Settlement
    expect(audit.grants.map(({ name, cache, values }) => [name, cache, values])).toEqual([
      ["one", undefined, undefined],
      ["two", "hit", 12],
    ])
  })

  it.each([
    ["takes back what a failed mint left alive", true, "provider_response_invalid: staged", "exchange.failed"],
    [
      "keeps on the lease's account what cannot be taken back yet",
      false,
      "provider_response_invalid: staged; left alive: one",
      "exchange.failed",
    ],
  ] as const)("%s", async (_, canRevoke, reason, event) => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" } })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const taken: string[] = []
    const failing: Provider = {
      ...staged,
      async mint() {
        const failure = new BrokerError("provider_response_invalid", "what connection staged gave was another thing")
        throw new LeftAliveError(failure, { handle: new Secret("handle of one"), expiresAt: null })
      },
      async revoke(handle) {
        taken.push(handle.reveal())
        if (!canRevoke) throw new BrokerError("provider_unavailable", "not now")
      },
    }
    const exchanged = exchange(call(), { ...broker, providers: new Map([["staged", failing]]) })
    await expect(exchanged).rejects.toMatchObject({ code: "provider_response_invalid" })
    expect(taken).toEqual(["handle of one"])
    const { audit, credentials } = recorded.at(-1) as Settlement
    expect([audit.event, audit.reason]).toEqual([event, reason])
    expect(
      credentials.map(({ grant, revocation, sealedHandle }) => [grant, revocation, sealedHandle !== null]),
    ).toEqual(canRevoke ? [] : [["one", "revocable", true]])
  })

  it("hands out nothing that only expires and lives longer than was granted, whatever its provider lets through", async () => {
    const { broker, call } = await world({ grants: { one: "expires-only" } })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const endingAfter = (seconds: number): Provider => ({
      ...staged,
      mint: async (request, io) => ({
        ...(await staged.mint(request, io)),
        expiresAt: new Date(NOW.getTime() + seconds * 1000),
      }),
    })
    const exchanged = (seconds: number) =>
      exchange(call(), { ...broker, providers: new Map([["staged", endingAfter(seconds)]]) })
    await expect(exchanged(900 + 121)).rejects.toMatchObject({
      code: "provider_response_invalid",
      detail: expect.stringContaining("staged"),
    })
    await expect(exchanged(900 + 119)).resolves.toBeDefined()
  })

  it("hands out nothing that is too large for an answer, takes it back, and names the largest", async () => {
    const { broker, call, story, recorded } = await world({ grants: { small: "mints", large: "mints" } })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const generous: Provider = {
      ...staged,
      async mint(request, io) {
        const minted = await staged.mint(request, io)
        if (request.grantName !== "large") return minted
        // Fewer characters than bytes: it is bytes that an answer has.
        const values = Array.from({ length: 12 }, (_, index) => [
          `v${index}`,
          { value: new Secret("密".repeat(65_536)) },
        ])
        return { ...minted, values: Object.fromEntries(values) }
      },
      // As a method of the staged one.
      revoke: (handle, request, io) => staged.revoke?.(handle, request, io) ?? Promise.resolve(),
    }
    await expect(exchange(call(), { ...broker, providers: new Map([["staged", generous]]) })).rejects.toMatchObject({
      code: "request_too_large",
      detail: expect.stringContaining("large"),
    })
    expect(story.filter((one) => one.startsWith("revoke")).sort()).toEqual(["revoke large", "revoke small"])
    expect((recorded.at(-1) as Settlement).audit.reason).toBe("request_too_large: staged")
  })

  it("mints nothing when its intent cannot be recorded", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, ledgerFails: ["admit"] })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(story).toEqual(["verify", "policiesOf", "admit"])
  })

  it("mints nothing for a token that was used before", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, alreadyUsed: true })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "token_already_used" })
    expect(story).not.toContain("mint one")
  })

  it("hands out all or none: what was minted beside a failure is revoked", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints", two: "fails", three: "mints" } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "provider_denied" })
    expect(story.slice(3).sort()).toEqual([
      "mint one",
      "mint three",
      "mint two",
      "revoke one",
      "revoke three",
      "settle",
    ])
    expect(recorded.at(-1)).toMatchObject({
      outcome: "failed",
      credentials: [],
      audit: { event: "exchange.failed", reason: "provider_denied: staged" },
    })
  })

  it("keeps what it could not revoke on the lease's account, so that the sweep tries again", async () => {
    const { broker, call, recorded } = await world({
      grants: { one: "mints-but-cannot-revoke", two: "fails", three: "expires-only" },
    })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "provider_denied" })
    expect(recorded.at(-1)).toMatchObject({
      outcome: "failed",
      credentials: [
        { grant: "one", revocation: "revocable" },
        { grant: "three", revocation: "expires-only", sealedHandle: null },
      ],
      audit: { reason: "provider_denied: staged; left alive: one, three" },
    })
  })

  it.each<[string, WorldOptions["grants"], string, string]>([
    ["one", { one: "mints", two: "fails" }, "provider_denied", "provider_denied: vault"],
    [
      "several, in the order asked for",
      { three: "is-down", one: "mints", two: "fails" },
      "provider_unavailable",
      "provider_unavailable: aws, provider_denied: vault",
    ],
    [
      "several alike, once",
      { two: "fails", three: "is-down", four: "is-down", five: "fails" },
      "provider_denied",
      "provider_denied: vault, provider_unavailable: aws",
    ],
    ["one that fails in a way it should not", { two: "breaks" }, "internal", "internal: vault"],
  ])("answers the first failure, and records where it failed: %s", async (_, grants, code, reason) => {
    const connections = { two: "vault", three: "aws", four: "aws", five: "vault" }
    const { broker, call, recorded } = await world({ grants, connections })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code })
    expect(recorded.at(-1)).toMatchObject({ outcome: "failed", audit: { event: "exchange.failed", reason } })
  })

  it("revokes and hands out nothing when the outcome cannot be recorded", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, ledgerFails: ["settle"] })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(story.slice(-3)).toEqual(["settle", "revoke one", "settle"])
  })

  it("opens the lease that the job has named", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" } })
    expect(await exchange(call({ lease: "the job's own" }), broker)).toMatchObject({ lease: "the job's own" })
    expect(recorded[0]).toMatchObject({ lease: { id: "the job's own" } })
  })

  it("mints nothing for a lease that is taken", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, admission: { outcome: "lease-taken" } })
    await expect(exchange(call({ lease: "a" }), broker)).rejects.toMatchObject({ code: "lease_taken" })
    expect(story.at(-1)).toBe("admit")
  })

  it("revokes what it minted for a job that ended the lease meanwhile, and records what it could not revoke", async () => {
    const grants = { one: "mints", two: "mints-but-cannot-revoke" } as const
    const { broker, call, story, recorded } = await world({ grants, endedEarly: true })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "client_gone" })
    expect(story.slice(-4)).toEqual(["settle", "revoke one", "revoke two", "settle"])
    expect(recorded.at(-1)).toMatchObject({
      outcome: "failed",
      credentials: [{ grant: "two" }],
      audit: { event: "exchange.failed", reason: "client_gone; left alive: two" },
    })
  })

  it("answers the provider's failure even when that cannot be recorded either", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints", two: "fails" }, ledgerFails: ["settle"] })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "provider_denied" })
    expect(story).toContain("revoke one")
  })

  it("answers the provider's failure even when what is left cannot be sealed", async () => {
    const grants = { one: "mints-but-cannot-revoke", two: "fails" } as const
    const { broker, call } = await world({ grants, sealerFails: true })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code: "provider_denied" })
  })

  it("revokes and hands out nothing when a revocation handle cannot be sealed", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints" }, sealerFails: true })
    await expect(exchange(call(), broker)).rejects.toThrow()
    expect(story.slice(-3)).toEqual(["mint one", "revoke one", "settle"])
    expect(recorded.at(-1)).toMatchObject({ outcome: "failed", credentials: [], audit: { event: "exchange.failed" } })
  })

  it("keeps what a broken provider said to itself", async () => {
    const { broker, call } = await world({ grants: { one: "breaks" } })
    const error = await exchange(call(), broker).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: "internal" })
    expect(String(error)).not.toContain(CANARY)
  })

  it("never puts a secret into what the ledger is given", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "mints", two: "expires-only" } })
    await exchange(call(), broker)
    for (const form of [CANARY, btoa(CANARY), encodeURIComponent(CANARY)])
      expect(JSON.stringify(recorded)).not.toContain(form)
  })

  it("records a denial of its own repository, and uses the token up", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints" } })
    await expect(exchange(call({ grants: ["other"] }), broker)).rejects.toMatchObject({ code: "not_allowed" })
    expect(story).toEqual(["verify", "policiesOf", "admit"])
    expect(recorded[0]).toMatchObject({
      token: { key: "token-key" },
      audit: { event: "exchange.denied", reason: "not_allowed: other" },
    })
    expect(recorded[0]).not.toHaveProperty("lease")
  })

  it("records nothing of a stranger, and answers what it answers everybody", async () => {
    const stranger = await world({
      grants: { one: "mints" },
      identity: { ownerId: "666", owner: "evil", unit: "evil/shop" },
    })
    const refused = await exchange(stranger.call(), stranger.broker).catch((error: unknown) => error)
    expect(stranger.story).toEqual(["verify"])
    const absent = await world({ grants: { one: "mints" }, identity: { unitId: "42", unit: "acme/web" } })
    const other = await exchange(absent.call(), absent.broker).catch((error: unknown) => error)
    // Each hears its own claims, and nothing else that differs.
    const inOthersWords = (other as BrokerError).detail.replaceAll("acme/web", "evil/shop").replace('"42"', '"41"')
    expect(refused).toMatchObject({ code: "not_allowed", detail: inOthersWords })
    expect(refused).toMatchObject({ trace: undefined })
    expect(other).toMatchObject({ trace: undefined })
  })

  it("names in a refusal the policies that refused, to whoever asks", async () => {
    const refusals = [
      { grants: { one: "mints" as const }, asked: { grants: ["two"] } },
      { grants: { one: "mints" as const }, asked: {}, requireBoundToken: true },
      { grants: { one: "mints" as const }, asked: {}, identity: { ownerId: "666" } },
    ]
    for (const { asked, ...options } of refusals) {
      const { broker, call } = await world(options)
      await expect(exchange(call(asked), broker)).rejects.toMatchObject({ status: 403, policyVersion: "v1" })
    }
  })

  it("says the lifetime that the policy allows when the wish was for a longer one", async () => {
    const { broker, call } = await world({ grants: { one: "mints" } })
    const { credentials } = await exchange(call({ ttlSeconds: 3600 }), broker)
    expect(credentials["one"]).toMatchObject({ shortened_to_seconds: 900 })
    const other = await world({ grants: { one: "mints" } })
    expect((await exchange(other.call({ ttlSeconds: 600 }), other.broker)).credentials["one"]).not.toHaveProperty(
      "shortened_to_seconds",
    )
  })

  it("leaves the token good when the wish was for too short a time", async () => {
    const { broker, call, story } = await world({ grants: { one: "mints" } })
    await expect(exchange(call({ ttlSeconds: 59 }), broker)).rejects.toMatchObject({ code: "ttl_too_short" })
    expect(story).not.toContain("admit")
  })

  it.each([
    ["a bound token without its key", "thumb", undefined, ["token.unbound"]],
    ["a bound token with another key", "other", KEY, ["token.unbound"]],
    ["a plain token with a key", null, KEY, []],
  ])("refuses %s, uses nothing up, and records what only a thief does", async (_, boundTo, key, told) => {
    const { broker, call, recorded } = await world({ grants: { one: "mints" }, boundTo })
    await expect(exchange(call({ key }), broker)).rejects.toMatchObject({ code: "key_mismatch" })
    const suspicions = recorded as Suspicion[]
    expect(suspicions.map(({ audit }) => audit.event)).toEqual(told)
    for (const { audit, token } of suspicions) {
      expect(audit).toMatchObject({ reason: "key_mismatch: one", decision: "deny", token_digest: "digest" })
      expect(token.key).toBe("token-key")
    }
  })

  it("refuses an unbound use although it cannot be recorded, and records none of strangers", async () => {
    const full = await world({ grants: { one: "mints" }, boundTo: "thumb", ledgerFails: ["suspect"] })
    await expect(exchange(full.call(), full.broker)).rejects.toMatchObject({ code: "key_mismatch" })
    const strange = await world({ grants: { one: "mints" }, boundTo: "thumb", identity: { ownerId: "666" } })
    await expect(exchange(strange.call(), strange.broker)).rejects.toMatchObject({ code: "key_mismatch" })
    expect(strange.story).toEqual(["verify"])
  })

  it("revokes what it minted for a client that is gone, and records that nobody got it", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints", two: "expires-only" } })
    await expect(exchange(call({ isGone: () => true }), broker)).rejects.toMatchObject({ code: "client_gone" })
    expect(story).toEqual(["verify", "policiesOf", "admit", "mint one", "mint two", "revoke one", "settle"])
    expect(recorded.at(-1)).toMatchObject({
      outcome: "failed",
      credentials: [{ grant: "two", revocation: "expires-only" }],
      audit: { event: "exchange.failed", reason: "client_gone; left alive: two" },
    })
  })

  it("revokes the lease of a client that went while its outcome was recorded", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints", two: "mints-but-cannot-revoke" } })
    const isGone = () => story.includes("settle")
    await expect(exchange(call({ isGone }), broker)).rejects.toMatchObject({ code: "client_gone" })
    expect(story.slice(-4)).toEqual(["settle", "revoke one", "revoke two", "recordRevocation"])
    expect(recorded.at(-1)).toMatchObject({
      outcomes: { one: "revoked", two: "failed" },
      audit: { event: "lease.closed", reason: "client_gone" },
    })
  })

  it("owes the record of such a lease when the ledger fails in that moment", async () => {
    const fails: (keyof SweptLedger)[] = ["recordRevocation"]
    const { broker, call, story, recorded } = await world({ grants: { one: "mints" }, ledgerFails: fails })
    await expect(exchange(call({ isGone: () => story.includes("settle") }), broker)).rejects.toMatchObject({
      code: "client_gone",
    })
    const { lease } = recorded.at(-1) as Settlement
    expect(broker.owed.has({ lease, issuerUrl: IDENTITY.issuerUrl, unitId: IDENTITY.unitId })).toBe(true)
    fails.splice(0)
    await broker.owed.pay()
    expect(recorded.at(-1)).toMatchObject({ lease, outcomes: { one: "revoked" } })
  })

  it("records what can revoke a credential before it is minted, and no longer calls its end unknown", async () => {
    const { broker, call, story, recorded } = await world({ grants: { one: "mints", two: "expires-only" } })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const end = new Date(NOW.getTime() + 600_000)
    const preparing: typeof staged = {
      ...staged,
      unrecordedSeconds: (grant) => ((grant as { behaviour: string }).behaviour === "mints" ? 3600 : 60),
      async mint(request, io) {
        if (request.grantName === "one") await io.prepare(new Secret("prepared one"), end)
        return await staged.mint(request, io)
      },
    }
    const { lease } = await exchange(call(), { ...broker, providers: new Map([["staged", preparing]]) })
    expect(story.indexOf("prepare")).toBeLessThan(story.indexOf("mint one"))
    const [admission, preparation] = recorded as [Admission, Preparation]
    expect(admission.lease?.unknownUntil).toBe(NOW.getTime() + 10_000 + 3_600_000)
    expect(preparation).toMatchObject({
      lease,
      unknownUntil: NOW.getTime() + 10_000 + 60_000,
      credential: { grant: "one", provider: "staged", revocation: "revocable", expiresAt: end.getTime() },
    })
    const context = handleContext(
      { issuerUrl: "https://token.actions.githubusercontent.com", unitId: "41" },
      lease,
      "one",
    )
    const opened = await broker.sealer.open(preparation.credential.sealedHandle ?? "", context)
    expect(opened.reveal()).toBe("prepared one")
  })

  it.each([
    ["too-old", "token_too_old", "Ask the runner for a new one."],
    ["already-used", "token_already_used", "Ask the runner for a new one"],
  ] as const)("mints nothing when the ledger finds its token %s", async (outcome, code, said) => {
    const { broker, call, story } = await world({ grants: { one: "mints" }, admission: { outcome } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({ code, detail: expect.stringContaining(said) })
    expect(story.at(-1)).toBe("admit")
  })

  it.each([
    [
      "exchanges_per_minute",
      "This repository has made its 3 exchanges of this minute (exchanges_per_minute). The limit is set in daypass.yaml:7. Try again in 12 s.",
    ],
    [
      "open_leases",
      "This repository has 3 open leases, which is its limit (open_leases). A lease ends with its job. The limit is set in daypass.yaml:7. Try again in 12 s.",
    ],
    [
      "max_open_leases",
      "The grant one has 3 open leases, which is its limit (max_open_leases). A lease ends with its job. The limit is set in daypass.yaml:7. Try again in 12 s.",
    ],
  ] as const)("says which limit was reached, where it is set, and when to try again: %s", async (name, detail) => {
    const reached = { name, max: 3, source: "daypass.yaml:7", used: 3, retryAfterSeconds: 12, grant: "one" }
    const { broker, call } = await world({ grants: { one: "mints" }, admission: { outcome: "over-limit", reached } })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      code: "quota_exceeded",
      detail,
      retryAfterSeconds: 12,
      limit: reached,
    })
  })

  it("says whose limit it is in the words of the job's CI", async () => {
    const reached = { name: "open_leases", max: 3, source: "x.yaml:7", used: 3, retryAfterSeconds: 12 } as const
    const admission = { outcome: "over-limit", reached } as const
    const { broker, call } = await world({ grants: { one: "mints" }, identity: { unitKind: "project" }, admission })
    await expect(exchange(call(), broker)).rejects.toMatchObject({
      detail: expect.stringMatching(/^This project has 3 open leases/),
    })
  })

  it("answers a denial beyond the limit like any other", async () => {
    const { broker, call } = await world({ grants: { one: "mints" }, admission: { outcome: "counted" } })
    await expect(exchange(call({ grants: ["nothing"] }), broker)).rejects.toMatchObject({ code: "not_allowed" })
  })

  it("refuses a plain token where a connection demands a bound one, and takes the bound one", async () => {
    const plain = await world({ grants: { one: "mints" }, requireBoundToken: true })
    await expect(exchange(plain.call(), plain.broker)).rejects.toMatchObject({ code: "bound_token_required" })
    expect(plain.story).not.toContain("mint one")
    const bound = await world({ grants: { one: "mints" }, requireBoundToken: true, boundTo: "thumb" })
    await expect(exchange(bound.call({ key: KEY }), bound.broker)).resolves.toBeDefined()
  })
})

describe("the time that an exchange grants", () => {
  const at = (seconds: number) => NOW.getTime() + seconds * 1000
  const iso = (seconds: number) => new Date(at(seconds)).toISOString()

  it("ends what can be taken back, however long its vendor lets it live", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "outlives", two: "never-expires" } })
    const answer = await exchange(call({ ttlSeconds: 600 }), broker)
    expect(answer).toMatchObject({
      expires_at: iso(600),
      credentials: { one: { expires_at: iso(600) }, two: { expires_at: iso(600) } },
    })
    expect((recorded.at(-1) as Settlement).credentials).toMatchObject([
      { grant: "one", expiresAt: at(3600), grantedUntil: at(600) },
      { grant: "two", expiresAt: null, grantedUntil: at(600) },
    ])
  })

  it("makes nothing live longer", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "dies-early" } })
    const answer = await exchange(call(), broker)
    expect(answer).toMatchObject({ expires_at: iso(60), credentials: { one: { expires_at: iso(60) } } })
    expect(recorded.at(-1)).toMatchObject({ credentials: [{ expiresAt: at(60), grantedUntil: at(900) }] })
  })

  it("ends nothing that nobody can take back", async () => {
    const { broker, call, recorded } = await world({ grants: { one: "expires-only", two: "dies-early" } })
    const answer = await exchange(call(), broker)
    expect(answer).toMatchObject({ expires_at: iso(900), credentials: { one: { expires_at: iso(900) } } })
    expect(recorded.at(-1)).toMatchObject({ credentials: [{ grant: "one", grantedUntil: null }, { grant: "two" }] })
  })
})
