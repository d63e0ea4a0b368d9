import { BrokerError } from "../../core/errors.ts"

/** Why the storage fails, as far as an operator can act on it. */
export type StorageFault = "full" | "unwritable" | "damaged"

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5
const FAULTS_OF_SQLITE = new Map<number, StorageFault>([
  [8, "unwritable"], // SQLITE_READONLY
  [10, "unwritable"], // SQLITE_IOERR
  [11, "damaged"], // SQLITE_CORRUPT
  [13, "full"], // SQLITE_FULL
  [14, "unwritable"], // SQLITE_CANTOPEN
  [26, "damaged"], // SQLITE_NOTADB
])
const FULL_DISK: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"])

/** The fault behind an error of `node:sqlite` or `node:fs`; null for every other error. */
export function storageFaultOf(error: unknown): StorageFault | null {
  const code = sqliteCodeOf(error)
  if (code !== null) return FAULTS_OF_SQLITE.get(code) ?? null
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return null
  return FULL_DISK.has(error.code) ? "full" : "unwritable"
}

/** Whether another connection holds a lock. */
export const isBusy = (error: unknown): boolean => sqliteCodeOf(error) === SQLITE_BUSY

/** The primary code. The upper bytes of `errcode` only tell where it happened. */
function sqliteCodeOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return null
  return error.errcode & 0xff
}

/** The storage's refusal of a call. The sentence is for callers: it names no file and repeats no message of SQLite. */
export const unavailable = (detail: string, cause?: unknown): BrokerError =>
  new BrokerError("ledger_unavailable", detail, { cause, retryAfterSeconds: 5 })
