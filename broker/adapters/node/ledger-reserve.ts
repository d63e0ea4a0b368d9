import { randomBytes } from "node:crypto"
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"

export const RESERVE_FILE = "ledger.reserve"
const MIB = 1024 * 1024

/**
 * The size of the reserve. Measured: freed on a disk without a free byte, it carried more than 3,800 revocations, each in
 * its own commits.
 */
const RESERVE_BYTES = 8 * MIB

/** Below this much free space, nothing is granted: one write-ahead log must fit beside the reserve. */
const LEAST_FREE_BYTES = 4 * MIB

/**
 * Space on the ledger's disk that only the way back may use: a file that is deleted when a revocation finds the disk full.
 * Without it, a job that fills the disk could keep other jobs' credentials alive.
 */
export class LedgerReserve {
  readonly #folder: string
  readonly #path: string
  #held: boolean

  constructor(folder: string) {
    this.#folder = folder
    this.#path = join(folder, RESERVE_FILE)
    this.#held = this.#isWhole()
  }

  /**
   * Makes the reserve when it is missing and there is room for it. Returns whether there is enough space to grant: the
   * reserve, and some more.
   */
  keep(): boolean {
    this.#held = this.#isWhole()
    if (!this.#hasFree(this.#held ? LEAST_FREE_BYTES : LEAST_FREE_BYTES + RESERVE_BYTES)) return false
    if (!this.#held) this.#make()
    return this.#held
  }

  /** Deletes the reserve. Returns false when there is none, or it cannot be deleted. */
  free(): boolean {
    if (!this.#held) return false
    this.#held = false
    try {
      rmSync(this.#path)
      return true
    } catch {
      return false
    }
  }

  /** Written, and not only sized: a sparse file reserves nothing. Random, because some file systems compress. */
  #make(): void {
    const file = openSync(this.#path, "w", 0o600)
    try {
      let left = RESERVE_BYTES
      while (left > 0) left -= writeSync(file, randomBytes(Math.min(left, MIB)))
      fsyncSync(file)
      this.#held = this.#isWhole()
    } catch {
      this.#held = false
    } finally {
      closeSync(file)
    }
    // A part of a reserve would only take room away.
    if (!this.#held) rmSync(this.#path, { force: true })
  }

  #isWhole(): boolean {
    try {
      return statSync(this.#path, { throwIfNoEntry: false })?.size === RESERVE_BYTES
    } catch {
      return false
    }
  }

  /** A file system that counts its inodes is full as well when none is left: the mark's new file needs one. */
  #hasFree(bytes: number): boolean {
    const { bavail, bsize, files, ffree } = statfsSync(this.#folder)
    return bavail * bsize >= bytes && (files === 0 || ffree > 0)
  }
}
