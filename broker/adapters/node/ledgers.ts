import { BrokerError } from "../../core/errors.ts"
import type { Health } from "../../ports/health.ts"
import type { Log } from "../../ports/log.ts"
import type { NodeStore } from "../../ports/node-store.ts"
import type { Reading, Transact } from "../../ports/sql.ts"
import { DOUBT_SHOWN_MS, refusedBefore } from "../ledger/doubt.ts"
import { RecordedLedger } from "../ledger/recorded-ledger.ts"
import { SqlDocuments } from "../sqlite/documents.ts"
import { SqlKeyRing } from "../sqlite/key-ring.ts"
import { SqlMarks } from "../sqlite/marks.ts"
import { dueLedgers, headsAfter, makeDueThatAreAhead, overdueLeases } from "../sqlite/sqlite-rows.ts"
import { SqliteStore } from "../sqlite/sqlite-store.ts"
import { latestTime } from "../sqlite/store-row.ts"
import { GroupCommit } from "./group-commit.ts"
import { LedgerFiles } from "./ledger-files.ts"
import { LedgerGuard } from "./ledger-guard.ts"
import { LedgerLock } from "./ledger-lock.ts"
import { type OpenedLedger, openLedger } from "./ledger-opening.ts"
import { LedgerReserve } from "./ledger-reserve.ts"
import { LedgerWatch } from "./ledger-watch.ts"
import { openLogFlush } from "./log-flush.ts"
import { OperateFile } from "./operate-file.ts"
import { createOperateStore } from "./operate-store.ts"
import { sha256 } from "./sha256.ts"
import { folderInUse } from "./sqlite.ts"
import { type StorageFault, storageFaultOf } from "./storage-errors.ts"

const REMEDIES: Readonly<Record<StorageFault, string>> = {
  full: "Its disk is full: free at least 12 MiB, and start again",
  unwritable: "Check that the broker's user may write to this folder, and that its disk is not mounted read-only",
  damaged: "Move the damaged file away, and start again",
}

export interface NodeStoreOptions {
  readonly log?: Log
  /** Unix milliseconds. */
  readonly now?: () => number
}

/**
 * Opens the store in `folder`. Creates the folder when it does not exist.
 *
 * @throws {BrokerError} `ledger_unavailable` when the folder cannot be used, its ledger is damaged, or another broker is using it
 */
export function openNodeStore(folder: string, options: NodeStoreOptions = {}): NodeStore {
  const { log = () => {}, now = Date.now } = options
  const reserve = new LedgerReserve(folder)
  try {
    return openOver(folder, reserve, log, now)
  } catch (cause) {
    // On a full disk even opening fails. Leases that must end are a reason to start all the same, and what the reserve is for.
    const fault = storageFaultOf(cause)
    if ((fault === "full" || fault === "unwritable") && reserve.free()) return openNodeStore(folder, options)
    if (cause instanceof BrokerError) throw cause
    const remedy = fault ? `. ${REMEDIES[fault]}` : ""
    throw new BrokerError(
      "ledger_unavailable",
      `the ledger in ${folder} cannot be opened: ${reasonOf(cause)}${remedy}`,
      {
        cause,
      },
    )
  }
}

function openOver(folder: string, reserve: LedgerReserve, log: Log, now: () => number): NodeStore {
  const lock = new LedgerLock(folder)
  let opened: OpenedLedger | undefined
  try {
    opened = openLedger(folder, now())
    return storeOver({ folder, opened, lock, reserve, log, now })
  } catch (cause) {
    if (opened?.sql.database.isOpen) opened.sql.database.close()
    lock.close()
    throw cause
  }
}

interface Parts {
  readonly folder: string
  readonly opened: OpenedLedger
  readonly lock: LedgerLock
  readonly reserve: LedgerReserve
  readonly log: Log
  readonly now: () => number
}

function storeOver({ folder, opened, lock, reserve, log, now }: Parts): NodeStore {
  const { sql, store, doubt } = opened
  const files = new LedgerFiles(folder)
  const guard = new LedgerGuard(
    { areInPlace: () => files.areInPlace(), keepReserve: () => reserve.keep(), freeReserve: () => reserve.free() },
    log,
  )
  const logFlush = openLogFlush(folder)
  const commits = new GroupCommit(sql, guard, logFlush, store.commits)
  if (!commits.hold()) {
    logFlush.close()
    throw folderInUse(folder)
  }
  if (doubt) log({ event: doubt.event, detail: `${doubt.reason} ${refusedBefore(store.acceptFrom)}` })
  guard.look()
  const { generation } = store
  const watch = new LedgerWatch({ folder, sql, generation, commits, guard, lock, log, now }, store.commits)

  let closed: Promise<void> | undefined
  /** Unix milliseconds. While it is ahead of the clock, ledgers may be, too. */
  let latest = latestTime(sql)

  // Keys and due leases are read to end credentials, too: a vendor's login needs a signed token. A full disk must not keep a
  // document from being changed: a stop is one.
  const back: Transact = (work) => commits.transact(work, "back")
  // Reads in this turn of the event loop, between two commits.
  const reading: Reading = async (work) => {
    try {
      return work()
    } catch (cause) {
      throw guard.failed(cause)
    }
  }
  const stored = new SqliteStore({ sql, transact: commits.transact, reading, sha256 })
  const ledgerOf = (issuerUrl: string, unitId: string) => new RecordedLedger(stored, { issuerUrl, unitId })
  const ledgers = { of: ledgerOf }
  const operateFile = new OperateFile(folder, log)
  return {
    ledgers,
    operate: createOperateStore({
      file: operateFile,
      ledgers,
      headsAfter: (row) => reading(() => headsAfter(sql, row)),
    }),
    keyRing: new SqlKeyRing(sql, back),
    marks: new SqlMarks(sql, commits.transact, reading),
    documents: new SqlDocuments(sql, back, reading),
    health: {
      part: "ledger",
      look: async () => worse(guard.health(), doubtful(opened, now())),
    },
    latestTime: () => reading(() => latestTime(sql)),
    due: async (at, limit) => {
      const heal = () => makeDueThatAreAhead(sql, at)
      // If they cannot be written now, the next look tries again.
      const isHealed = at >= latest || (await back(heal).then(yes, no))
      if (isHealed) latest = at
      const keys = await reading(() => dueLedgers(sql, at, limit))
      return keys.map((key) => ({ ...key, ledger: ledgerOf(key.issuerUrl, key.unitId) }))
    },
    overdue: (at) => reading(() => overdueLeases(sql, at)),
    close: () => {
      operateFile.close()
      closed ??= commits.close().then(() => {
        watch.close()
        // Closing copies the log into the ledger. After a flush that failed, the log may not be what was written; the next start
        // reads it with its checksums.
        if (!commits.isBroken) sql.database.close()
        logFlush.close()
        lock.close()
      })
      return closed
    },
  }
}

/** An operator must look: what was granted in the missing time is not in the ledger, and is not revoked. */
function doubtful({ doubt, openedAt, store }: OpenedLedger, now: number): Health {
  if (!doubt || now >= store.acceptFrom * 1000 + DOUBT_SHOWN_MS) return { state: "ok" }
  const reason = `${doubt.reason} ${refusedBefore(store.acceptFrom)}`
  return { state: "degraded", reason, since: new Date(openedAt).toISOString() }
}

const yes = () => true
const no = () => false

const worse = (one: Health, other: Health): Health => (one.state === "ok" ? other : one)

/** The message of SQLite or the file system. It is only shown at the start, to the operator. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error"
}
