import type { LedgerName } from "../audit-chain.ts"
import { visible } from "../policy/faults.ts"

/** A record of a ledger, as JSON: of any version, and with members that this version does not know. */
export interface LedgerRecord {
  readonly ledger: LedgerName
  readonly record: Readonly<Record<string, unknown>>
}

/** What formats of other systems can say of a record. A member is an empty text where the record does not say it. */
export interface Facts {
  /** Unix milliseconds; 0 for a time that cannot be read. */
  readonly at: number
  readonly seq: number
  readonly event: string
  readonly requestId: string
  readonly issuer: string
  readonly unitKind: string
  readonly unit: string
  readonly unitId: string
  readonly owner: string
  readonly ownerId: string
  readonly environment: string
  readonly ref: string
  readonly trigger: string
  readonly actor: string
  readonly actorId: string
  readonly runId: string
  readonly runAttempt: string
  readonly lease: string
  readonly decision: string
  readonly reason: string
  readonly policyVersion: string
  readonly tokenDigest: string
  readonly tokenBinding: string
  readonly clientAddress: string
  readonly grants: readonly GrantFacts[]
}

export interface GrantFacts {
  readonly name: string
  readonly connection: string
  readonly provider: string
  readonly resource: string
}

/**
 * Reads a record without trust in its form: an export may come from any version. All texts are made one line of visible
 * characters, because branches, people and units have names that others chose: a line break in one would begin a forged
 * event in a format of lines, and some readers end a line at U+2028.
 */
export function factsOf({ ledger, record }: LedgerRecord): Facts {
  const identity = mapOf(record["identity"])
  const at = Date.parse(text(record["at"]))
  const seq = record["seq"]
  return {
    at: Number.isNaN(at) ? 0 : at,
    seq: typeof seq === "number" ? seq : 0,
    event: text(record["event"]),
    requestId: text(record["request_id"]),
    issuer: visible(ledger.issuer),
    unitKind: text(identity["unit_kind"]) || (identity["repository"] === undefined ? "" : "repository"),
    // Version 1 knew repositories only.
    unit: text(identity["unit"]) || text(identity["repository"]),
    unitId: visible(ledger.unit_id),
    owner: text(identity["owner"]),
    ownerId: text(identity["owner_id"]),
    environment: text(identity["environment"]),
    ref: text(identity["ref"]),
    trigger: text(identity["event"]),
    actor: text(identity["actor"]),
    actorId: text(identity["actor_id"]),
    runId: text(identity["run_id"]),
    runAttempt: text(identity["run_attempt"]),
    lease: text(record["lease"]),
    decision: text(record["decision"]),
    reason: text(record["reason"]),
    policyVersion: text(record["policy_version"]),
    tokenDigest: text(record["token_digest"]),
    tokenBinding: text(record["token_binding"]),
    clientAddress: text(record["client_address"]),
    grants: (Array.isArray(record["grants"]) ? record["grants"] : []).map(mapOf).map((grant) => ({
      name: text(grant["name"]),
      connection: text(grant["connection"]),
      provider: text(grant["provider"]),
      resource: text(grant["resource"]),
    })),
  }
}

const text = (value: unknown): string => (typeof value === "string" ? visible(value) : "")

const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
