import type { Log } from "../../ports/log.ts"
import { countCommit } from "../sqlite/store-row.ts"
import type { GroupCommit } from "./group-commit.ts"
import type { LedgerGuard } from "./ledger-guard.ts"
import type { LedgerLock } from "./ledger-lock.ts"
import { writeLedgerMark } from "./ledger-mark.ts"
import type { NodeSql } from "./sqlite.ts"
import { storageFaultOf } from "./storage-errors.ts"

/** So the mark is less than a second behind the ledger, in milliseconds. */
const LOOK_EVERY_MS = 500

export interface Watched {
  readonly folder: string
  readonly sql: NodeSql
  readonly generation: string
  readonly commits: GroupCommit
  readonly guard: LedgerGuard
  readonly lock: LedgerLock
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Looks after the files of a data folder: writes the mark, keeps the lock, and finds out when a fault is over. */
export class LedgerWatch {
  readonly #watched: Watched
  readonly #timer: NodeJS.Timeout
  #marked: number
  #probing = false

  /** `marked`: the commits that the mark names now. */
  constructor(watched: Watched, marked: number) {
    this.#watched = watched
    this.#marked = marked
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  look(): void {
    const { guard, lock, log, sql } = this.#watched
    if (guard.look()) {
      this.#mark()
      if (lock.keep()) {
        const detail = "ledger.lock was deleted while the broker ran; it was made again. Leave it where it is"
        log({ event: "ledger.lock_renewed", detail })
      }
    }
    if (!guard.needsProbe || this.#probing) return
    this.#probing = true
    const probed = () => {
      this.#probing = false
    }
    this.#watched.commits.transact(() => countCommit(sql), "back").then(probed, probed)
  }

  /** Writes the last mark. Call it after the last commit. */
  close(): void {
    clearInterval(this.#timer)
    if (this.#watched.guard.look()) this.#mark()
  }

  #mark(): void {
    const { folder, generation, commits, guard, now } = this.#watched
    const count = commits.commits
    if (count === this.#marked) return
    try {
      writeLedgerMark(folder, { generation, commits: count, time: now() })
      this.#marked = count
      guard.marked(true)
    } catch (error) {
      if (storageFaultOf(error) === "full") guard.failed(error)
      else guard.marked(false)
    }
  }
}
