import type { AuditRecord } from "../../core/audit-record.ts"
import type { LedgerKey, LedgerNames } from "../../ports/directory.ts"
import type { RecordScope, RecordTerms } from "../../ports/record-index.ts"

type Term = readonly [field: keyof RecordTerms, value: string | null | undefined]

/**
 * All that a record can be found by. A record without a job, such as that of a lease that ran out, is found by its ledger's
 * names.
 */
export function termsOf(record: AuditRecord, { unitId }: LedgerKey, names: LedgerNames): readonly Term[] {
  const { identity } = record
  return [
    ["unit", identity?.unit ?? names.unit],
    ["unitId", unitId],
    ["owner", identity?.owner ?? names.owner],
    ["ownerId", identity?.owner_id ?? names.ownerId],
    ["actor", identity?.actor],
    ["actorId", identity?.actor_id],
    ["run", identity?.run_id],
    ["event", record.event],
    ["lease", record.lease],
    ["requestId", record.request_id],
    ...codesOf(record.reason).map((code): Term => ["code", code]),
    ...record.grants.flatMap((grant): Term[] => [
      ["grant", grant.name],
      ["connection", grant.connection],
      ["resource", grant.resource],
      ...Object.values(grant.fingerprints ?? {}).map((hash): Term => ["fingerprint", hash]),
      ...Object.values(grant.ids ?? {}).map((id): Term => ["fingerprint", id]),
    ]),
  ]
}

/** The codes in a reason, such as both of `open_leases: quota_exceeded`. */
const codesOf = (reason: string): readonly string[] =>
  reason.split(/[:;,] ?/).filter((part) => /^[a-z][a-z_]*$/.test(part))

/** All of these must be met, each by one of its terms. */
export type Clauses = readonly (readonly Term[])[]

export function clausesOf(terms: RecordTerms, scope: RecordScope = {}): Clauses {
  const any = (field: keyof RecordTerms, values: readonly string[] | undefined): Clauses =>
    values === undefined ? [] : [values.map((value): Term => [field, value])]
  return [
    ...FIELDS.filter((field) => terms[field] !== undefined).map((field): readonly Term[] => [[field, terms[field]]]),
    ...any("ownerId", scope.owners),
    ...any("unitId", scope.units),
    ...any("connection", scope.connections),
  ]
}

/** Whether a record meets all clauses: the index compares hashes, and its records can have been replaced. */
export function meets(clauses: Clauses, terms: readonly Term[]): boolean {
  const has = new Set(terms.map(textOf))
  return clauses.every((clause) => clause.some((term) => has.has(textOf(term))))
}

export const FIELDS = [
  "unit",
  "unitId",
  "owner",
  "ownerId",
  "actor",
  "actorId",
  "grant",
  "connection",
  "resource",
  "code",
  "event",
  "lease",
  "run",
  "fingerprint",
  "requestId",
] as const satisfies readonly (keyof RecordTerms)[]

const textOf = ([field, value]: Term): string => `${field}\n${value}`

/** The distinct hashes of terms. */
export const hashesOf = (terms: readonly Term[]): readonly number[] => [
  ...new Set(terms.filter(([, value]) => value != null).map(hashOf)),
]

/**
 * 32 bits of a term: FNV-1a over its UTF-16 units. Stored, so it never changes. Two terms with one hash cost a look at a
 * record that is then not shown; nothing is hidden by them.
 */
export function hashOf(term: Term): number {
  const text = textOf(term)
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
