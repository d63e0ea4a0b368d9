// Longer than most files on purpose: the model, the steps and the laws only make sense together.

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { exportTrail } from "../../broker/core/audit-export.ts"
import { verifyChain } from "../../broker/core/audit-verify.ts"
import type { LeaseCredential, LeaseCredentialState, Ledger, SweptLedger } from "../../broker/ports/ledger.ts"
import type { LedgerFixture } from "./ledger.suite.ts"
import { admission, denial, HOUR, MINUTE, NOW, RUN, record, token } from "./ledger-samples.ts"

const ISSUER = "https://token.actions.githubusercontent.com"
const FAR = NOW + 20 * HOUR
const LEASES = ["a", "b", "c"] as const

type Step =
  | { readonly do: "admit"; readonly token: number; readonly lease: string | null }
  | {
      readonly do: "settle"
      readonly lease: string
      readonly minted: boolean
      readonly credentials: readonly LeaseCredential[]
    }
  | { readonly do: "revoke"; readonly lease: string; readonly token: number; readonly own: boolean }
  | { readonly do: "settleRevocation"; readonly lease: string; readonly revoked: boolean }
  | { readonly do: "sweep" }
  | { readonly do: "wait"; readonly minutes: number }
  | { readonly do: "restart" }

const lease = fc.constantFrom(...LEASES)
const tokenIndex = fc.nat(5)
const credential = fc.record({
  grant: fc.constantFrom("one", "two", "three"),
  connection: fc.constant("connection"),
  provider: fc.constant("provider"),
  revocation: fc.constantFrom("revocable" as const, "expires-only" as const),
  expiresAt: fc.option(fc.integer({ min: 1, max: 90 }).map((minutes) => NOW + minutes * MINUTE)),
})
const credentials = fc
  .uniqueArray(credential, { selector: ({ grant }) => grant, maxLength: 3 })
  .map((list) =>
    list.map((one) => ({ ...one, sealedHandle: one.revocation === "revocable" ? `sealed ${one.grant}` : null })),
  )
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("admit" as const), token: tokenIndex, lease: fc.option(lease) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const), lease, minted: fc.boolean(), credentials }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("revoke" as const), lease, token: tokenIndex, own: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settleRevocation" as const), lease, revoked: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: "sweep" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
)

/** What a ledger must remember, in the simplest form that can be checked against. */
class Model {
  now = NOW
  readonly used = new Set<string>()
  readonly replayed = new Set<string>()
  readonly opened = new Set<string>()
  readonly settled = new Map<string, readonly LeaseCredential[]>()
  /** Until when nobody else may begin a lease's revocation. */
  readonly held = new Map<string, number>()
  readonly tookBack = new Set<string>()
  readonly events: string[] = []

  /** True when the token is used for the first time; what an audit trail says of it is noted. */
  use(key: string): boolean {
    if (this.used.has(key)) {
      if (!this.replayed.has(key)) this.events.push("token.replayed")
      this.replayed.add(key)
      return false
    }
    this.used.add(key)
    return true
  }

  /** A revocation was begun, by a job or by the broker: nobody else may be at it, and it may touch only what is alive. */
  begin(id: string, given: readonly LeaseCredentialState[]): void {
    expect(this.held.get(id) ?? 0).toBeLessThanOrEqual(this.now)
    this.held.set(id, this.now + MINUTE)
    const minted = this.settled.get(id) ?? []
    expect(given.map(({ grant }) => grant).sort()).toEqual(minted.map(({ grant }) => grant).sort())
    for (const state of given) {
      const original = minted.find(({ grant }) => grant === state.grant)
      expect(original).toBeDefined()
      if (state.ended === null) {
        expect(state).toEqual({ ...original, ended: null })
        expect(state.revocation).toBe("revocable")
        expect(this.tookBack.has(`${id} ${state.grant}`)).toBe(false)
        expect(state.expiresAt ?? FAR).toBeGreaterThan(this.now)
      } else expect(state.sealedHandle).toBe(null)
    }
  }
}

/** Invariants 5 and 7 over stories that nobody thought of: a token is used once, and every lease ends, told truthfully. */
export function ledgerModel(name: string, fixture: LedgerFixture, runs: number): void {
  let repositories = 0

  describe(`the ledger ${name}, whatever is asked of it in whatever order`, () => {
    test("uses a token once, begins no revocation twice at a time, and ends every lease", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
          repositories += 1
          const repository = `model ${repositories}`
          const ledger = () => fixture.ledgers().of(ISSUER, repository)
          const sweeper = () => fixture.swept(ISSUER, repository)
          const model = new Model()
          for (const one of steps) await play(one, model, ledger, sweeper, fixture)
          await endAll(model, ledger, sweeper)

          const trail = await ledger().auditTrail(0, 10_000)
          const file = new TextEncoder().encode(exportTrail({ issuer: ISSUER, repository_id: repository }, trail))
          expect(verifyChain([file]).ok).toBe(true)
          const told = trail.map((link) => link.record.event).filter((event) => !event.startsWith("lease."))
          expect(told).toEqual(model.events)
          const closed = trail.filter((link) => link.record.event === "lease.closed").map((link) => link.record.lease)
          expect(new Set(closed).size).toBe(closed.length)
        }),
        { numRuns: runs },
      )
    }, 120_000)
  })
}

