/** A document as stored. */
export interface StoredDocument {
  /** 0 before it is written first; grows by one with each change. */
  readonly version: number
  /** Null before it is written first. */
  readonly text: string | null
}

/**
 * Small texts of the deployment, by name, such as the stops in force. Strongly consistent: a read sees every earlier change,
 * whichever broker made it. A name has few changes and at most a few hundred kilobytes.
 */
export interface Documents {
  /** @throws {BrokerError} `ledger_unavailable` */
  read(name: string): Promise<StoredDocument>
  /**
   * Stores `text` if the document is still at `expectedVersion` (0: not written yet). Returns false, and changes nothing, when
   * another writer was first.
   * @throws {BrokerError} `ledger_unavailable`
   */
  replace(name: string, expectedVersion: number, text: string): Promise<boolean>
}
