import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { LEDGER_FILE } from "./ledger-files.ts"

const flushFile = promisify(fdatasync)

/** Puts the ledger's write-ahead log on the disk. */
export interface LogFlush {
  /** Resolves when all that was committed before the call is on the disk. Rejects when the disk refuses. */
  flush(): Promise<void>
  close(): void
}

/** A flush that takes longer is a slow disk's, in milliseconds. */
const SLOW_MS = 1
/** How many flushes another thread does before the disk is tried again. */
const AWAY = 50

/**
 * Flushes the write-ahead log of the ledger in `folder`, in place of SQLite. The log exists once the ledger was written.
 *
 * A fast disk flushes on the spot: in libuv's pool, a flush of 0.3 ms waits for the signatures before it. A slow disk flushes in
 * the pool: it would stop the main thread, measured with grants of GitHub for 44 % of its time.
 *
 * SQLite keeps its locks on the other two files of a ledger, so that closing this descriptor drops none (POSIX, fcntl).
 */
export function openLogFlush(folder: string): LogFlush {
  // Windows flushes only what is open for writing.
  const file = openSync(join(folder, `${LEDGER_FILE}-wal`), "r+")
  let away = 0
  return {
    async flush() {
      if (away > 0) {
        away -= 1
        await flushFile(file)
        return
      }
      const begunAt = performance.now()
      fdatasyncSync(file)
      if (performance.now() - begunAt > SLOW_MS) away = AWAY
    },
    close: () => closeSync(file),
  }
}
