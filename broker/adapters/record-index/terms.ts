import type { AuditRecord } from "../../core/audit-record.ts"
import type { LedgerKey, LedgerNames } from "../../ports/directory.ts"
import type { RecordScope, RecordTerms } from "../../ports/record-index.ts"

/** `ownerAt` and `unitAt`: an id with its issuer. `sole`: the connection of all grants of a record. */
type Field = keyof RecordTerms | "ownerAt" | "unitAt" | "sole"

type Term = readonly [field: Field, value: string | null | undefined]

/**
 * All that a record can be found by. A record without a job, such as that of a lease that ran out, is found by its ledger's
 * names.
 */
export function termsOf(record: AuditRecord, { issuerUrl, unitId }: LedgerKey, names: LedgerNames): readonly Term[] {
  const { identity, grants } = record
  const ownerId = identity?.owner_id ?? names.ownerId
  const [first, ...further] = new Set(grants.map(({ connection }) => connection))
  return [
    ["unit", identity?.unit ?? names.unit],
    ["unitId", unitId],
    ["unitAt", at(issuerUrl, unitId)],
    ["owner", identity?.owner ?? names.owner],
    ["ownerId", ownerId],
    ["ownerAt", ownerId && at(issuerUrl, ownerId)],
    ["actor", identity?.actor],
    ["actorId", identity?.actor_id],
    ["run", identity?.run_id],
    ["event", record.event],
    ["lease", record.lease],
    ["requestId", record.request_id],
    ["sole", further.length === 0 ? first : null],
    ...codesOf(record.reason).map((code): Term => ["code", code]),
    ...grants.flatMap((grant): Term[] => [
      ["grant", grant.name],
      ["connection", grant.connection],
      ["resource", grant.resource],
      ...Object.values(grant.fingerprints ?? {}).map((hash): Term => ["fingerprint", hash]),
      ...Object.values(grant.ids ?? {}).map((id): Term => ["fingerprint", id]),
    ]),
  ]
}

const at = (issuerUrl: string, id: string): string => JSON.stringify([issuerUrl, id])

/** The codes in a reason, such as both of `open_leases: quota_exceeded`. */
const codesOf = (reason: string): readonly string[] =>
  reason.split(/[:;,] ?/).filter((part) => /^[a-z][a-z_]*$/.test(part))

/** All of these must be met, each by one of its terms. */
export type Clauses = readonly (readonly Term[])[]

/** @param exact whether a record that meets them is surely in the scope; otherwise `isCovered` must decide */
export function clausesOf(terms: RecordTerms, scope: RecordScope = {}, exact = false): Clauses {
  const { owners, units, connections } = scope
  const places: readonly Term[] = [
    ...(owners ?? []).map(({ issuerUrl, ownerId }): Term => ["ownerAt", at(issuerUrl, ownerId)]),
    ...(units ?? []).map(({ issuerUrl, unitId }): Term => ["unitAt", at(issuerUrl, unitId)]),
  ]
  return [
    ...FIELDS.filter((field) => terms[field] !== undefined).map((field): readonly Term[] => [[field, terms[field]]]),
    ...(owners === undefined && units === undefined ? [] : [places]),
    ...(connections === undefined ? [] : [connections.map((name): Term => [exact ? "sole" : "connection", name])]),
  ]
}

/** Whether a record meets all clauses: the index compares hashes, and its records can have been replaced. */
export function meets(clauses: Clauses, terms: readonly Term[]): boolean {
  const has = new Set(terms.map(textOf))
  return clauses.every((clause) => clause.some((term) => has.has(textOf(term))))
}

/** Whether all connections of a record are in a scope that its clauses are met for. */
export const isCovered = ({ grants }: AuditRecord, { connections }: RecordScope): boolean =>
  connections === undefined || grants.every(({ connection }) => connections.includes(connection))

const FIELDS = [
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
  for (let place = 0; place < text.length; place++) {
    const unit = text.charCodeAt(place)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
