// Longer than most files on purpose: the model, the steps and the laws only make sense together.

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { EXPIRED_MARGIN_MS } from "../../broker/adapters/ledger/credential-ends.ts"
import { DEFAULT_LIMITS } from "../../broker/core/policy/limits.ts"
import type { LeaseCredential, LeaseCredentialState, Ledger, SweptLedger } from "../../broker/ports/ledger.ts"
import type { ProofUse } from "../../broker/ports/token-use.ts"
import { exportTrail } from "../support/export-trail.ts"
import { runs } from "../support/laws.ts"
import { verifyChain } from "../support/verify-chain.ts"
import type { LedgerFixture } from "./ledger-hands.ts"
import { admission, denial, HOUR, MINUTE, mintedAtOnce, NOW, RUN, record, token } from "./ledger-samples.ts"

const ISSUER = "https://token.actions.githubusercontent.com"
const FAR = NOW + 100 * HOUR
const NEVER = Number.POSITIVE_INFINITY
/** When a lease is over of which nothing more is heard, as admitted in the samples. */
const ENDS_BY = NOW + 2 * HOUR
/** An exchange without an outcome by then was interrupted. */
const SETTLE_BY = NOW + MINUTE
const LEASES = ["a", "b", "c"] as const
const GRANTS = ["one", "two", "three"] as const

type Step =
  | {
      readonly do: "admit"
      readonly token: number | string
      readonly lease: string | null
      readonly proof: ProofUse | null
    }
  | {
      readonly do: "settle"
      readonly lease: string
      readonly minted: boolean
      readonly credentials: readonly LeaseCredential[]
    }
  /** A whole exchange, of a lease that is not yet: most of what can happen needs one. `atOnce`: in one transaction. */
  | {
      readonly do: "issue"
      readonly lease: string
      readonly credentials: readonly LeaseCredential[]
      readonly atOnce: boolean
    }
  | {
      readonly do: "revoke"
      readonly lease: string
      readonly token: number
      readonly own: boolean
      readonly proof: ProofUse | null
    }
  /** How taking back came out, grant by grant: what is not revoked has failed. */
  | { readonly do: "settleRevocation"; readonly lease: string; readonly revoked: readonly string[] }
  | { readonly do: "sweep"; readonly after: number }
  | { readonly do: "restart" }

const lease = fc.constantFrom(...LEASES)
const tokenIndex = fc.nat(12)
const proof = fc.option(
  fc.record({ thumbprint: fc.constantFrom("k1", "k2"), id: fc.constantFrom("1", "2", "3") }, { noNullPrototype: true }),
)
const mostly = fc.integer({ min: 1, max: 5 }).map((one) => one > 1)
const within = (minutes: number) => fc.option(fc.integer({ min: 1, max: minutes }).map((at) => NOW + at * MINUTE))
const credential = fc.record({
  grant: fc.constantFrom(...GRANTS),
  connection: fc.constant("connection"),
  provider: fc.constant("provider"),
  revocation: fc.constantFrom("revocable" as const, "revocable" as const, "expires-only" as const),
  expiresAt: within(180),
  grantedUntil: within(90),
})
const credentials = fc
  .uniqueArray(credential, { selector: ({ grant }) => grant, maxLength: 3, size: "max" })
  .map((list) =>
    list.map((one) =>
      one.revocation === "revocable"
        ? { ...one, sealedHandle: `sealed ${one.grant}` }
        : { ...one, sealedHandle: null, grantedUntil: null },
    ),
  )
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("admit" as const), token: tokenIndex, lease: fc.option(lease), proof }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settle" as const), lease, minted: fc.boolean(), credentials }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("revoke" as const), lease, token: tokenIndex, own: mostly, proof }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settleRevocation" as const),
      lease,
      revoked: fc.subarray([...GRANTS]),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("issue" as const), lease, credentials, atOnce: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("sweep" as const),
      after: fc.oneof(
        fc.constantFrom(0, 1, 10_000, MINUTE),
        fc.integer({ min: 1, max: 60 }).map((minutes) => minutes * MINUTE),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
)

