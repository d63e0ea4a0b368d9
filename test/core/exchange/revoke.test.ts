import { describe, expect, it } from "vitest"
import type { RevokeCall } from "../../../broker/exchange/call.ts"
import { exchange } from "../../../broker/exchange/exchange.ts"
import { revoke } from "../../../broker/exchange/revoke.ts"
import { sweep } from "../../../broker/exchange/sweep.ts"
import type { Settlement, SweptLedger } from "../../../broker/ports/ledger.ts"
import { type Behaviour, NOW, type WorldOptions, world } from "./world.ts"

/** A world in which an exchange has been settled, and its ledger hands the lease's credentials out for revocation. */
async function afterExchange(grants: Readonly<Record<string, Behaviour>>, later: Partial<WorldOptions> = {}) {
  const before = await world({ grants })
  const { lease } = await exchange(before.call(), before.broker)
  const settlement = before.recorded.at(-1) as Settlement
  const credentials = settlement.credentials.map((credential) => ({
    ...credential,
    // As a ledger does it: what only expires has no other end.
    ended: credential.sealedHandle === null ? ("expires-only" as const) : null,
  }))
  const after = await world({
    grants,
    ...later,
    revocation: { outcome: "begun", credentials },
    due: [{ lease, credentials }],
  })
  const call: RevokeCall = { ...after.call(), lease }
  return { ...after, call, lease }
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

  it("revokes nothing that cannot be recorded", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, { ledgerFails: ["beginRevocation"] })
    await expect(revoke(call, broker)).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(story).not.toContain("revoke one")
  })

  it("is refused to strangers before the ledger is asked", async () => {
    const { broker, call, story } = await afterExchange({ one: "mints" }, { identity: { ownerId: "666" } })
    await expect(revoke(call, broker)).rejects.toMatchObject({ code: "lease_not_found" })
    expect(story).toEqual(["verify"])
  })
})

describe("the sweep", () => {
  it("ends what no job ended, and records it as the broker's own doing", async () => {
    const { broker, story, recorded } = await afterExchange({ one: "mints" })
    const ledger = broker.ledgers.of("https://token.actions.githubusercontent.com", "41") as SweptLedger
    const target = { ledger, issuerUrl: "https://token.actions.githubusercontent.com", repositoryId: "41" }
    expect(await sweep(target, broker)).toBe(1)
    expect(story).toEqual(["takeDue", "revoke one", "settleRevocation"])
    expect(recorded.at(-1)).toMatchObject({ audit: { identity: null, reason: "ended by the broker: revoked 1" } })
  })
})
