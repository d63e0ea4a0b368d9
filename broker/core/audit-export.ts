import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import type { ChainHead, ChainLink, LedgerName } from "./audit-chain.ts"

/**
 * Writes the audit trail as a file of JSON lines. Each line is canonical JSON; the caller ends it with one line feed.
 *
 * ```
 * {"ledger":{"issuer":"https://...","unit_id":"41"}}            the records of this ledger follow
 * {"from":{"chain":"...","seq":7}}                              only where earlier records are not in the file
 * {"chain":"...","leaf":"...","record":{...,"seq":1}}
 * {"chain":"...","leaf":"...","record":{...,"seq":2}}
 * {"head":{"chain":"...","seq":2}}                              the ledger ends here
 * {"end":{"digest":"...","ledgers":1}}                          the file ends here
 * ```
 *
 * Version 1 wrote `repository_id` for `unit_id`. The closing lines make any cut visible: a chain alone is valid up to any of its records. The writer writes what it is
 * given, even if the records do not fit. The verifier finds such faults; a writer that corrected them would hide them.
 */
export class ExportWriter {
  readonly #heads = new HeadsDigest()

  ledger(name: LedgerName): string {
    return `{"ledger":{"issuer":${JSON.stringify(name.issuer)},"unit_id":${JSON.stringify(name.unit_id)}}}`
  }

  /** The records before and this one, the number `seq`, are not in the file: it was made from a later time on. */
  from({ seq, chain }: ChainHead): string {
    return `{"from":{"chain":${JSON.stringify(chain)},"seq":${seq}}}`
  }

  record(link: ChainLink): string {
    return `{"chain":${JSON.stringify(link.chain)},"leaf":${JSON.stringify(link.leaf)},"record":${link.text}}`
  }

  /** Closes the current ledger. */
  head(head: ChainHead): string {
    this.#heads.add(head)
    return `{"head":{"chain":${JSON.stringify(head.chain)},"seq":${head.seq}}}`
  }

  /** Closes the file. */
  end(): string {
    return `{"end":{"digest":"${this.#heads.digest()}","ledgers":${this.#heads.ledgers}}}`
  }
}

/** One hash over the heads of all ledgers of a file, in the file's order. It starts with a byte for its kind. */
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
