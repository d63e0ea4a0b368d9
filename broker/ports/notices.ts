/** What a broker tells the other brokers of its store. A hint, and never more: anyone who can write to the store can send it. */
export interface Notice {
  /** Names the process: a random UUID, new at each start. */
  readonly broker: string
  /** The version of the policies in force there: SHA-256, hex. */
  readonly policies: string
}

export interface NoticeListener {
  /** Another broker has told something. Must not wait. */
  heard(notice: Notice): void
  /** Notices may have been lost until now: what they would have caused must be done once. */
  missed(): void
}

/** How brokers that share a store tell each other what has changed. Nothing may depend on a notice's arrival. */
export interface Notices {
  /** Begins to listen, and tells the others `version` now and each minute. Called once. */
  start(version: string, listener: NoticeListener): void
  /** Tells the others which version of the policies is in force now. Never throws; a notice that cannot be sent is dropped. */
  tell(version: string): void
}
