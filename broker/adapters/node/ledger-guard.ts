// Longer than most files on purpose: every state of the ledger's storage, with its sentences, in one place.

import type { BrokerError } from "../../core/errors.ts"
import type { Health } from "../../ports/health.ts"
import type { BrokerEvent, Log } from "../../ports/log.ts"
import { type StorageFault, storageFaultOf, unavailable } from "./storage-errors.ts"

/** Why nothing is granted, the most serious first. */
export type Trouble = "gone" | "locked" | "unmarked" | "unflushed" | StorageFault

interface Words {
  /** For callers and `/healthz`, which are public: no path, no name of a file. */
  readonly reason: string
  readonly event: BrokerEvent["event"]
  /** For the log: what to do. */
  readonly remedy: string
}

const TROUBLES: Readonly<Record<Trouble, Words>> = {
  gone: {
    reason:
      "The ledger's files were deleted, moved or replaced while the broker ran, or their permissions changed. Nothing is granted.",
    event: "ledger.gone",
    remedy:
      "ledger.db, ledger.db-wal or ledger.db-shm in the data folder is missing or another file. Move the files back, or stop the broker, restore a backup of ledger.db and start it",
  },
  damaged: {
    reason: "The ledger's file is damaged. Nothing is granted.",
    event: "ledger.damaged",
    remedy: "stop the broker, restore a backup of ledger.db and start it; a damaged ledger does not start",
  },
  unflushed: {
    reason: "The ledger's disk refused to keep what was written. Nothing is granted until the broker is started again.",
    event: "ledger.unwritable",
    remedy: "check the disk and the kernel's log, then restart the broker: it drops what is not whole on the disk",
  },
  locked: {
    reason: "Another process keeps the ledger locked for writing. Nothing is granted.",
    event: "ledger.locked",
    remedy: "find the process that has ledger.db open and end it; only the broker may write to it",
  },
  unwritable: {
    reason: "The ledger cannot be written: its disk is read-only or fails, or permissions were changed.",
    event: "ledger.unwritable",
    remedy:
      "check the data folder's permissions, its mount options and the kernel's log. The broker tries again by itself",
  },
  unmarked: {
    reason: "The mark beside the ledger cannot be written, so a ledger that is rolled back would not be noticed.",
    event: "ledger.unwritable",
    remedy: "check the data folder's permissions and mount options. The broker tries again by itself",
  },
  full: {
    reason: "The disk of the ledger is full. Nothing is granted until there is room; revocations still work.",
    event: "ledger.full",
    remedy: "free space on the data folder's disk, at least 12 MiB, or inodes. The broker then goes on by itself",
  },
}
const MOST_SERIOUS_FIRST: readonly Trouble[] = [
  "gone",
  "damaged",
  "unflushed",
  "locked",
  "full",
  "unwritable",
  "unmarked",
]

/**
 * How long a full disk counts as full, in milliseconds. A quota can refuse writes while the disk shows free space; without
 * a pause, the state would change with every exchange.
 */
const FULL_FOR_MS = 2000

const FAILED = "the ledger's file cannot be read or written"

/** What the guard looks at. */
export interface Guarded {
  /** Whether the open files are still those in the data folder. */
  readonly areInPlace: () => boolean
  /** Keeps the reserve. Returns whether there is enough space to grant. */
  readonly keepReserve: () => boolean
  /** Deletes the reserve; false when there is none. */
  readonly freeReserve: () => boolean
}

/**
 * Knows whether the ledger's storage can be relied on. While it cannot, nothing is granted: a token whose use is not
 * recorded for good could be used again. The way back is tried nevertheless.
 */
export class LedgerGuard {
  readonly #guarded: Guarded
  readonly #log: Log
  readonly #troubles = new Map<Trouble, { readonly since: string; readonly at: number }>()

  constructor(guarded: Guarded, log: Log) {
    this.#guarded = guarded
    this.#log = log
  }

  /** Why nothing may be granted now; null when everything is in order. Looks at the ledger's files. */
  refusal(): BrokerError | null {
    this.#set("gone", !this.#guarded.areInPlace())
    const trouble = this.worst()
    return trouble ? unavailable(TROUBLES[trouble].reason) : null
  }

  /** Notes why the storage failed, and returns the error for the callers. */
  failed(cause: unknown): BrokerError {
    const fault = storageFaultOf(cause)
    if (fault) this.#set(fault, true)
    return unavailable(fault ? TROUBLES[fault].reason : FAILED, cause)
  }

  /** What was committed may not be on the disk: until the ledger is opened again. Returns the error for all callers. */
  notFlushed(cause: unknown): BrokerError {
    this.#set("unflushed", true)
    return unavailable(TROUBLES.unflushed.reason, cause)
  }

  /** Another process had the lock for longer than a call may wait. */
  stillLocked(): BrokerError {
    this.#set("locked", true)
    return unavailable(TROUBLES.locked.reason)
  }

  /**
   * After the way back failed with `cause`: frees the reserve, if that can help. A quota's limit arrives as an I/O error,
   * so such an error counts, too.
   */
  makeRoom(cause: unknown): boolean {
    const fault = storageFaultOf(cause)
    if (fault !== "full" && fault !== "unwritable") return false
    if (!this.#guarded.freeReserve()) return false
    this.#set("full", true)
    return true
  }

  /** This process has the lock. */
  unlocked(): void {
    this.#set("locked", false)
  }

  /** A commit is on the disk. */
  committed(): void {
    this.#set("unwritable", false)
  }

  /** The mark was written, or could not be. */
  marked(succeeded: boolean): void {
    this.#set("unmarked", !succeeded)
  }

  /**
   * Looks at the files and the space. Call it twice a second. Returns whether the ledger's folder is still this broker's:
   * files that are written into a folder that was replaced would be taken for another broker's.
   */
  look(): boolean {
    this.#set("gone", !this.#guarded.areInPlace())
    if (this.#troubles.has("gone")) return false
    try {
      const enough = this.#guarded.keepReserve()
      const full = this.#troubles.get("full")
      if (!enough || !full || performance.now() - full.at > FULL_FOR_MS) this.#set("full", !enough)
    } catch (error) {
      this.failed(error)
    }
    return true
  }

  /** Whether only a write can show that the storage works again. */
  get needsProbe(): boolean {
    return this.#troubles.has("unwritable") || this.#troubles.has("locked")
  }

  worst(): Trouble | null {
    if (this.#troubles.size === 0) return null
    return MOST_SERIOUS_FIRST.find((trouble) => this.#troubles.has(trouble)) ?? null
  }

  health(): Health {
    this.#set("gone", !this.#guarded.areInPlace())
    const trouble = this.worst()
    const since = trouble ? this.#troubles.get(trouble)?.since : undefined
    if (!trouble || since === undefined) return { state: "ok" }
    return { state: "unavailable", reason: TROUBLES[trouble].reason, since }
  }

  #set(trouble: Trouble, holds: boolean): void {
    const { event, reason, remedy } = TROUBLES[trouble]
    if (holds === this.#troubles.has(trouble)) return
    if (holds) {
      this.#troubles.set(trouble, { since: new Date().toISOString(), at: performance.now() })
      this.#log({ event, detail: `${reason} What to do: ${remedy}.` })
      return
    }
    this.#troubles.delete(trouble)
    const rest = this.worst()
    const now = rest ? `still: ${TROUBLES[rest].reason}` : "the broker grants again"
    this.#log({ event: "ledger.recovered", detail: `no longer so: ${reason} Now: ${now}` })
  }
}
