import { describe, expect, it } from "vitest"
import { DEFAULT_LIMITS } from "../../../broker/core/policy/limits.ts"
import type { Broker } from "../../../broker/exchange/broker.ts"
import type { RevokeCall } from "../../../broker/exchange/call.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { revoke } from "../../../broker/exchange/revoke.ts"
import { type SweepTarget, sweepOnce } from "../../../broker/exchange/sweep.ts"
import type {
  LeaseCredentialState,
  Ledger,
  RevocationRequest,
  Settlement,
  SweptLedger,
} from "../../../broker/ports/ledger.ts"
import { type Behaviour, IDENTITY, NOW, type WorldOptions, world } from "./world.ts"

/** A world in which an exchange has been settled, and its ledger hands the lease's credentials out for revocation. */
async function afterExchange(
  grants: Readonly<Record<string, Behaviour>>,
  later: Partial<WorldOptions> = {},
  change: Partial<LeaseCredentialState> = {},
) {
  const before = await world({ grants })
  const { lease } = await exchange(before.call(), before.broker)
  const settlement = before.recorded.at(-1) as Settlement
  const credentials = settlement.credentials.map((credential) => ({
    ...credential,
    // As a ledger does it: what only expires has no other end.
    ended: credential.sealedHandle === null ? ("expires-only" as const) : null,
    ...change,
  }))
  const after = await world({
    grants,
    revocation: { outcome: "begun", credentials },
    due: [{ lease, credentials }],
    looked: credentials,
    ...later,
  })
  const call: RevokeCall = { ...after.call(), lease }
  const requests: RevocationRequest[] = []
  const ledger = after.broker.ledgers.of("", "")
  const asked: Ledger = {
    ...ledger,
    beginRevocation(request) {
      requests.push(request)
      return ledger.beginRevocation(request)
    },
  }
  return {
    ...after,
    broker: { ...after.broker, ledgers: { of: () => asked } },
    call,
    lease,
    requests,
    credentials,
  }
}

