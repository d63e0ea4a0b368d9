import type { ChainHead, LedgerName } from "../../broker/core/audit-chain.ts"
import type { AuditGrant, AuditIdentity, AuditRecord, ClaimsRead } from "../../broker/core/audit-record.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"

/** A record with the ledger that it is in. */
export interface FiledRecord {
  readonly ledger: LedgerName
  readonly record: ReadRecord
  /** The hash of the record, in hex. */
  readonly leaf: string
}

/**
 * A record of an export, of any version. `event` is a text: a newer broker writes events that this version does not know. Of a
 * record of version 1, which had no such members, `complete` is false, and unit and actor's id are as far as it says them.
 */
export interface ReadRecord extends Omit<AuditRecord, "version" | "event" | "token_binding"> {
  readonly event: string
  readonly token_binding: string | null
  readonly complete: boolean
}

/** One line of an export. */
export type RecordLine =
  | ({ readonly kind: "record" } & FiledRecord)
  | ({ readonly kind: "head"; readonly ledger: LedgerName } & ChainHead)
  | { readonly kind: "ledger"; readonly ledger: LedgerName }
  | ({ readonly kind: "from"; readonly ledger: LedgerName } & ChainHead)
  | { readonly kind: "end"; readonly digest: string; readonly ledgers: number }

/**
 * Reads the lines of an export, in their order. It checks the form, so that no answer rests on a file that is something else
 * or was cut. It does not check hashes: that is `ChainVerifier`'s work.
 */
export class RecordLines {
  #ledger: LedgerName | null = null
  #ended = false

  /** The fault is the end of a sentence that begins with the file's name and line. It quotes nothing of the file. */
  take(text: string): Result<RecordLine, string> {
    if (this.#ended) return fail("something follows the closing line")
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return fail("the line is not JSON")
    }
    if (!isMap(value)) return fail(UNKNOWN)
    if ("record" in value) return this.#record(value)
    if ("ledger" in value) return this.#begin(value["ledger"])
    if ("from" in value) return this.#from(value["from"])
    if ("head" in value) return this.#head(value["head"])
    if ("end" in value) return this.#end(value["end"])
    return fail(UNKNOWN)
  }

  /** Whether the closing line was read: without it the file is cut. */
  get ended(): boolean {
    return this.#ended
  }

  #record({ record, leaf }: Record<string, unknown>): Result<RecordLine, string> {
    const ledger = this.#ledger
    if (ledger === null) return fail("a record is outside of any ledger")
    const read = readRecord(record)
    if (read === null || typeof leaf !== "string") return fail("the record has not the form of an audit record")
    return ok({ kind: "record", ledger, record: read, leaf })
  }

  #begin(name: unknown): Result<RecordLine, string> {
    const id = isMap(name) ? (name["unit_id"] ?? name["repository_id"]) : null
    if (!isMap(name) || typeof name["issuer"] !== "string" || typeof id !== "string") {
      return fail("the ledger's name is malformed")
    }
    this.#ledger = { issuer: name["issuer"], unit_id: id }
    return ok({ kind: "ledger", ledger: this.#ledger })
  }

  #from(from: unknown): Result<RecordLine, string> {
    const ledger = this.#ledger
    const { chain, seq } = isMap(from) ? from : {}
    if (ledger === null || typeof chain !== "string" || typeof seq !== "number") {
      return fail("the line that says where records begin is malformed")
    }
    return ok({ kind: "from", ledger, chain, seq })
  }

  #head(head: unknown): Result<RecordLine, string> {
    const ledger = this.#ledger
    if (ledger === null || !isMap(head)) return fail("a closing line has no ledger to close")
    const { chain, seq } = head
    if (typeof chain !== "string" || typeof seq !== "number") return fail("the ledger's closing line is malformed")
    this.#ledger = null
    return ok({ kind: "head", ledger, chain, seq })
  }

  #end(end: unknown): Result<RecordLine, string> {
    if (!isMap(end) || typeof end["digest"] !== "string" || typeof end["ledgers"] !== "number") {
      return fail("the closing line is malformed")
    }
    this.#ended = true
    return ok({ kind: "end", digest: end["digest"], ledgers: end["ledgers"] })
  }
}

const UNKNOWN = "this is not a line of an audit export"

/** Null for what has not the form of a record. Members that no answer reads are not looked at: a million records are read. */
export function readRecord(value: unknown): ReadRecord | null {
  if (!isMap(value)) return null
  const { at, event, seq, reason, grants, identity, claims } = value
  if (typeof at !== "string" || !TIME.test(at) || typeof event !== "string" || typeof seq !== "number") return null
  if (typeof reason !== "string" || !Array.isArray(grants) || !grants.every(isGrant)) return null
  const read = identity === null ? null : readIdentity(identity)
  if (read === undefined || (claims !== undefined && !isMap(claims))) return null
  return {
    ...(value as unknown as ReadRecord),
    identity: read,
    token_binding: (value["token_binding"] as string | null | undefined) ?? null,
    complete: value["version"] !== undefined,
    ...(claims === undefined ? {} : { claims: claims as ClaimsRead }),
  }
}

/** The one form that the broker writes: times are compared as texts. */
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/

const isGrant = (grant: unknown): grant is AuditGrant =>
  isMap(grant) && typeof grant["name"] === "string" && typeof grant["connection"] === "string"

/** Undefined for a malformed one. Version 1 named repositories. */
function readIdentity(value: unknown): AuditIdentity | undefined {
  if (!isMap(value) || typeof value["issuer"] !== "string") return undefined
  if (typeof value["unit_id"] === "string") return value as unknown as AuditIdentity
  if (typeof value["repository_id"] !== "string") return undefined
  const { repository: unit, repository_id: id, ...rest } = value
  return { ...rest, unit_kind: "repository", unit, unit_id: id, actor_id: null } as unknown as AuditIdentity
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
