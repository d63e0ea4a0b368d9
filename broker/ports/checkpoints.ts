import type { LedgerKey } from "./directory.ts"

/**
 * What is given away of the log of heads: its newest checkpoint with enough cosignatures, and proofs that lead to it.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export interface CheckpointSource {
  /** The checkpoint, a signed note. Null before the first. */
  latest(): Promise<string | null>
  /**
   * The policy (c2sp.org/tlog-policy) with which a reader verifies the checkpoints: the log's key, and the organisation's
   * witnesses. Whoever verifies keeps his own copy: one that is fetched with the checkpoint proves nothing.
   */
  policy(): Promise<string | null>
  /**
   * The checkpoint after the proof that its log begins with the checkpoint of `old` heads, in the form of a request to a
   * witness (c2sp.org/tlog-witness). Null when there is none, or it is smaller.
   */
  since(old: number): Promise<string | null>
  /**
   * Proves the head of a ledger, or with `seq` one of its records (c2sp.org/tlog-proof). Null when the checkpoint does not
   * reach so far.
   */
  prove(ledger: LedgerKey, seq?: number): Promise<string | null>
  /**
   * Signs the hash of an audit report with the log's key: a signed note. It says that an operator asked for it at that time,
   * not that the report is right: the record says that. Null before the log has begun.
   */
  signReport(sha256: string, at: Date): Promise<string | null>
}