/** When a credential has certainly ended: a clock that was wrong by a day must not lose the handle of a living one. */
const certainEnd = ({ expiresAt, revocation }: Pick<LeaseCredential, "expiresAt" | "revocation">) =>
  expiresAt === null ? NEVER : expiresAt + (revocation === "revocable" ? EXPIRED_MARGIN_MS : 0)

/** What a ledger must remember, in the simplest form that can be checked against. */
class Model {
  now = NOW
  /** Tokens that were used, with the key that the first use bound. */
  readonly used = new Map<string, string | null>()
  readonly proofs = new Set<string>()
  readonly replayed = new Set<string>()
  readonly opened = new Set<string>()
  readonly settled = new Map<string, readonly LeaseCredential[]>()
  /** Leases that are over as a whole: their job ended them, or their exchange failed. */
  readonly over = new Set<string>()
  /** Leases that their job ended before they had an outcome, and before they were opened. */
  readonly endedOpen = new Set<string>()
  readonly endedUnseen = new Set<string>()
  /** When a lease's revocation was begun last. */
  readonly begun = new Map<string, number>()
  /** What was ever handed out to be taken back, and what was taken back, as lease and grant. */
  readonly tried = new Set<string>()
  readonly tookBack = new Set<string>()
  readonly events: string[] = []

  /**
   * True when the token is used for the first time, or again with a new proof of the key that its first use bound; what an
   * audit trail says of it is noted.
   */
  use(key: string, proof: ProofUse | null): boolean {
    if (this.isReplay(key, proof)) {
      if (!this.replayed.has(key)) this.events.push("token.replayed")
      this.replayed.add(key)
      return false
    }
    if (!this.used.has(key)) this.used.set(key, proof?.thumbprint ?? null)
    if (proof) this.proofs.add(`${key} ${proof.id}`)
    return true
  }

  isReplay(key: string, proof: ProofUse | null): boolean {
    if (!this.used.has(key)) return false
    return proof === null || this.used.get(key) !== proof.thumbprint || this.proofs.has(`${key} ${proof.id}`)
  }

  /**
   * A revocation was begun, by a job or by the broker: nobody else may be at it, and it may touch only what is alive and
   * over. It is about all of that: only what lives on is left out.
   */
  begin(id: string, given: readonly LeaseCredentialState[]): void {
    expect(this.isBusy(id)).toBe(false)
    this.begun.set(id, this.now)
    const minted = this.settled.get(id) ?? []
    for (const state of given) {
      const original = minted.find(({ grant }) => grant === state.grant)
      expect(original).toBeDefined()
      if (state.ended !== null) continue
      expect(state).toEqual({ ...original, ended: null })
      expect(state.revocation).toBe("revocable")
      expect(this.isAlive(id, state)).toBe(true)
      expect(this.isOver(id, state)).toBe(true)
      this.tried.add(`${id} ${state.grant}`)
    }
    tellsTheTruth(id, given, this)
    const leftOut = minted.filter(({ grant }) => !given.some((state) => state.grant === grant))
    for (const one of leftOut) expect(this.isAlive(id, one) && !this.isOver(id, one)).toBe(true)
  }

  /** Whatever is over, was never tried, and has nobody at its lease, was handed out by the sweep that has just been. */
  expectSwept(): void {
    for (const [id, minted] of this.settled) {
      if (this.isBusy(id) || this.begun.get(id) === this.now) continue
      const forgotten = minted.filter(
        (one) =>
          one.revocation === "revocable" &&
          this.isAlive(id, one) &&
          this.isOver(id, one) &&
          !this.tried.has(`${id} ${one.grant}`),
      )
      expect(forgotten).toEqual([])
    }
  }

  /** An exchange failed: what it leaves is over, was tried, and is tried again. */
  failed(id: string, leftovers: readonly LeaseCredential[]): void {
    this.over.add(id)
    this.begun.set(id, this.now)
    for (const { grant } of leftovers) this.tried.add(`${id} ${grant}`)
  }

  /** Whether somebody can still be at a lease: for a minute, unless nothing is left of what was handed out. */
  isBusy(id: string): boolean {
    const until = (this.begun.get(id) ?? 0) + MINUTE
    return until > this.now && this.triedOf(id).some((one) => this.isAlive(id, one))
  }

