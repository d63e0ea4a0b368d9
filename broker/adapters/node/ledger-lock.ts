import { join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { identityOf, LOCK_FILE } from "./ledger-files.ts"
import { lockFolder } from "./sqlite.ts"

/**
 * The lock on a data folder. Somebody may delete its file while the broker runs, believing that it is left over. Then the
 * file is made and locked again. Until that, the write lock on the ledger itself keeps a second broker away.
 */
export class LedgerLock {
  readonly #folder: string
  #lock: DatabaseSync
  #identity: string | null

  /** @throws {BrokerError} `ledger_unavailable` when another broker has locked the folder */
  constructor(folder: string) {
    this.#folder = folder
    this.#lock = lockFolder(folder)
    this.#identity = this.#current()
  }

  /** Locks again when the file was deleted or replaced. Returns whether it did. */
  keep(): boolean {
    const identity = this.#current()
    if (identity !== null && identity === this.#identity) return false
    try {
      const lock = lockFolder(this.#folder)
      this.close()
      this.#lock = lock
      this.#identity = this.#current()
      return true
    } catch {
      // Another broker is starting, and will find the ledger locked; or the folder cannot be written. Tried again soon.
      return false
    }
  }

  close(): void {
    if (this.#lock.isOpen) this.#lock.close()
  }

  #current(): string | null {
    return identityOf(join(this.#folder, LOCK_FILE))
  }
}
