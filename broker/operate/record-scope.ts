import type { OperatorScope } from "../core/operator-rights.ts"
import { partsOf } from "../core/operator-scope.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { RecordScope } from "../ports/record-index.ts"

/**
 * An operator's scope as the index knows it: with the URLs of issuers in place of their names. A name that the organisation file
 * does not list covers nothing.
 */
export function recordScopeOf({ owners, units, connections }: OperatorScope, { issuers }: Organisation): RecordScope {
  const placed = (entries: readonly string[]) =>
    entries.flatMap((entry) => {
      const { issuer, id } = partsOf(entry)
      const issuerUrl = issuers.get(issuer)?.url
      return issuerUrl === undefined ? [] : [{ issuerUrl, id }]
    })
  return {
    ...(owners && { owners: placed(owners).map(({ issuerUrl, id }) => ({ issuerUrl, ownerId: id })) }),
    ...(units && { units: placed(units).map(({ issuerUrl, id }) => ({ issuerUrl, unitId: id })) }),
    ...(connections && { connections }),
  }
}