async function play(
  one: Step,
  model: Model,
  ledger: () => Ledger,
  sweeper: () => Pick<SweptLedger, "takeDue">,
  fixture: LedgerFixture,
): Promise<void> {
  const key = "token" in one ? `token ${one.token}` : ""
  const forever = { key, expiresAt: FAR / 1000 }
  switch (one.do) {
    case "admit": {
      // A lease is opened once: its name is the exchange's own.
      const id = one.lease !== null && !model.opened.has(one.lease) ? one.lease : null
      const asked = id === null ? denial(key) : admission(id, key)
      const admitted = model.use(key)
      if (admitted && id !== null) model.opened.add(id)
      if (admitted) model.events.push(asked.audit.event)
      expect(await ledger().admit({ ...asked, token: forever })).toBe(admitted ? "admitted" : "already-used")
      return
    }
    case "settle": {
      const event = one.minted ? "exchange.minted" : "exchange.failed"
      const audit = { ...record(event, one.lease), at: new Date(model.now).toISOString() }
      const settling = ledger().settle({
        lease: one.lease,
        outcome: one.minted ? "minted" : "failed",
        credentials: one.credentials,
        audit,
      })
      const refused = await settling.then(
        () => false,
        () => true,
      )
      // Nothing else may be refused than what was never opened, was settled, or has run out of time.
      if (refused)
        expect(!model.opened.has(one.lease) || model.settled.has(one.lease) || model.now >= NOW + 2 * HOUR).toBe(true)
      else {
        expect(model.settled.has(one.lease)).toBe(false)
        model.settled.set(one.lease, one.credentials)
        if (!one.minted) model.held.set(one.lease, model.now + 1)
        model.events.push(event)
      }
      return
    }
    case "revoke": {
      const first = model.use(key)
      const runId = one.own ? RUN.runId : "another"
      const start = await ledger().beginRevocation({
        lease: one.lease,
        ...RUN,
        runId,
        token: forever,
        now: model.now,
        audit: record("lease.revoking", one.lease),
        replayAudit: record("token.replayed"),
      })
      if (!first) expect(start).toEqual({ outcome: "already-used" })
      else if (!one.own || !model.opened.has(one.lease)) expect(start).toEqual({ outcome: "not-found" })
      else if (start.outcome === "begun") model.begin(one.lease, start.credentials)
      else if (start.outcome === "done") tellsTheTruth(one.lease, start.credentials, model)
      return
    }
    case "settleRevocation": {
      await settleRevocation(one.lease, one.revoked, model, ledger()).catch(() => {
        // Refused for what was never begun: nothing must have changed, which the end of the story shows.
      })
      return
    }
    case "sweep": {
      for (const due of await sweeper().takeDue(model.now, 10)) model.begin(due.lease, due.credentials)
      return
    }
    case "wait":
      model.now += one.minutes * MINUTE
      return
    case "restart":
      await fixture.restart()
  }
}

async function settleRevocation(id: string, revoked: boolean, model: Model, ledger: Ledger): Promise<void> {
  const granted = model.settled.get(id) ?? []
  const back = granted.filter(({ revocation }) => revocation === "revocable")
  await ledger.settleRevocation({
    lease: id,
    outcomes: Object.fromEntries(back.map(({ grant }) => [grant, revoked ? "revoked" : "failed"] as const)),
    now: model.now,
    audit: record("lease.closed", id),
  })
  if (revoked) for (const { grant } of back) model.tookBack.add(`${id} ${grant}`)
}

/** Lets time pass, with every revocation succeeding, until no lease can be anything but closed. */
async function endAll(model: Model, ledger: () => Ledger, sweeper: () => Pick<SweptLedger, "takeDue">): Promise<void> {
  for (let hour = 0; hour < 6; hour += 1) {
    model.now += HOUR
    for (const due of await sweeper().takeDue(model.now, 10)) {
      model.begin(due.lease, due.credentials)
      await settleRevocation(due.lease, true, model, ledger())
    }
  }
  expect(await sweeper().takeDue(model.now + 2 * HOUR, 10)).toEqual([])
  for (const id of model.opened) {
    const start = await ledger().beginRevocation({
      lease: id,
      ...RUN,
      token: token(`the end of ${id}`),
      now: model.now,
      audit: record("lease.revoking", id),
      replayAudit: record("token.replayed"),
    })
    expect(start.outcome).toBe("done")
    if (start.outcome !== "done") continue
    expect(start.credentials.every(({ ended }) => ended !== null)).toBe(true)
    tellsTheTruth(id, start.credentials, model)
  }
}

/** What is said to have ended has ended like that, and nothing that has ended can still be taken back. */
function tellsTheTruth(id: string, states: readonly LeaseCredentialState[], model: Model): void {
  for (const state of states) {
    if (state.ended === "revoked") expect(model.tookBack.has(`${id} ${state.grant}`)).toBe(true)
    if (state.ended === "expired") expect(state.expiresAt ?? FAR).toBeLessThanOrEqual(model.now)
    if (state.ended === "expires-only") expect(state.revocation).toBe("expires-only")
    if (state.ended !== null) expect(state.sealedHandle).toBe(null)
  }
}
