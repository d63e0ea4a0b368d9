/** What a provider got by logging in somewhere, for itself: never a credential that is handed to a job. */
export interface Login<Value> {
  readonly value: Value
  /** When the other side ends it by itself. */
  readonly endsAt: Date
}

/**
 * Logins by key, in this instance's memory only, each until shortly before it ends. Holds values, never promises, and
 * forgets whatever it likes to: a login can always be made again.
 */
export interface Logins {
  get(key: string): Login<unknown> | undefined
  keep(key: string, login: Login<unknown>): void
  forget(key: string): void
}
