import * as z from "zod"
import { BrokerError } from "../core/errors.ts"
import { parseWith } from "../core/parse-with.ts"
import { jsonOfUtf8 } from "../core/utf8.ts"
import type { Broker } from "../exchange/broker.ts"
import { handleContext } from "../exchange/lease.ts"
import type { Directory, LedgerKey } from "../ports/directory.ts"
import type { HandleChange, Ledger, OpenLease } from "../ports/ledger.ts"
import { sealedAnew } from "../signing/sealer.ts"
import type { HandlesPage } from "../wire/keys.ts"

/**
 * What one call looks at: a fraction of a second of work, at the edge too. Every ledger is asked, also one that the directory
 * believes to have no open lease: it may be behind, and a handle that was overlooked could not be opened any more.
 */
const LEDGERS_AT_ONCE = 50
const LEASES_AT_ONCE = 200

/** `ledger` and `lease`: inside the page of ledgers after `page`, the next is after this one. */
const cursorForm = z.strictObject({
  page: z.string().nullable(),
  ledger: z.tuple([z.string(), z.string()]).nullable(),
  lease: z.string(),
})
type Cursor = z.infer<typeof cursorForm>

const START: Cursor = { page: null, ledger: null, lease: "" }

type Parts = Pick<Broker, "ledgers" | "sealer" | "clock"> & { readonly directory: Directory }

/**
 * Looks at the revocation handles of open leases, page by page; with `reseal`, seals those anew that are under the previous
 * deployment key. Safe to repeat, and while jobs run: new handles are sealed under the current key anyway, and a lease that
 * ends meanwhile keeps no handle.
 *
 * @param after `next` of the page before
 * @throws {BrokerError} `request_malformed` for another cursor, `ledger_unavailable`
 */
export async function walkHandles(parts: Parts, after: string | null, reseal: boolean): Promise<HandlesPage> {
  const from = after === null ? START : readCursor(after)
  const { ledgers, next } = await parts.directory.list({
    limit: LEDGERS_AT_ONCE,
    ...(from.page === null ? {} : { after: from.page }),
  })
  const handles = { current: 0, previous: 0, other: 0 }
  const page = (resealed: number, seen: number, cursor: Cursor | null): HandlesPage => ({
    handles,
    resealed,
    ledgers: seen,
    next: cursor && writeCursor(cursor),
  })
  let resealed = 0
  let left = LEASES_AT_ONCE
  const begun =
    from.ledger === null
      ? 0
      : Math.max(
          0,
          ledgers.findIndex((entry) => isLedger(entry, from.ledger)),
        )
  for (const [index, entry] of ledgers.slice(begun).entries()) {
    const ledger = parts.ledgers.of(entry.issuerUrl, entry.unitId)
    let lease = index === 0 ? from.lease : ""
    for (;;) {
      const limit = Math.min(left, LEASES_AT_ONCE)
      const open = await ledger.openLeases(lease, limit)
      resealed += await lookAt(open, { ledger, key: entry, parts, reseal, handles })
      left -= open.length
      lease = open.at(-1)?.lease ?? lease
      if (left === 0)
        return page(resealed, index + 1, { page: from.page, ledger: [entry.issuerUrl, entry.unitId], lease })
      if (open.length < limit) break
    }
  }
  return page(resealed, ledgers.length - begun, next === null ? null : { page: next, ledger: null, lease: "" })
}

interface Look {
  readonly ledger: Ledger
  readonly key: LedgerKey
  readonly parts: Parts
  readonly reseal: boolean
  readonly handles: { current: number; previous: number; other: number }
}

/** Counts the handles of leases, and seals them anew where that is wanted. Returns how many were. */
async function lookAt(open: readonly OpenLease[], { ledger, key, parts, reseal, handles }: Look): Promise<number> {
  const changes: HandleChange[] = []
  for (const { lease, credentials } of open) {
    for (const { grant, sealedHandle } of credentials) {
      if (sealedHandle === null) continue
      const under = parts.sealer.sealedUnder(sealedHandle)
      const anew = reseal && under === "previous" ? await openable(sealedHandle, key, lease, grant, parts) : null
      if (anew === null) handles[under] += 1
      else changes.push({ lease, grant, before: sealedHandle, after: anew })
    }
  }
  if (changes.length > 0) await ledger.replaceHandles(changes, parts.clock.now().getTime())
  handles.current += changes.length
  return changes.length
}

/** Null for a damaged handle: it stays as it is, and the others must not wait for it. */
async function openable(sealed: string, key: LedgerKey, lease: string, grant: string, { sealer }: Parts) {
  return await sealedAnew(sealed, handleContext(key, lease, grant), sealer).catch(() => null)
}

const isLedger = (key: LedgerKey, named: Cursor["ledger"]) =>
  named !== null && key.issuerUrl === named[0] && key.unitId === named[1]

const writeCursor = (cursor: Cursor): string => JSON.stringify(cursor)

function readCursor(text: string): Cursor {
  const parsed = parseWith(cursorForm, jsonOfUtf8(new TextEncoder().encode(text)))
  if (parsed.success) return parsed.data
  throw new BrokerError("request_malformed", "after must be next of the page before.")
}
