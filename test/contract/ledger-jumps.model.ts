import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { DEFAULT_LIMITS } from "../../broker/core/policy/limits.ts"
import type { LeaseCredential } from "../../broker/ports/ledger.ts"
import type { ProofUse } from "../../broker/ports/token-use.ts"
import { runs } from "../support/laws.ts"
import { ISSUER, type LedgerFixture } from "./ledger-hands.ts"
import { HOUR, MINUTE, NOW, opening, outliving, RUN, record, revocation } from "./ledger-samples.ts"

const SECOND = 1000
/** How long a token verifies, by the true time. */
const TOKEN_MS = 10 * MINUTE

const POSTPONED = 5

type Step =
  | { readonly do: "use"; readonly token: number; readonly proof: ProofUse | null }
  | { readonly do: "issue"; readonly minutes: number }
  | { readonly do: "end"; readonly lease: number }
  | { readonly do: "sweep"; readonly works: boolean }
  /** A sweep whose vendor must be left alone for `POSTPONED` minutes. */
  | { readonly do: "postpone" }

const proof = fc.option(
  fc.record({ thumbprint: fc.constantFrom("k1", "k2"), id: fc.constantFrom("1", "2") }, { noNullPrototype: true }),
)

/** At every step time goes on, and somebody sets the broker's clock: three hours ahead, three behind, or right. */
const step = fc.record({
  passes: fc.constantFrom(0, SECOND, MINUTE, 10 * MINUTE, HOUR, 2 * HOUR),
  clock: fc.constantFrom(0, 0, 3 * HOUR, -3 * HOUR, MINUTE, -MINUTE),
  what: fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ do: fc.constant("use" as const), token: fc.nat(5), proof }),
    fc.record({ do: fc.constant("issue" as const), minutes: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ do: fc.constant("end" as const), lease: fc.nat(5) }),
    fc.record({ do: fc.constant("sweep" as const), works: fc.boolean() }),
    fc.record({ do: fc.constant("postpone" as const) }),
  ),
})

/** The clock is three hours ahead while two attempts fail, and right when the true time is as late. */
const TWO_FAILED_AHEAD: { passes: number; clock: number; what: Step }[] = [
  { passes: 0, clock: 0, what: { do: "issue", minutes: 1 } },
  { passes: 0, clock: 3 * HOUR, what: { do: "sweep", works: false } },
  { passes: 2 * HOUR, clock: 3 * HOUR, what: { do: "sweep", works: false } },
  { passes: HOUR, clock: 0, what: { do: "end", lease: 1 } },
]

/** The clock is three hours ahead while a vendor asks to be left alone, and right when the true time is as late. */
const POSTPONED_AHEAD: { passes: number; clock: number; what: Step }[] = [
  { passes: 0, clock: 0, what: { do: "issue", minutes: 1 } },
  { passes: 0, clock: 3 * HOUR, what: { do: "postpone" } },
  { passes: HOUR, clock: 3 * HOUR, what: { do: "issue", minutes: 1 } },
  { passes: 0, clock: -3 * HOUR, what: { do: "use", token: 0, proof: null } },
]

