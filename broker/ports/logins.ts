/** What a provider received by logging in to a vendor for the broker itself. It is never given to a job. */
export interface Login<Value> {
  readonly value: Value
  /** When the vendor ends the login. */
  readonly endsAt: Date
}

/**
 * Logins by key, only in this instance's memory, each until shortly before it ends. Holds values, never promises. An
 * implementation may forget a login at any time, because the provider can log in again.
 */
export interface Logins {
  get(key: string): Login<unknown> | undefined
  keep(key: string, login: Login<unknown>): void
  forget(key: string): void
}
