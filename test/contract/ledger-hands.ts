import type { Ledgers, SweptLedger } from "../../broker/ports/ledger.ts"
import { admission, minted, revocation, revoked } from "./ledger-samples.ts"

export const ISSUER = "https://token.actions.githubusercontent.com"

/** An implementation under test, and what a test must be able to do to it. */
export interface LedgerFixture {
  /** The ledgers as they are now; another one after each restart. */
  ledgers(): Ledgers
  /** What the sweeper needs of the ledger. */
  swept(issuerUrl: string, unitId: string): Pick<SweptLedger, "takeDue" | "lookDue">
  /** Ends the process that holds the ledgers and starts another one over the same storage. */
  restart(): Promise<void>
}

/** What the tests of a contract do with a ledger, each in a repository of its own. */
export type LedgerHands = ReturnType<typeof ledgerHands>

export function ledgerHands(fixture: LedgerFixture) {
  let repositories = 0
  let repository = ""
  const ledger = () => fixture.ledgers().of(ISSUER, repository)
  const sweeper = () => fixture.swept(ISSUER, repository)
  const trail = () => ledger().auditTrail(0, 1000)
  const events = async () => (await trail()).map(({ record }) => record.event)
  const issue = async (
    lease: string,
    ...credentials: Parameters<typeof minted> extends [string, ...infer C] ? C : never
  ) => {
    await ledger().admit(admission(lease))
    await ledger().settle(minted(lease, ...credentials))
  }
  const reasons = async () => (await trail()).map(({ record }) => `${record.event}: ${record.reason}`)
  /** The grants that a sweep is to take back, by lease. Leases that are due at one time come in any order. */
  const taken = async (now: number) =>
    (await sweeper().takeDue(now, 10))
      .map(({ lease, credentials }) => ({
        lease,
        grants: credentials.filter(({ ended }) => ended === null).map(({ grant }) => grant),
      }))
      .toSorted((one, other) => (one.lease < other.lease ? -1 : 1))
      .map(({ lease, grants }) => [lease, grants])
  const settle = (lease: string, outcomes: Parameters<typeof revoked>[1], now: number) =>
    ledger().settleRevocation(revoked(lease, outcomes, now))
  /** What became of a lease, as a second revocation tells it. */
  const endOf = async (lease: string) => {
    const start = await ledger().beginRevocation(revocation(lease))
    if (start.outcome !== "done") throw new Error(`the lease is not closed: ${start.outcome}`)
    return Object.fromEntries(start.credentials.map(({ grant, ended }) => [grant, ended]))
  }

  return {
    /** Turns to the next repository, of which nothing is known yet. */
    turn: () => {
      repositories += 1
      repository = String(repositories)
    },
    repository: () => repository,
    restart: () => fixture.restart(),
    ledger,
    sweeper,
    trail,
    events,
    issue,
    reasons,
    taken,
    settle,
    endOf,
  }
}
