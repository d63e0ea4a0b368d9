/** How long a lease may be overdue before an operator must know, in milliseconds: many times longer than a sweep takes. */
const LATE_MS = 5 * 60_000

/**
 * What an operator must know of overdue leases; null while a sweep keeps up.
 *
 * @param since Unix milliseconds: when the oldest became due; null when there is none
 */
export function lateness(
  { leases, since }: { readonly leases: number; readonly since: number | null },
  now: number,
): string | null {
  if (since === null || now < since + LATE_MS) return null
  return `${leases} leases are over and not ended yet, the oldest since ${Math.floor((now - since) / 60_000)} minutes`
}