/** Invariants 5 and 7 while the clock jumps both ways: no token comes back, and no handle is lost before its vendor's end. */
export function jumpingClockModel(name: string, fixture: LedgerFixture, cases: number): void {
  let repositories = 0

  describe(`the ledger ${name}, whatever its clock says`, () => {
    test("takes no token twice without its key, and no proof, drops no handle of what lives, and ends every lease soon after the clock is right", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30, size: "max" }), async (steps) => {
          repositories += 1
          const repository = `jumps ${repositories}`
          const ledger = () => fixture.ledgers().of(ISSUER, repository)
          const sweeper = fixture.swept(ISSUER, repository)
          /** The true time, and the broker's. */
          let time = NOW
          let now = NOW
          const firstSeen = new Map<number, number>()
          /** Tokens that were taken, with the key that the first use bound; and the proofs that were taken. */
          const taken = new Map<number, string | undefined>()
          const proofs = new Set<string>()
          /** What was minted, and what its vendor was told to end, by lease. */
          const minted = new Map<string, LeaseCredential>()
          const revoked = new Set<string>()

          const sweep = async (works: boolean) => {
            for (const { lease, credentials } of await sweeper.takeDue(now, 100)) {
              const alive = credentials.filter(({ ended }) => ended === null)
              for (const { sealedHandle } of alive) expect(sealedHandle).not.toBeNull()
              if (works && alive.length > 0) revoked.add(lease)
              const outcomes = Object.fromEntries(
                alive.map(({ grant }) => [grant, works ? "revoked" : "failed"] as const),
              )
              await ledger().settleRevocation({ lease, outcomes, now, audit: record("lease.closed", lease) })
            }
          }
          const use = async (token: number, lease?: string, proof: ProofUse | null = null) => {
            const issuedAt = firstSeen.get(token) ?? time
            firstSeen.set(token, issuedAt)
            // A verifier with this clock refuses a token outside of its lifetime before the ledger sees it.
            if (now < issuedAt - MINUTE || now >= issuedAt + TOKEN_MS + MINUTE) return false
            const { outcome } = await ledger().admit({
              token: {
                key: `token ${token}`,
                issuedAt: issuedAt / 1000,
                expiresAt: (issuedAt + TOKEN_MS + MINUTE) / 1000,
                ...(proof && { proof }),
              },
              now,
              limits: DEFAULT_LIMITS,
              audit: record("exchange.denied"),
              replayAudit: record("token.replayed"),
              overLimitAudit: record("limit.reached"),
              ...(lease === undefined
                ? {}
                : { lease: { ...opening(lease), settleBy: now + MINUTE, endsBy: now + 2 * HOUR, unknownUntil: 0 } }),
            })
            if (outcome !== "admitted") return false
            if (taken.has(token)) expect([token, proof?.thumbprint]).toEqual([token, taken.get(token) ?? "no key"])
            else taken.set(token, proof?.thumbprint)
            if (proof) expect(proofs).not.toContain(`${token} ${proof.id}`)
            if (proof) proofs.add(`${token} ${proof.id}`)
            return true
          }

          for (const { passes, clock, what } of steps) {
            time += passes
            now = time + clock
            if (what.do === "use") await use(what.token, undefined, what.proof)
            if (what.do === "sweep") await sweep(what.works)
            if (what.do === "postpone")
              expect(await sweeper.takeDue(now, 100, () => now + POSTPONED * MINUTE)).toEqual([])
            if (what.do === "issue") {
              const lease = `lease ${minted.size}`
              if (!(await use(100 + firstSeen.size, lease))) continue
              const credential = outliving("vault", 0, {
                grantedUntil: now + what.minutes * MINUTE,
                expiresAt: time + HOUR,
              })
              const audit = { ...record("exchange.minted", lease), at: new Date(now).toISOString() }
              await ledger().settle({ lease, outcome: "minted", credentials: [credential], audit })
              minted.set(lease, credential)
            }
            if (what.do === "end") {
              const lease = [...minted.keys()][what.lease]
              if (lease === undefined) continue
              const begun = await ledger().beginRevocation(revocation(lease, { now }))
              if (begun.outcome !== "begun") continue
              const alive = begun.credentials.some(({ ended }) => ended === null)
              if (alive) revoked.add(lease)
              const outcomes = { vault: "revoked" } as const
              await ledger().settleRevocation({ lease, outcomes, now, audit: record("lease.closed", lease) })
            }
            for (const [lease, { expiresAt }] of minted) {
              const credentials = await ledger().look({ lease, ...RUN })
              const state = credentials?.find(({ grant }) => grant === "vault")
              const lives = (expiresAt ?? 0) > time && !revoked.has(lease)
              if (lives) expect(state?.sealedHandle).not.toBeNull()
            }
          }

          // The clock is right again: whatever is over is revoked by the next retry. The pause before it doubles with each attempt
          // that failed, or is what the vendor asked for, and can have begun at the very time that it is now.
          time += 2 * HOUR
          const failed = steps.filter(({ what }) => what.do === "sweep" && !what.works).length
          const pause = Math.max(
            2,
            2 ** Math.min(failed, 6),
            steps.some(({ what }) => what.do === "postpone") ? POSTPONED : 0,
          )
          for (let minute = 0; minute <= pause; minute += 1) {
            now = time + minute * MINUTE
            await sweep(true)
          }
          for (const lease of minted.keys()) expect([lease, revoked.has(lease)]).toEqual([lease, true])
        }),
        { numRuns: runs(cases), examples: [[TWO_FAILED_AHEAD], [POSTPONED_AHEAD]] },
      )
    })
  })
}