describe("revoking a lease", () => {
  it("begins in the ledger, revokes at the providers, and settles in the ledger", async () => {
    const { broker, call, story, recorded } = await afterExchange({ one: "mints", two: "expires-only" })
    const answer = await revoke(call, broker)
    expect(story).toEqual(["verify", "beginRevocation", "revoke one", "settleRevocation"])
    expect(answer.credentials).toMatchObject({ one: { outcome: "revoked" }, two: { outcome: "expires-only" } })
    expect(recorded.at(-1)).toMatchObject({ audit: { event: "lease.closed", reason: "revoked 1, expires-only 1" } })
  })

  it("says what it could not revoke, and leaves it to be tried again", async () => {
    const { broker, call, recorded } = await afterExchange({ one: "mints-but-cannot-revoke" })
    expect((await revoke(call, broker)).credentials).toMatchObject({ one: { outcome: "failed" } })
    expect(recorded.at(-1)).toMatchObject({ outcomes: { one: "failed" } })
  })

  it("says when what it could not revoke ends by itself, which is not when its granted time is over", async () => {
    const { broker, call } = await afterExchange({ one: "outlives", two: "never-expires" }, { providerIsGone: true })
    expect((await revoke(call, broker)).credentials).toEqual({
      one: { outcome: "failed", expires_at: new Date(NOW.getTime() + 3_600_000).toISOString() },
      two: { outcome: "failed", expires_at: null },
    })
  })

  it("counts a handle that was sealed for another lease as not revoked", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" })
    const answer = await revoke({ ...call, lease: "another-lease" }, broker)
    expect(answer.credentials).toMatchObject({ one: { outcome: "failed" } })
    expect(story).not.toContain("revoke one")
  })

  it("revokes although the ledger cannot be written, says so, and records it when it can", async () => {
    const fails: (keyof SweptLedger)[] = ["beginRevocation", "settleRevocation", "recordRevocation"]
    const { broker, call, story, recorded } = await afterExchange(
      { one: "mints", two: "expires-only" },
      { ledgerFails: fails },
    )
    const answer = await revoke(call, broker)
    expect(answer).toMatchObject({
      record_due: true,
      credentials: { one: { outcome: "revoked" }, two: { outcome: "expires-only" } },
    })
    expect(story).toEqual(["verify", "beginRevocation", "look", "revoke one"])
    await broker.owed.pay()
    expect(recorded).toEqual([])
    fails.splice(0)
    await broker.owed.pay()
    expect(recorded).toMatchObject([
      { lease: call.lease, outcomes: { one: "revoked" }, audit: { event: "lease.closed" } },
    ])
    await broker.owed.pay()
    expect(recorded).toHaveLength(1)
  })

  it("records later what the ledger took the beginning of, and not the end", async () => {
    const { broker, call } = await afterExchange({ one: "mints" }, { ledgerFails: ["settleRevocation"] })
    expect(await revoke(call, broker)).toMatchObject({ record_due: true, credentials: { one: { outcome: "revoked" } } })
    expect(broker.owed.has({ lease: call.lease, issuerUrl: IDENTITY.issuerUrl, unitId: IDENTITY.unitId })).toBe(true)
  })

  it("says of an exchange that is under way what it knows, and leaves the revocation to it", async () => {
    const until = NOW.getTime() + 3_600_000
    const { broker, call, credentials, story } = await afterExchange({ one: "mints" })
    for (const [unknownUntil, unknown_until] of [
      [until, new Date(until).toISOString()],
      [0, null],
    ] as const) {
      const open: Ledger = {
        ...broker.ledgers.of(),
        beginRevocation: async () => ({ outcome: "open", credentials, unknownUntil }),
      }
      const answer = await revoke(call, { ...broker, ledgers: { of: () => open } })
      expect(answer).toMatchObject({ unknown_until, credentials: { one: { outcome: "revoking" } } })
    }
    expect(story).not.toContain("revoke one")
    expect(await revoke(call, broker)).not.toHaveProperty("unknown_until")
  })

  it("keeps records that are due apart for repositories whose jobs chose the same lease", async () => {
    const { broker, call } = await afterExchange({ one: "mints" }, { ledgerFails: ["settleRevocation"] })
    await revoke(call, broker)
    const of = { lease: call.lease, issuerUrl: IDENTITY.issuerUrl, unitId: "another" }
    expect(broker.owed.has(of)).toBe(false)
  })

  it("fails where the ledger cannot be read either, and asks no provider", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, { ledgerFails: ["beginRevocation", "look"] })
    await expect(revoke(call, broker)).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(story).toEqual(["verify", "beginRevocation", "look"])
  })

  it("does not say that there is no lease where it cannot record that: an exchange may be on its way", async () => {
    const { broker, call } = await afterExchange({ one: "mints" }, { ledgerFails: ["beginRevocation"], looked: null })
    await expect(revoke(call, broker)).rejects.toMatchObject({ code: "ledger_unavailable" })
  })

  it("needs no policies: the issuers that were in force last verify its token", async () => {
    const { broker, call, requests } = await afterExchange({ one: "mints" }, { policiesFail: true })
    expect((await revoke(call, broker)).credentials).toMatchObject({ one: { outcome: "revoked" } })
    expect(requests).toMatchObject([{ limits: DEFAULT_LIMITS, audit: { policy_version: null } }])
  })

  it("is refused without policies where none were ever in force", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, { policiesFail: true })
    const forgetful = { ...broker, knownIssuers: { ...broker.knownIssuers, recall: async () => null } }
    await expect(revoke(call, forgetful)).rejects.toMatchObject({ code: "policy_unavailable" })
    expect(story).toEqual([])
  })

  it("says revoking while another call is at it", async () => {
    const credentials = (await afterExchange({ one: "mints", two: "expires-only" })).credentials
    const { broker, call } = await afterExchange({ one: "mints" }, { revocation: { outcome: "busy", credentials } })
    expect((await revoke(call, broker)).credentials).toMatchObject({
      one: { outcome: "revoking" },
      two: { outcome: "expires-only" },
    })
  })

  it("asks the ledger for the lease of its own run and attempt, with its token", async () => {
    const { broker, call, recorded, requests, lease } = await afterExchange({ one: "mints" })
    await revoke(call, broker)
    expect(requests).toMatchObject([
      {
        lease,
        runId: "10988497055",
        runAttempt: "1",
        token: { key: "token-key", issuedAt: NOW.getTime() / 1000, expiresAt: NOW.getTime() / 1000 + 360 },
        limits: DEFAULT_LIMITS,
        foreignAudit: { event: "lease.refused", reason: "asked by another run", lease },
        now: NOW.getTime(),
        audit: { event: "lease.revoking", reason: "asked by the job", lease, policy_version: "v1" },
        replayAudit: { event: "token.replayed", reason: "token_already_used", decision: "deny", lease: null },
      },
    ])
    expect(recorded.at(-1)).toMatchObject({ lease, now: NOW.getTime(), outcomes: { one: "revoked" }, audit: { lease } })
    expect(call.event.lease).toBe(lease)
  })

  it.each([
    ["for a token that was used before", "already-used", "token_already_used"],
    ["for a lease that the job does not have", "not-found", "lease_not_found"],
  ] as const)("is refused %s, and asks no provider", async (_, outcome, code) => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, { revocation: { outcome } })
    await expect(revoke(call, broker)).rejects.toMatchObject({ code, detail: expect.stringMatching(/\w/) })
    expect(story).toEqual(["verify", "beginRevocation"])
  })

  it("that is over answers what became of it, and asks no provider again", async () => {
    const ends = ["revoked", "expired", "expires-only", null] as const
    const credentials = ends.map((ended) => ({
      grant: String(ended),
      connection: "staged",
      provider: "staged",
      revocation: "revocable" as const,
      expiresAt: NOW.getTime(),
      grantedUntil: null,
      sealedHandle: null,
      ended,
    }))
    const { broker, call, story } = await afterExchange(
      { one: "mints" },
      { revocation: { outcome: "done", credentials } },
    )
    const expires_at = NOW.toISOString()
    expect(await revoke(call, broker)).toEqual({
      lease: call.lease,
      credentials: {
        revoked: { outcome: "revoked", expires_at },
        expired: { outcome: "expires-only", expires_at },
        "expires-only": { outcome: "expires-only", expires_at },
        null: { outcome: "failed", expires_at },
      },
    })
    expect(story).toEqual(["verify", "beginRevocation"])
  })

  it("of which nothing was minted says so in the record", async () => {
    const { broker, call, recorded } = await afterExchange(
      { one: "mints" },
      { revocation: { outcome: "begun", credentials: [] } },
    )
    expect(await revoke(call, broker)).toEqual({ lease: call.lease, credentials: {} })
    expect(recorded.at(-1)).toMatchObject({ audit: { event: "lease.closed", reason: "nothing was minted" } })
  })

  it("leaves alone what has ended, though its handle were still there", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, {}, { ended: "expired" })
    expect((await revoke(call, broker)).credentials).toMatchObject({ one: { outcome: "expires-only" } })
    expect(story).not.toContain("revoke one")
  })

  it("needs no connection: its handle is enough", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, {}, { connection: "gone" })
    expect((await revoke(call, broker)).credentials).toMatchObject({ one: { outcome: "revoked" } })
    expect(story).toContain("revoke one")
  })

  it("tells the operator what could not be revoked, and nothing of the handle", async () => {
    const { broker, call, events, lease } = await afterExchange({ one: "mints-but-cannot-revoke" })
    await revoke(call, broker)
    expect(events).toEqual([
      {
        event: "revocation.failed",
        detail: "one is not revoked yet: provider_unavailable: not now",
        issuer: "https://token.actions.githubusercontent.com",
        unit_id: "41",
        lease,
        connection: "staged",
      },
    ])
    const other = await afterExchange({ one: "mints" })
    await revoke({ ...other.call, lease: "another-lease" }, other.broker)
    expect(other.events).toMatchObject([{ detail: expect.stringContaining("cannot be opened with this DAYPASS_KEK") }])
  })

  it("gives a provider ten seconds, and nothing of a job", async () => {
    const { broker, call } = await afterExchange({ one: "mints" })
    const staged = broker.providers.get("staged")
    if (!staged) throw new Error("the world has no provider")
    const given: unknown[] = []
    const revoking: typeof staged = {
      ...staged,
      async revoke(_handle, connection, io) {
        given.push(connection, io.remainingMs(), Object.keys(io).sort())
      },
    }
    const ofTest = { ...broker, providers: new Map([["staged", revoking]]) }
    expect((await revoke(call, ofTest)).credentials).toMatchObject({ one: { outcome: "revoked" } })
    expect(given).toEqual(["staged", 10_000, ["http", "now", "remainingMs", "sleep"]])
  })

  it("is refused to strangers before the ledger is asked", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, { identity: { ownerId: "666" } })
    await expect(revoke(call, broker)).rejects.toMatchObject({ code: "lease_not_found" })
    expect(story).toEqual(["verify"])
  })
})