  triedOf(id: string): readonly LeaseCredential[] {
    return (this.settled.get(id) ?? []).filter(({ grant }) => this.tried.has(`${id} ${grant}`))
  }

  isAlive(id: string, { grant, expiresAt, revocation }: LeaseCredential): boolean {
    return !this.tookBack.has(`${id} ${grant}`) && certainEnd({ expiresAt, revocation }) > this.now
  }

  isOver(id: string, { expiresAt, grantedUntil }: LeaseCredential): boolean {
    return this.over.has(id) || Math.min(grantedUntil ?? NEVER, expiresAt ?? ENDS_BY) <= this.now
  }
}

/** Invariants 5 and 7 over stories that nobody thought of: a token is used once, or by one key, and every lease ends, told truthfully. */
export function ledgerModel(name: string, fixture: LedgerFixture, cases: number): void {
  let repositories = 0

  describe(`the ledger ${name}, whatever is asked of it in whatever order`, () => {
    test("uses a token once or for one key, begins no revocation twice at a time, and ends every lease", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30, size: "max" }), async (steps) => {
          repositories += 1
          const repository = `model ${repositories}`
          const ledger = () => fixture.ledgers().of(ISSUER, repository)
          const sweeper = () => fixture.swept(ISSUER, repository)
          const model = new Model()
          for (const one of steps) await play(one, model, ledger, sweeper, fixture)
          await endAll(model, ledger, sweeper)

          const trail = await ledger().auditTrail(0, 10_000)
          const file = new TextEncoder().encode(exportTrail({ issuer: ISSUER, unit_id: repository }, trail))
          expect(verifyChain([file]).ok).toBe(true)
          const told = trail.map((link) => link.record.event).filter((event) => !event.startsWith("lease."))
          expect(told).toEqual(model.events)
          // A lease is closed once, and that is the last that is heard of it.
          const closed = new Set<string | null>()
          for (const { record: told } of trail.filter((link) => link.record.event.startsWith("lease."))) {
            // Another run can ask for a lease at any time.
            if (told.event === "lease.refused") continue
            expect(closed.has(told.lease)).toBe(false)
            if (told.event === "lease.closed") closed.add(told.lease)
          }
        }),
        { numRuns: runs(cases) },
      )
    })
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
  const proof = "proof" in one ? one.proof : null
  const forever = { key, issuedAt: NOW / 1000, expiresAt: FAR / 1000, ...(proof && { proof }) }
  switch (one.do) {
    case "admit": {
      const id = one.lease
      // A lease is opened once, and not after its job has ended it. The token is not used up then.
      const isTaken = id !== null && (model.opened.has(id) || model.endedUnseen.has(id))
      const isLeaseTaken = isTaken && !model.isReplay(key, proof)
      const asked = id === null ? denial(key) : admission(id, key)
      // A lease can be settled for a minute from its admission.
      const settleLater = asked.lease ? { lease: { ...asked.lease, settleBy: SETTLE_BY } } : {}
      const admitted = !isLeaseTaken && model.use(key, proof)
      if (admitted && id !== null) model.opened.add(id)
      if (admitted) model.events.push(asked.audit.event)
      expect(await ledger().admit({ ...asked, ...settleLater, token: forever, now: model.now })).toEqual({
        outcome: isLeaseTaken ? "lease-taken" : admitted ? "admitted" : "already-used",
      })
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
      // Nothing else may be refused than what was never opened, was settled, has run out of time, or was ended by its job.
      const isEnded = one.minted && model.endedOpen.has(one.lease)
      if (refused)
        expect(!model.opened.has(one.lease) || model.settled.has(one.lease) || model.now >= SETTLE_BY || isEnded).toBe(
          true,
        )
      else {
        expect(isEnded).toBe(false)
        expect(model.settled.has(one.lease)).toBe(false)
        model.settled.set(one.lease, one.credentials)
        if (!one.minted) model.failed(one.lease, one.credentials)
        model.events.push(event)
      }
      return
    }
    case "issue": {
      if (model.opened.has(one.lease) || model.endedUnseen.has(one.lease)) return
      const key = `token of ${one.lease}`
      if (one.atOnce) {
        const asked = { ...mintedAtOnce(one.lease, one.credentials, key), now: model.now }
        const admitted = model.use(key, null)
        expect(await ledger().admitMinted({ ...asked, token: { ...asked.token, expiresAt: FAR / 1000 } })).toEqual({
          outcome: admitted ? "admitted" : "already-used",
        })
        if (!admitted) return
        model.opened.add(one.lease)
        model.settled.set(one.lease, one.credentials)
        model.events.push("exchange.minted")
        return
      }
      await play({ do: "admit", token: key, lease: one.lease, proof: null }, model, ledger, sweeper, fixture)
      await play(
        { do: "settle", lease: one.lease, minted: true, credentials: one.credentials },
        model,
        ledger,
        sweeper,
        fixture,
      )
      return
    }
    case "revoke": {
      const isUse = model.use(key, proof)
      const runId = one.own ? RUN.runId : "another"
      const start = await ledger().beginRevocation({
        lease: one.lease,
        ...RUN,
        runId,
        token: forever,
        now: model.now,
        limits: DEFAULT_LIMITS,
        audit: record("lease.revoking", one.lease),
        replayAudit: record("token.replayed"),
        foreignAudit: record("lease.refused", one.lease),
      })
      if (!isUse) expect(start).toEqual({ outcome: "already-used" })
      else if (!one.own || !model.opened.has(one.lease)) {
        expect(start).toEqual({ outcome: "not-found" })
        if (one.own) model.endedUnseen.add(one.lease)
      } else if (start.outcome === "open") {
        expect([start.credentials, model.settled.has(one.lease)]).toEqual([[], false])
        model.endedOpen.add(one.lease)
      } else if ("credentials" in start) {
        model.over.add(one.lease)
        if (start.outcome === "begun") model.begin(one.lease, start.credentials)
        else tellsTheTruth(one.lease, start.credentials, model)
        expect(start.credentials).toHaveLength(model.settled.get(one.lease)?.length ?? 0)
      }
      return
    }
    case "settleRevocation": {
      await settleRevocation(one.lease, one.revoked, model, ledger()).catch(() => {
        // Refused for what was never begun: nothing must have changed, which the end of the story shows.
      })
      return
    }
    case "sweep": {
      model.now += one.after
      for (const due of await sweeper().takeDue(model.now, 10)) model.begin(due.lease, due.credentials)
      model.expectSwept()
      return
    }
    case "restart":
      await fixture.restart()
  }
}

