import type { ArchiveOrder } from "../../ports/ledger.ts"
import type { OpenLedger } from "./open-ledger.ts"
import type { StoredCut } from "./rows.ts"

const DAY_MS = 24 * 3_600_000
/**
 * What may leave in one day, as the time that its records span. A clock that is a year ahead makes every record look old: until
 * somebody sees it, no more leaves than this, counted from the oldest record.
 */
const SPAN_OF_A_DAY_MS = 30 * DAY_MS

/** Lets the oldest records leave, as `Ledger.archive` says. */
export function archive({ upTo, edge, before, now, audit }: ArchiveOrder, ledger: OpenLedger): boolean {
  const rows = ledger.archive
  const cut = rows.cut()
  const first = (cut?.seq ?? 0) + 1
  if (upTo < first || upTo >= ledger.seq) return false
  const { records, chain, earliestAt, latestAt } = rows.oldest(upTo)
  // A gap is a fault that an export must show. It is not hidden behind a new beginning.
  if (records !== upTo - first + 1 || chain === "" || !(latestAt < before)) return false
  const day = isOver(cut, now) ? { day: now, reach: earliestAt + SPAN_OF_A_DAY_MS } : { day: cut.day, reach: cut.reach }
  if (latestAt > day.reach) return false
  rows.begin({ seq: upTo, chain, edge, ...day })
  ledger.append({ ...audit, reason: `${audit.reason}: records ${first} to ${upTo}, chain ${chain}` })
  return true
}

/** A clock that was set back begins a new day, too: the old one may end in a year. */
const isOver = (cut: StoredCut | null, now: number): cut is null =>
  cut === null || now >= cut.day + DAY_MS || now < cut.day