describe("the sweep", () => {
  const targetOf = (broker: Broker) => {
    const whose = { issuerUrl: "https://token.actions.githubusercontent.com", unitId: "41" }
    return { ...whose, ledger: broker.ledgers.of(whose.issuerUrl, whose.unitId) as SweptLedger }
  }

  const sweep = async (target: SweepTarget, broker: Broker) => (await sweepOnce(target, broker, 50)).revoking

  it("ends what no job ended, and records it as the broker's own doing", async () => {
    const { broker, story, recorded } = await afterExchange({ one: "mints" })
    expect(await sweep(targetOf(broker), broker)).toBe(1)
    expect(story).toEqual(["takeDue", "revoke one", "settleRevocation"])
    expect(recorded.at(-1)).toMatchObject({ audit: { identity: null, reason: "ended by the broker: revoked 1" } })
  })

  it("takes as many leases as it is told to, and records each as closed by nobody's request", async () => {
    const { broker, recorded, lease } = await afterExchange({ one: "mints" })
    const { ledger, ...whose } = targetOf(broker)
    const asked: number[][] = []
    const counting: SweptLedger = {
      ...ledger,
      takeDue(now, limit) {
        asked.push([now, limit])
        return ledger.takeDue(now, limit)
      },
    }
    await sweep({ ...whose, ledger: counting }, broker)
    expect(asked).toEqual([[NOW.getTime(), 50]])
    expect(recorded.at(-1)).toEqual({
      lease,
      now: NOW.getTime(),
      outcomes: { one: "revoked" },
      audit: {
        version: 2,
        at: NOW.toISOString(),
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        event: "lease.closed",
        identity: null,
        token_digest: null,
        token_binding: null,
        lease,
        grants: [],
        decision: null,
        reason: "ended by the broker: revoked 1",
        policy_version: null,
        client_address: null,
      },
    })
  })

  it("revokes what is due although the ledger cannot be written, once, and records it when it can", async () => {
    const fails: (keyof SweptLedger)[] = ["takeDue", "recordRevocation"]
    const { broker, story, recorded } = await afterExchange({ one: "mints" }, { ledgerFails: fails })
    expect(await sweep(targetOf(broker), broker)).toBe(1)
    expect(await sweep(targetOf(broker), broker)).toBe(0)
    expect(story.filter((told) => told === "revoke one")).toHaveLength(1)
    fails.splice(0)
    await broker.owed.pay()
    expect(recorded).toMatchObject([
      { outcomes: { one: "revoked" }, audit: { reason: "ended by the broker: revoked 1" } },
    ])
  })

  it("comes to every due lease while the ledger cannot be written", async () => {
    const { broker } = await afterExchange({ one: "mints" }, { ledgerFails: ["takeDue", "recordRevocation"] })
    const target = targetOf(broker)
    const swept: number[] = []
    const due = Array.from({ length: 1200 }, (_, index) => ({ lease: `${index}`, credentials: [] }))
    const ledger: SweptLedger = {
      ...target.ledger,
      async lookDue(_, limit) {
        return due.slice(0, limit)
      },
    }
    for (let turn = 0; turn < 3; turn++) swept.push(await sweep({ ...target, ledger }, broker))
    expect(swept).toEqual([500, 500, 200])
    expect(await sweep({ ...target, ledger }, broker)).toBe(0)
  })

  it("needs no policies", async () => {
    const { broker, story } = await afterExchange({ one: "mints" }, { policiesFail: true })
    expect(await sweep(targetOf(broker), broker)).toBe(1)
    expect(story).toContain("revoke one")
  })

  it("has nothing to do where nothing is due", async () => {
    const { broker, story } = await afterExchange({ one: "mints" }, { due: [] })
    expect(await sweep(targetOf(broker), broker)).toBe(0)
    expect(story).toEqual(["takeDue"])
  })
})
