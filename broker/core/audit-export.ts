import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import { type ChainHead, type ChainLink, chainStart, type LedgerName } from "./audit-chain.ts"
import { canonicalJson } from "./canonical-json.ts"

/**
 * Writes the audit trail as a file, line by line: JSON lines, each the canonical text of what it says, each to be ended by
 * one line feed.
 *
 * ```
 * {"ledger":{"issuer":"https://...","repository_id":"41"}}      a ledger's records follow
 * {"chain":"...","leaf":"...","record":{...,"seq":1}}
 * {"chain":"...","leaf":"...","record":{...,"seq":2}}
 * {"head":{"chain":"...","seq":2}}                              that was all of them
 * {"end":{"digest":"...","ledgers":1}}                          and all of the file
 * ```
 *
 * The closing lines make a cut visible wherever it is: a chain alone reads well up to any of its records. Writes what it
 * is given, fitting or not: finding faults is the verifier's part, and a writer that mended them would hide them.
 */
export class ExportWriter {
  readonly #heads = new HeadsDigest()

  ledger(name: LedgerName): string {
    return `{"ledger":{"issuer":${JSON.stringify(name.issuer)},"repository_id":${JSON.stringify(name.repository_id)}}}`
  }

  record(link: ChainLink): string {
    return `{"chain":${JSON.stringify(link.chain)},"leaf":${JSON.stringify(link.leaf)},"record":${link.text}}`
  }

  /** Closes the ledger that was begun last. */
  head(head: ChainHead): string {
    this.#heads.add(head)
    return `{"head":{"chain":${JSON.stringify(head.chain)},"seq":${head.seq}}}`
  }

  /** Closes the file. */
  end(): string {
    return `{"end":{"digest":"${this.#heads.digest()}","ledgers":${this.#heads.ledgers}}}`
  }
}

/** A whole file of one ledger: its records from the first to the last, as the ledger's port gives them. */
export function exportTrail(name: LedgerName, records: readonly ExportedRecord[]): string {
  const writer = new ExportWriter()
  const lines = records.map(({ record, leaf, chain }) => {
    const text = canonicalJson(record)
    if (!text.ok) throw new TypeError(`an audit record has no canonical text: ${text.fault}`)
    return writer.record({ text: text.value, leaf, chain })
  })
  const head = { seq: records.length, chain: records.at(-1)?.chain ?? chainStart(name) }
  return [writer.ledger(name), ...lines, writer.head(head), writer.end()].map((line) => `${line}\n`).join("")
}

interface ExportedRecord {
  readonly record: unknown
  readonly leaf: string
  readonly chain: string
}

/** One hash over the heads of all ledgers of a file, in its order: a byte that says what is hashed, then each head. */
export class HeadsDigest {
  readonly #hash = sha256.create().update(Uint8Array.of(0x02))
  ledgers = 0

  add(head: ChainHead): void {
    this.#hash.update(hexToBytes(head.chain))
    this.ledgers += 1
  }

  digest(): string {
    return bytesToHex(this.#hash.clone().digest())
  }
}