async function settleRevocation(id: string, revoked: readonly string[], model: Model, ledger: Ledger): Promise<void> {
  const tried = model.triedOf(id).map(({ grant }) => grant)
  await ledger.settleRevocation({
    lease: id,
    outcomes: Object.fromEntries(
      tried.map((grant) => [grant, revoked.includes(grant) ? "revoked" : "failed"] as const),
    ),
    now: model.now,
    audit: record("lease.closed", id),
  })
  for (const grant of tried) if (revoked.includes(grant)) model.tookBack.add(`${id} ${grant}`)
}

/** Lets time pass, with every revocation succeeding, until no lease can be anything but closed. */
async function endAll(model: Model, ledger: () => Ledger, sweeper: () => Pick<SweptLedger, "takeDue">): Promise<void> {
  for (let hour = 0; hour < 6; hour += 1) {
    model.now += HOUR
    for (const due of await sweeper().takeDue(model.now, 10)) {
      model.begin(due.lease, due.credentials)
      await settleRevocation(due.lease, GRANTS, model, ledger())
    }
  }
  expect(await sweeper().takeDue(model.now + 2 * HOUR, 10)).toEqual([])
  for (const id of model.opened) {
    const start = await ledger().beginRevocation({
      lease: id,
      ...RUN,
      token: token(`the end of ${id}`),
      now: model.now,
      limits: DEFAULT_LIMITS,
      audit: record("lease.revoking", id),
      replayAudit: record("token.replayed"),
      foreignAudit: record("lease.refused", id),
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
    if (state.ended === "expired") expect(certainEnd(state)).toBeLessThanOrEqual(model.now)
    if (state.ended === "expires-only")
      expect(state.revocation === "expires-only" && model.isOver(id, state)).toBe(true)
    if (state.ended !== null) expect(state.sealedHandle).toBe(null)
  }
}
