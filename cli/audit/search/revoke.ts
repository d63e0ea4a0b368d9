import type { RecordSearch } from "../../../analysis/records/search.ts"
import { LEASES_NAMED } from "../../../broker/wire/stops.ts"
import type { CliIo } from "../../io.ts"
import type { OperatorClient } from "../../operate/client.ts"
import { type Ended, endLeases } from "../../operate/end-leases.ts"
import { stateOf } from "./print.ts"

export type Revoked = Ended

/**
 * Ends the leases that a search has found and that may be alive, unit by unit, and waits until what can be revoked is revoked.
 *
 * @throws {ActionError}
 */
export async function revokeLeases(
  client: OperatorClient,
  { leases }: RecordSearch,
  reason: string,
  io: CliIo,
): Promise<Revoked> {
  const units = new Map<string, string[]>()
  for (const lease of leases) {
    if (stateOf(lease, io.now()) === "ended") continue
    const unit = `${lease.issuer}:${lease.unit_id}`
    units.set(unit, [...(units.get(unit) ?? []), lease.lease])
  }
  let all: Revoked = { ended: 0, left: 0, expiring: { leases: 0, until: null } }
  for (const [name, own] of units) {
    for (let from = 0; from < own.length; from += LEASES_NAMED) {
      const wanted = {
        target: { on: "unit", name } as const,
        leases: own.slice(from, from + LEASES_NAMED),
        reason,
        since: io.now().toISOString(),
        // No stop is waited for: these leases exist.
        isForced: Promise.resolve(),
      }
      all = joined(all, await endLeases(client, wanted, io))
    }
  }
  return all
}

function joined(one: Revoked, other: Revoked): Revoked {
  const [until = null] = [one.expiring.until, other.expiring.until]
    .filter((at) => at !== null)
    .sort()
    .reverse()
  const leases = one.expiring.leases + other.expiring.leases
  return { ended: one.ended + other.ended, left: one.left + other.left, expiring: { leases, until } }
}
