/**
 * A new lease's id: a UUID of version 7 (RFC 9562 section 5.7), the time in milliseconds and 74 random bits behind it.
 *
 * Ids that grow with time land beside each other in the ledger's tables: a commit writes a few pages where random ids touch
 * one each, a tenth of what the ledger costs. Nothing rests on an id being a secret: a lease answers to its own run alone.
 */
export function newLeaseId(now: Date): string {
  const time = now.getTime().toString(16).padStart(12, "0")
  const random = crypto.randomUUID()
  // What follows the version's digit in a version 4 id, variant included, is where version 7 has it.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`
}

/** A lease's id in its one spelling. */
export const LEASE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
