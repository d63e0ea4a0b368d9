import type { ReadRecord } from "../records/record-lines.ts"
import { sorted } from "./accesses.ts"

/** A lease that nothing in the record ends, although its time is over. */
export interface OpenLease {
  readonly lease: string
  readonly unit: string
  readonly unit_id: string
  readonly issuer: string
  readonly run_id: string
  readonly grants: readonly string[]
  /** ISO 8601. */
  readonly opened: string
  /** When the last of its grants ends. */
  readonly ends: string
  /** The first record says that something was minted; without it, the exchange was interrupted. */
  readonly minted: boolean
}

/** A sweep ends a lease within a minute after its time. A quiet ledger at the edge may take some minutes more. */
export const OVERDUE_MS = 10 * 60_000

/** Follows leases from their record to their end. Keeps only those that are open. */
export class Leases {
  readonly #open = new Map<string, OpenLease>()
  opened = 0
  /** How many leases ended, by the first words of the reason. */
  readonly #ends = new Map<string, number>()

  /** `isAsked`: the record is in the time that the report is about. Leases of before are followed, and not counted. */
  add({ event, lease, at, identity, grants, reason, decision }: ReadRecord, isAsked: boolean): void {
    if (lease === null) return
    const before = this.#open.get(lease)
    if (event === "lease.closed") {
      this.#open.delete(lease)
      if (isAsked) this.#count(reason)
      return
    }
    // What could not be revoked at once lives on.
    if (event === "exchange.failed" && !reason.includes("; left alive: ")) this.#open.delete(lease)
    const isMinted = event === "exchange.minted"
    if (identity === null || !(isMinted || (event === "exchange.intended" && decision === "allow"))) return
    if (before === undefined && isAsked) this.opened += 1
    const seconds = Math.max(0, ...grants.map((grant) => grant.ttl_seconds))
    this.#open.set(lease, {
      lease,
      unit: identity.unit,
      unit_id: identity.unit_id,
      issuer: identity.issuer,
      run_id: identity.run_id,
      grants: grants.map(({ name }) => name),
      opened: before?.opened ?? at,
      ends: new Date(Date.parse(at) + seconds * 1000).toISOString(),
      minted: isMinted || before?.minted === true,
    })
  }

  /** `asOf`: ISO 8601. What is over for longer than a sweep takes, and has no end, is overdue. */
  rows(asOf: string) {
    const due = new Date(Date.parse(asOf) - OVERDUE_MS).toISOString()
    const open = [...this.#open.values()]
    return {
      opened: this.opened,
      ended: sorted([...this.#ends], ([reason]) => reason).map(([reason, leases]) => ({ reason, leases })),
      alive: open.filter(({ ends }) => ends > due).length,
      overdue: sorted(
        open.filter(({ ends }) => ends <= due),
        ({ ends, lease }) => `${ends}${lease}`,
      ),
    }
  }

  #count(reason: string): void {
    // `revoked 1, expires-only 2` and `ended by the broker: revoked 1` are each one kind of end.
    const kind = reason.replace(/[0-9]{4}-[0-9T:.-]+Z/g, "TIME").replace(/ [0-9]+/g, " N")
    this.#ends.set(kind, (this.#ends.get(kind) ?? 0) + 1)
  }
}
