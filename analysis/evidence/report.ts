import type { LedgerName } from "../../broker/core/audit-chain.ts"
import type { ReadRecord, RecordLine } from "../records/record-lines.ts"
import { Accesses, sorted } from "./accesses.ts"
import { Leases } from "./leases.ts"

/** The time that a report is about. ISO 8601; null: open. */
export interface Period {
  readonly since: string | null
  /** Exclusive. */
  readonly until: string | null
}

/** Something that one record says: an operator's act, a token that was sent twice. */
export interface Incident {
  readonly at: string
  readonly event: string
  readonly issuer: string
  readonly unit: string | null
  readonly unit_id: string
  readonly actor: string | null
  readonly actor_id: string | null
  readonly run_id: string | null
  readonly reason: string
  readonly client_address: string | null
  readonly request_id: string
}

export interface UnusedGrant {
  readonly file: string
  readonly line: number
  readonly grant: string
  readonly connection: string
}

export type Report = ReturnType<Evidence["report"]>

/** What a token's thief, or a job beyond its limits, leaves in a record. */
const SUSPICIOUS: ReadonlySet<string> = new Set(["token.replayed", "token.unbound", "lease.refused", "limit.reached"])

/**
 * Collects the evidence of a record for an auditor: who got what, what was refused, what operators did, and what has no end.
 * The same record gives the same report, on every machine: it reads no clock.
 */
export class Evidence {
  readonly #period: Period
  readonly #accesses = new Accesses()
  readonly #leases = new Leases()
  readonly #ledgers: {
    readonly issuer: string
    readonly unit_id: string
    unit: string | null
    /** Records up to this one are not in the export. */
    after: number
    records: number
    head: { readonly seq: number; readonly chain: string } | null
  }[] = []
  readonly #versions = new Map<string, { first: string; last: string; decisions: number }>()
  readonly #suspicions: Incident[] = []
  readonly #acts: Incident[] = []
  #digest: string | null = null
  #first: string | null = null
  #last: string | null = null
  #end = ""

  constructor(period: Period) {
    this.#period = period
  }

  /** Takes every line of an export, also those outside of the period: a lease may have begun before it. */
  add(line: RecordLine): void {
    if (line.kind === "ledger") this.#ledgers.push({ ...line.ledger, unit: null, after: 0, records: 0, head: null })
    const ledger = this.#ledgers.at(-1)
    if (line.kind === "end") this.#digest = line.digest
    if (line.kind === "from" && ledger) ledger.after = line.seq
    if (line.kind === "head" && ledger) ledger.head = { seq: line.seq, chain: line.chain }
    if (line.kind !== "record") return
    const { record } = line
    const { since, until } = this.#period
    if (record.at > this.#end) this.#end = record.at
    if (until !== null && record.at >= until) return
    const isAsked = since === null || record.at >= since
    this.#leases.add(record, isAsked)
    if (!isAsked) return
    if (ledger) {
      ledger.records += 1
      ledger.unit = record.identity?.unit ?? ledger.unit
    }
    if (this.#first === null || record.at < this.#first) this.#first = record.at
    if (this.#last === null || record.at > this.#last) this.#last = record.at
    this.#accesses.add(record)
    this.#version(record)
    this.#incident(record, line.ledger)
  }

  /** `unused`: null when no policies were given to compare with. */
  report(unused: readonly UnusedGrant[] | null) {
    const { since, until } = this.#period
    const { minted, failed, denied, uncounted } = this.#accesses
    const versions = [...this.#versions].map(([version, times]) => ({ version, ...times }))
    return {
      version: 1 as const,
      period: { since, until, first: this.#first, last: this.#last },
      // An open end is the record's own: a report of today's record says the same tomorrow.
      as_of: until ?? (this.#end === "" ? null : this.#end),
      totals: { minted, failed, denied, denials_without_record: uncounted },
      ...this.#accesses.rows(),
      policy_versions: sorted(versions, ({ first, version }) => `${first}\n${version}`),
      suspicions: sorted(this.#suspicions, inTime),
      operators: sorted(this.#acts, inTime),
      leases: this.#leases.rows(until ?? (this.#end || new Date(0).toISOString())),
      unused_grants: unused,
      record: {
        digest: this.#digest,
        ledgers: sorted(this.#ledgers, ({ issuer, unit_id }) => `${issuer}\n${unit_id}`),
      },
    }
  }

  #version({ policy_version: version, at, decision }: ReadRecord): void {
    if (version === null || decision === null) return
    const known = this.#versions.get(version) ?? { first: at, last: at, decisions: 0 }
    const [first = at, last = at] = [known.first, known.last, at].sort().filter((_, index) => index !== 1)
    this.#versions.set(version, { first, last, decisions: known.decisions + 1 })
  }

  #incident(record: ReadRecord, { issuer, unit_id }: LedgerName): void {
    const { at, event, identity, reason, client_address, request_id } = record
    const list = SUSPICIOUS.has(event) ? this.#suspicions : isAct(event) ? this.#acts : null
    list?.push({
      ...{ at, event, reason, client_address, request_id, issuer, unit_id },
      unit: identity?.unit ?? null,
      actor: identity?.actor ?? null,
      actor_id: identity?.actor_id ?? null,
      run_id: identity?.run_id ?? null,
    })
  }
}

/** What operators did, and what the broker did by itself for the deployment: everything that is no exchange and no lease. */
const isAct = (event: string): boolean => !/^(?:exchange|lease|token|limit|denials)\./.test(event)

const inTime = ({ at, request_id }: Incident): string => `${at}\n${request_id}`
