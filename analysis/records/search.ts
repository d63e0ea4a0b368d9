import type { FiledRecord, ReadRecord } from "./record-lines.ts"

/** What a search compares, each with the whole text. All that are given must be in the record. */
export interface SearchTerms {
  readonly unit?: string
  readonly unit_id?: string
  readonly owner?: string
  readonly actor?: string
  readonly actor_id?: string
  readonly grant?: string
  readonly connection?: string
  readonly resource?: string
  /** The code that the reason begins with. */
  readonly code?: string
  readonly event?: string
  readonly lease?: string
  readonly run?: string
  /** SHA-256 of a minted token in hex, or the public id of a minted credential. */
  readonly fingerprint?: string
  readonly request_id?: string
}

/** What became of a lease, by the record. */
export interface LeaseState {
  readonly lease: string
  /** The URL of the unit's issuer. */
  readonly issuer: string
  readonly unit: string
  readonly unit_id: string
  readonly run_id: string
  readonly actor: string | null
  /** The commit of the run, if the policies read its claim; null when the record does not say it. */
  readonly commit: string | null
  readonly grants: readonly string[]
  /** ISO 8601. */
  readonly opened: string
  /** When the last of its grants ends at the latest. */
  readonly ends: string
  /** How and when it ended; null when the record has no end. */
  ended: { readonly at: string; readonly reason: string } | null
}

/** The claims that name a run's commit, of the families that say it. */
const COMMIT_CLAIMS = ["sha", "build_commit", "rpo_ver"]

/** Searches a record as it is read. Keeps the newest records that match, and the leases that they are about. */
export class RecordSearch {
  readonly #terms: SearchTerms
  readonly #limit: number
  #found: FiledRecord[] = []
  readonly #leases = new Map<string, LeaseState>()
  /** Leases whose outcome is not recorded yet: only their first record has the claims. */
  readonly #begun = new Map<string, string | null>()
  /** How many records match, those that are not kept included. */
  matches = 0

  constructor(terms: SearchTerms, limit: number) {
    this.#terms = terms
    this.#limit = limit
  }

  /** `isAsked`: the record is in the searched time. An end is looked for in all records. */
  add(filed: FiledRecord, isAsked: boolean): void {
    const { record } = filed
    const { lease, event } = record
    if (lease !== null && event === "exchange.intended") this.#begun.set(lease, commitOf(record))
    if (isAsked && matches(record, this.#terms)) {
      this.matches += 1
      this.#found.push(filed)
      if (this.#found.length >= 2 * this.#limit) this.#trim()
      this.#follow(record)
    }
    if (lease === null || event === "exchange.intended") return
    this.#begun.delete(lease)
    const known = this.#leases.get(lease)
    const isOver =
      event === "lease.closed" || (event === "exchange.failed" && !record.reason.includes("; left alive: "))
    if (known !== undefined && isOver) known.ended = { at: record.at, reason: record.reason }
  }

  /** Newest first. */
  get found(): readonly FiledRecord[] {
    this.#trim()
    return this.#found
  }

  /** The leases that matching records opened. */
  get leases(): readonly LeaseState[] {
    return [...this.#leases.values()]
  }

  #follow(record: ReadRecord): void {
    const { lease, identity, at, grants } = record
    if (lease === null || identity === null || grants.length === 0) return
    const before = this.#leases.get(lease)
    // Beyond that, an answer is no longer about leases.
    if (before === undefined && this.#leases.size >= this.#limit) return
    const seconds = Math.max(0, ...grants.map((grant) => grant.ttl_seconds))
    const { issuer, unit, unit_id, run_id, actor } = identity
    this.#leases.set(lease, {
      ...{ lease, issuer, unit, unit_id, run_id, actor },
      commit: commitOf(record) ?? this.#begun.get(lease) ?? before?.commit ?? null,
      grants: grants.map(({ name }) => name),
      opened: before?.opened ?? at,
      ends: new Date(Date.parse(at) + seconds * 1000).toISOString(),
      ended: before?.ended ?? null,
    })
  }

  #trim(): void {
    const newest = ({ record: one }: FiledRecord, { record: other }: FiledRecord) =>
      one.at < other.at ? 1 : one.at > other.at ? -1 : 0
    this.#found = this.#found.sort(newest).slice(0, this.#limit)
  }
}

/** Whether a record has all terms. */
export function matches({ identity, grants, reason, ...record }: ReadRecord, terms: SearchTerms): boolean {
  const same = (wanted: string | undefined, value: string | null | undefined) =>
    wanted === undefined || wanted === value
  const some = (wanted: string | undefined, key: "name" | "connection" | "resource") =>
    wanted === undefined || grants.some((grant) => grant[key] === wanted)
  const { fingerprint, code } = terms
  return (
    same(terms.event, record.event) &&
    same(terms.lease, record.lease) &&
    same(terms.request_id, record.request_id) &&
    same(terms.unit, identity?.unit) &&
    same(terms.unit_id, identity?.unit_id) &&
    same(terms.owner, identity?.owner) &&
    same(terms.actor, identity?.actor) &&
    same(terms.actor_id, identity?.actor_id) &&
    same(terms.run, identity?.run_id) &&
    (code === undefined || reason === code || reason.startsWith(`${code}:`)) &&
    (some(terms.grant, "name") || isDenied(record.event, reason, terms.grant)) &&
    some(terms.connection, "connection") &&
    some(terms.resource, "resource") &&
    (fingerprint === undefined ||
      grants.some(({ fingerprints = {}, ids = {} }) =>
        [...Object.values(fingerprints), ...Object.values(ids)].includes(fingerprint),
      ))
  )
}

/** A denial names what was requested in its reason. */
const isDenied = (event: string, reason: string, grant: string | undefined): boolean =>
  grant !== undefined && event === "exchange.denied" && (reason.split(": ", 2)[1] ?? "").split(", ").includes(grant)

function commitOf({ claims }: ReadRecord): string | null {
  for (const name of COMMIT_CLAIMS) {
    const value = claims && Object.hasOwn(claims, name) ? claims[name] : null
    if (typeof value === "string") return value
  }
  return null
}
