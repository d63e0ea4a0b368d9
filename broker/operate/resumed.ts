import * as z from "zod"
import { ROW_MS } from "../core/alarms.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { Documents } from "../ports/documents.ts"

/** Units that an operator has resumed: what happened before must not stop them again. */
const DOCUMENT = "resumed"
/**
 * Longer than what an alarm counts, than a follower was down, and than a restored copy of its places is old: it then reads
 * once more what has rung before.
 */
const KEPT_MS = 90 * 24 * ROW_MS
const ATTEMPTS = 10

const stored = z.strictObject({
  v: z.literal(1),
  units: z.array(z.strictObject({ issuer: z.string(), id: z.string(), at: z.iso.datetime() })),
})

/** When an operator resumed this unit last, in Unix milliseconds; 0 when that is long ago. @throws {BrokerError} `ledger_unavailable` */
export async function resumedAt({ issuerUrl, unitId }: LedgerKey, documents: Pick<Documents, "read">): Promise<number> {
  const { units } = await read(documents)
  const found = units.find(({ issuer, id }) => issuer === issuerUrl && id === unitId)
  return found === undefined ? 0 : Date.parse(found.at)
}

/** Notes that a unit is about to be resumed. @throws {BrokerError} `ledger_unavailable` */
export async function noteResumed({ issuerUrl, unitId }: LedgerKey, now: Date, documents: Documents): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { version, units } = await read(documents)
    const others = units.filter(
      ({ issuer, id, at }) => now.getTime() - Date.parse(at) < KEPT_MS && !(issuer === issuerUrl && id === unitId),
    )
    const text = JSON.stringify({ v: 1, units: [...others, { issuer: issuerUrl, id: unitId, at: now.toISOString() }] })
    if (await documents.replace(DOCUMENT, version, text)) return
  }
}

/** Another version's notes are none: at worst, an alarm rings once more. */
async function read(documents: Pick<Documents, "read">) {
  const { version, text } = await documents.read(DOCUMENT)
  const none = { version, units: [] }
  if (text === null) return none
  try {
    return { version, units: stored.parse(JSON.parse(text)).units }
  } catch {
    return none
  }
}
