import * as z from "zod"
import { type AuditGrant, brokersDraft } from "../core/audit-record.ts"
import { BY_ID_ALONE, fingerprintsOf, isAwsKeyId } from "../core/leaked-value.ts"
import type { Secret } from "../core/secret.ts"
import type { Broker } from "../exchange/broker.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { Documents } from "../ports/documents.ts"
import type { FoundRecord } from "../ports/record-index.ts"
import { endLease, type LeaseDesk } from "./leases.ts"

export interface LeakDesk extends LeaseDesk {
  readonly broker: Pick<Broker, "ledgers" | "clock" | "policySource" | "metrics">
  readonly documents: Documents
}

/** A value that somebody found where it must not be. */
export interface Leak {
  readonly value: Secret<string>
  /** Where, in our own words, for the record. */
  readonly where: string
  readonly requestId: string
}

/** A lease that gave the value. */
interface Giver {
  readonly key: LedgerKey
  readonly lease: string
  /** Those of its grants that gave it. */
  readonly grants: readonly AuditGrant[]
  /** Whether the whole value was compared, and not only a public id in it. */
  readonly isSure: boolean
}

const PAGE = 500
/** Pages of one search. A value of one lease is found on the first. */
const MOST_PAGES = 20

/**
 * Ends the leases that gave a leaked value, each recorded before in the ledger of its unit. Only the value's hash, and an access
 * key id in it, are compared with the record. A value of no lease is counted and not recorded: else strangers could make the
 * record grow. The same leak again ends what is not ended yet, and records nothing.
 *
 * @returns how many leases gave it
 * @throws {BrokerError} `ledger_unavailable`: report it again
 */
export async function reportLeak(leak: Leak, desk: LeakDesk): Promise<number> {
  const givers = await giversOf(leak.value, desk)
  desk.broker.metrics.count("leak_reports", { outcome: givers.length > 0 ? "ours" : "unknown" })
  for (const giver of givers) await endLeaked(giver, leak, desk)
  return givers.length
}

async function giversOf(value: Secret<string>, { index }: LeakDesk): Promise<readonly Giver[]> {
  const givers = new Map<string, Giver>()
  for (const fingerprint of fingerprintsOf(value.reveal())) {
    let cursor: string | null = null
    for (let page = 0; page === 0 || (cursor !== null && page < MOST_PAGES); page += 1) {
      const { found, next } = await index.search({ fingerprint, limit: PAGE, ...(cursor === null ? {} : { cursor }) })
      for (const one of found) {
        const giver = giverIn(one, fingerprint)
        if (giver !== null && !givers.has(giver.lease)) givers.set(giver.lease, giver)
      }
      cursor = next
    }
  }
  return [...givers.values()]
}

function giverIn({ issuerUrl, unitId, record }: FoundRecord, fingerprint: string): Giver | null {
  if (record.lease === null) return null
  const has = (texts: Readonly<Record<string, string>> = {}) => Object.values(texts).includes(fingerprint)
  const grants = record.grants.filter(({ fingerprints, ids }) => has(fingerprints) || has(ids))
  return {
    key: { issuerUrl, unitId },
    lease: record.lease,
    grants: grants.map(named),
    isSure: !isAwsKeyId(fingerprint),
  }
}

/** Without what was minted: else the record of the leak were found as one that gave the value. */
const named = ({ name, connection, provider, resource, ttl_seconds }: AuditGrant): AuditGrant => ({
  ...{ name, connection, provider, resource, ttl_seconds },
})

async function endLeaked(giver: Giver, leak: Leak, desk: LeakDesk): Promise<void> {
  const { key, lease, grants, isSure } = giver
  const { requestId } = leak
  const where = isSure ? leak.where : `${leak.where}${BY_ID_ALONE}`
  const { broker, documents } = desk
  const at = broker.clock.now()
  const what = `${lease} ${where}`
  if (!(await reported(documents)).leaks.includes(what)) {
    const draft = brokersDraft("leak.reported", { at, requestId, lease, reason: where })
    await broker.ledgers.of(key.issuerUrl, key.unitId).append({ ...draft, grants })
    await note(what, documents)
  }
  await endLease(key, { lease, reason: `leaked: ${where}`, requestId }, desk)
}

/** The last leaks that were recorded, so that a delivery that comes again is not recorded again. */
const DOCUMENT = "leaks"
/** GitHub can deliver again for three days. So many known values do not leak in that time. */
const KEPT = 500
const ATTEMPTS = 10

const stored = z.strictObject({ v: z.literal(1), leaks: z.array(z.string()) })

async function note(leak: string, documents: Documents): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { version, leaks } = await reported(documents)
    const text = JSON.stringify({ v: 1, leaks: [...leaks, leak].slice(-KEPT) })
    if (await documents.replace(DOCUMENT, version, text)) return
  }
}

/** Another version's notes are none: at worst, a leak is recorded once more. */
async function reported(
  documents: Documents,
): Promise<{ readonly version: number; readonly leaks: readonly string[] }> {
  const { version, text } = await documents.read(DOCUMENT)
  try {
    return { version, leaks: text === null ? [] : stored.parse(JSON.parse(text)).leaks }
  } catch {
    return { version, leaks: [] }
  }
}
