/**
 * A new lease's id: a UUID of version 7 (RFC 9562 section 5.7), with the time in milliseconds and 74 random bits.
 *
 * Ids that grow with time are neighbours in the ledger's tables, so a commit writes a few pages. Random ids would touch one
 * page each, which is a tenth of the ledger's cost. The id is not a secret: only the lease's own run can use the lease.
 *
 * A job can choose its lease's id. The broker does not compare the time in it with its clock: nothing reads that time. A job
 * that sends random ids, or ids of next year, slows down the pages of its own unit's ledger only.
 *
 * @param randomUuid of version 4, from which the random bits are taken
 */
export function newLeaseId(now: Date, randomUuid: string): string {
  const time = now.getTime().toString(16).padStart(12, "0")
  // The variant and the random bits are at the same positions in versions 4 and 7.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUuid.slice(15)}`
}

/** A lease's id in its only spelling. */
export const LEASE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
