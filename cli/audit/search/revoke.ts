import { setTimeout as sleep } from "node:timers/promises"
import * as z from "zod"
import { ActionError } from "../../../action/failure.ts"
import type { RecordSearch } from "../../../analysis/records/search.ts"
import { LEASES_PATH, type RevokeLeaseAnswer, type RevokeLeaseRequest } from "../../../broker/wire/leases.ts"
import type { CliIo } from "../../io.ts"
import type { OperatorClient } from "../../operate/client.ts"
import { stateOf } from "./print.ts"

/** What became of the leases that a search has found. */
export interface Revoked {
  /** Leases whose credentials the broker revokes from now on. */
  readonly revoking: number
  /** Exchanges that had no outcome yet after a minute. */
  readonly left: number
  /** Leases with credentials that cannot be revoked, and when the last of them expires (ISO 8601). */
  readonly expiring: { readonly leases: number; readonly until: string | null }
}

const answer: z.ZodType<RevokeLeaseAnswer> = z.object({
  lease: z.string(),
  revoking: z.boolean(),
  under_way: z.boolean(),
  expires_at: z.iso.datetime().nullable(),
})

/** An exchange that is under way has an outcome after 65 seconds. */
const ATTEMPTS = 8
const PAUSE_MS = 10_000

/** A lease whose time is over for longer has ended by itself, or the broker tries to end it. */
const CLOCKS_DIFFER_MS = 3_600_000

/**
 * Ends the leases that a search has found and that may be alive.
 *
 * @throws {ActionError}
 */
export async function revokeLeases(
  client: OperatorClient,
  { leases }: Pick<RecordSearch, "leases">,
  reason: string,
  io: CliIo,
): Promise<Revoked> {
  let [revoking, left] = [0, 0]
  const ends: string[] = []
  for (const lease of leases) {
    const now = io.now()
    if (stateOf(lease, now) === "ended" || Date.parse(lease.ends) + CLOCKS_DIFFER_MS < now.getTime()) continue
    const done = await revoked(client, lease.lease, reason)
    if (done.revoking) revoking += 1
    if (done.under_way) left += 1
    if (done.expires_at !== null) ends.push(done.expires_at)
  }
  return { revoking, left, expiring: { leases: ends.length, until: ends.sort().at(-1) ?? null } }
}

async function revoked(client: OperatorClient, lease: string, reason: string): Promise<RevokeLeaseAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const path = `${LEASES_PATH}/${lease}/revoke`
    const { body } = await client.call({ method: "POST", path, json: { reason } satisfies RevokeLeaseRequest })
    const read = readAnswer(body)
    if (!read.under_way || attempt === ATTEMPTS) return read
    await sleep(PAUSE_MS)
  }
}

function readAnswer(body: Buffer): RevokeLeaseAnswer {
  try {
    return answer.parse(JSON.parse(body.toString("utf8")))
  } catch {
    throw new ActionError("answer_unusable", "The broker's answer about a lease is not one of this version's.")
  }
}
