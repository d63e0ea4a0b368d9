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
    const named = partsOf(entry)
    return named.id === id && issuers.get(named.issuer)?.url === issuerUrl
  }
  return (
    (owners?.some((entry) => isAt(entry, ownerId)) ?? false) || (units?.some((entry) => isAt(entry, unitId)) ?? false)
  )
}

/** The parts of `ISSUER:ID`: an issuer's name has no colon, and an id may have some. Without a colon, the issuer is empty. */
export function partsOf(text: string): { readonly issuer: string; readonly id: string } {
  const end = text.indexOf(":")
  return { issuer: text.slice(0, Math.max(end, 0)), id: text.slice(end + 1) }
}

/** Whether a scope covers everything. */
export const isWhole = ({ owners, units, connections }: OperatorScope): boolean =>
  owners === undefined && units === undefined && connections === undefined
