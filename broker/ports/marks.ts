/** Small facts of the deployment that must survive a restart, by name. Strongly consistent. */
export interface Marks {
  /** @throws {BrokerError} `ledger_unavailable` */
  read(name: string): Promise<string | null>
  /** Does nothing when the mark has this value already. @throws {BrokerError} `ledger_unavailable` */
  write(name: string, value: string): Promise<void>
}
