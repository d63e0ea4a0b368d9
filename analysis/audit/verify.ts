import { chainStart, chainText, type LedgerName, MAX_RECORD_BYTES, type Sha256 } from "../../broker/core/audit-chain.ts"
import { HeadsDigest } from "../../broker/core/audit-export.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { isCanonicalText } from "./canonical-text.ts"
import type { ChainFault, ChainVerdict, FoundNote, LeafWatcher, VerifiedLedger } from "./verdict.ts"

export type { ChainFault, ChainVerdict, FoundNote, LeafWatcher, VerifiedLedger } from "./verdict.ts"

/** The longest line that is read: a record with its two hashes. */
const MAX_LINE_BYTES = MAX_RECORD_BYTES + 1024

const LINE_FEED = 0x0a

const HASH = /^[0-9a-f]{64}$/

const encoder = new TextEncoder()

/**
 * Verifies an exported audit trail. Never throws, for any bytes; keeps one line in memory at a time.
 *
 * Finds every edit, deletion, reordering, repetition, cut and addition, unless the attacker recomputed all hashes that
 * follow. An unsigned chain cannot reveal a file that was rewritten as a whole, closing lines included: such a file is
 * valid. A chain value that was noted elsewhere while it was the latest (`noted`) closes that gap for all records up to
 * it. `found` says where the noted values are now. A noted value that is missing means that the past was rewritten.
 */
export class ChainVerifier {
  readonly #sha256: Sha256
  readonly #noted: ReadonlySet<string>
  readonly #watcher: LeafWatcher | undefined
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  readonly #heads = new HeadsDigest()
  readonly #ledgers: VerifiedLedger[] = []
  readonly #begun = new Set<string>()
  readonly #found: FoundNote[] = []
  readonly #buffer = new Uint8Array(MAX_LINE_BYTES)
  #buffered = 0
  #line = 1
  #current: VerifiedLedger | null = null
  #ended = false
  #fault: ChainFault | null = null

  constructor(sha256: Sha256, noted: Iterable<string> = [], watcher?: LeafWatcher) {
    this.#sha256 = sha256
    this.#noted = new Set(noted)
    this.#watcher = watcher
  }

  /** Takes the file's next bytes. Chunks may end anywhere. */
  push(chunk: Uint8Array): void {
    let start = 0
    while (this.#fault === null && start < chunk.length) {
      const feed = chunk.indexOf(LINE_FEED, start)
      const piece = chunk.subarray(start, feed === -1 ? chunk.length : feed)
      if (this.#buffered + piece.length > MAX_LINE_BYTES) {
        this.#refuse("the line is longer than any record can be")
        return
      }
      this.#buffer.set(piece, this.#buffered)
      this.#buffered += piece.length
      if (feed === -1) return
      this.#takeLine(this.#buffer.subarray(0, this.#buffered))
      this.#buffered = 0
      this.#line += 1
      start = feed + 1
    }
  }

