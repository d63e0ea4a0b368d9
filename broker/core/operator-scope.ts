import type { OperatorScope } from "./operator-rights.ts"
import type { Organisation } from "./policy/model.ts"

/** What an operator asks to see or to change: a unit, or what was granted to it. */
export interface ScopeTarget {
  readonly issuerUrl: string
  readonly ownerId: string
  readonly unitId: string
  /** The connections through which something was granted. Left out: a unit as a whole. */
  readonly connections?: readonly string[]
}

/**
 * Whether an operator's scope covers a target. Names of issuers mean the issuers of the organisation file in force; a name that
 * it does not list covers nothing. With a list of connections, a target is covered when all of its connections are listed, and
 * a target without one is not.
 */
export function covers(
  { owners, units, connections }: OperatorScope,
  { issuerUrl, ownerId, unitId, connections: through }: ScopeTarget,
  issuers: Organisation["issuers"],
): boolean {
  if (connections !== undefined) {
    if (through === undefined || through.length === 0) return false
    if (!through.every((name) => connections.includes(name))) return false
  }
  if (owners === undefined && units === undefined) return true
  const isAt = (entry: string, id: string) => {
    const end = entry.indexOf(":")
    return entry.slice(end + 1) === id && issuers.get(entry.slice(0, end))?.url === issuerUrl
  }
  return (
    (owners?.some((entry) => isAt(entry, ownerId)) ?? false) || (units?.some((entry) => isAt(entry, unitId)) ?? false)
  )
}

/** Whether a scope covers everything. */
export const isWhole = ({ owners, units, connections }: OperatorScope): boolean =>
  owners === undefined && units === undefined && connections === undefined