  /** The verdict, after all bytes were pushed. */
  end(): ChainVerdict {
    if (this.#fault === null && this.#buffered > 0) this.#refuse("the file is cut in the middle of a line")
    if (this.#fault === null && !this.#ended) this.#refuse("the file is cut: its closing line is missing")
    if (this.#fault !== null) return { ok: false, fault: this.#fault }
    return { ok: true, ledgers: this.#ledgers, found: this.#found }
  }

  #takeLine(bytes: Uint8Array): void {
    const reason = this.#faultOf(bytes)
    if (reason !== null) this.#refuse(reason)
  }

  /** Accepts one line, or returns why it is wrong. */
  #faultOf(bytes: Uint8Array): string | null {
    const parsed = this.#parse(bytes)
    if (!parsed.ok) return parsed.fault
    const value = parsed.value
    if (this.#ended) return "something follows the closing line"
    if (hasOnly(value, ["ledger"])) return this.#takeLedger(value["ledger"])
    if (hasOnly(value, ["from"])) return this.#takeFrom(value["from"])
    if (hasOnly(value, ["chain", "leaf", "record"])) return this.#takeRecord(value, bytes)
    if (hasOnly(value, ["head"])) return this.#takeHead(value["head"])
    if (hasOnly(value, ["end"])) return this.#takeEnd(value["end"])
    return "the line has an unknown form or an unknown member"
  }

  #parse(bytes: Uint8Array): Result<Record<string, unknown>, string> {
    let text: string
    let value: unknown
    try {
      text = this.#decoder.decode(bytes)
      value = JSON.parse(text)
    } catch {
      return fail("the line is not JSON in UTF-8")
    }
    if (!isObject(value) || !isCanonicalText(text, value)) {
      return fail("the line is not the canonical text that the broker writes")
    }
    return ok(value)
  }

  #takeLedger(name: unknown): string | null {
    if (this.#current !== null) return "a ledger begins before the previous one was closed"
    const ledger = ledgerName(name)
    if (ledger === null) return "the ledger's name is malformed"
    // Two chains of one ledger would each be valid, and a noted head in one of them would seem to confirm the other.
    const start = chainStart(ledger, this.#sha256)
    if (this.#begun.has(start)) return "a ledger that was closed begins a second time"
    this.#begun.add(start)
    this.#current = { ledger, seq: 0, chain: start }
    this.#watcher?.ledger(ledger)
    return null
  }

  /** Earlier records are not in the file. What it says of the last of them is taken as it is: a checkpoint can prove it. */
  #takeFrom(from: unknown): string | null {
    const current = this.#current
    if (current === null || current.seq > 0)
      return "a line that says where records begin is not at the start of a ledger"
    if (!isObject(from) || !hasOnly(from, ["chain", "seq"]))
      return "the line that says where records begin is malformed"
    const { seq, chain } = from
    if (!Number.isSafeInteger(seq) || (seq as number) < 1 || typeof chain !== "string" || !HASH.test(chain)) {
      return "the line that says where records begin is malformed"
    }
    this.#current = { ...current, seq: seq as number, chain, after: seq as number }
    if (this.#noted.has(chain)) this.#found.push(this.#current)
    this.#watcher?.from?.(seq as number)
    return null
  }

  #takeRecord(value: Record<string, unknown>, line: Uint8Array): string | null {
    const record = value["record"]
    const current = this.#current
    if (current === null) return "a record is outside of any ledger"
    const seq = current.seq + 1
    if (!isObject(record) || record["seq"] !== seq) return `record ${seq} is expected here, but this is another one`
    const { chain, leaf } = value
    // The line is canonical, so that the record's own canonical text stands in it, between these and the last bracket.
    const before = `{"chain":${JSON.stringify(chain)},"leaf":${JSON.stringify(leaf)},"record":`
    const link = chainText(current.chain, line.subarray(encoder.encode(before).length, -1), this.#sha256)
    if (!link.ok) return `the record is invalid: ${link.fault}`
    if (link.value.leaf !== leaf) return "the record does not match its own hash: it was changed"
    if (link.value.chain !== chain) {
      return "the record does not follow from the previous one: an earlier record was changed or is missing"
    }
    this.#current = { ...current, seq, chain: link.value.chain }
    this.#watcher?.leaf(link.value.leaf)
    if (this.#noted.has(link.value.chain)) this.#found.push(this.#current)
    return null
  }

  #takeHead(head: unknown): string | null {
    const current = this.#current
    if (current === null) return "a closing line has no ledger to close"
    if (!isObject(head) || !hasOnly(head, ["chain", "seq"])) return "the ledger's closing line is malformed"
    if (head["seq"] !== current.seq || head["chain"] !== current.chain) {
      return "the ledger's closing line does not match its records: some are missing or were added"
    }
    this.#heads.add(current)
    this.#ledgers.push(current)
    this.#current = null
    return null
  }

  #takeEnd(end: unknown): string | null {
    if (this.#current !== null) return "the file ends before the last ledger was closed"
    if (!isObject(end) || !hasOnly(end, ["digest", "ledgers"])) return "the closing line is malformed"
    if (end["ledgers"] !== this.#heads.ledgers || end["digest"] !== this.#heads.digest()) {
      return "the closing line does not match the ledgers: some are missing, added or in another order"
    }
    this.#ended = true
    return null
  }

  #refuse(reason: string): void {
    const current = this.#current
    this.#fault ??= {
      line: this.#line,
      ledger: current?.ledger ?? null,
      seq: current === null ? null : current.seq + 1,
      reason,
    }
  }
}

/** Files of version 1 call the id of a unit `repository_id`. The chain's start is the same hash. */
function ledgerName(name: unknown): LedgerName | null {
  if (!isObject(name)) return null
  const idKey = ["unit_id", "repository_id"].find((key) => hasOnly(name, ["issuer", key]))
  const { issuer } = name
  const id = idKey === undefined ? undefined : name[idKey]
  return typeof issuer === "string" && typeof id === "string" ? { issuer, unit_id: id } : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function hasOnly(value: Record<string, unknown>, names: readonly string[]): boolean {
  const own = Object.keys(value)
  return own.length === names.length && names.every((name) => Object.hasOwn(value, name))
}
