import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { Witness } from "../regions/region.ts"
import type { AxisMemo } from "../regions/space.ts"
import { candidatesOf } from "../regions/witnesses.ts"
import { scopesOf } from "../scopes/scope.ts"
import { spaceFor } from "../scopes/scope-space.ts"
import { reachesOf } from "./reach.ts"

/** Usually enough to find a job if there is one, without searching thousands of units. */
const MAX_SCOPES = 100

/** A job that gets a grant of the set and passes a test; null if none is found in the first scopes. */
export function findJob(
  set: PolicySet,
  memo: AxisMemo,
  issuer: string | null,
  holds: (witness: Witness, grant: string, issuer: string, connection: string) => boolean,
): Witness | null {
  let looked = 0
  for (const scope of scopesOf(set)) {
    if (issuer !== null && scope.issuer.name !== issuer) continue
    if (looked++ === MAX_SCOPES) return null
    const part = { scope, organisation: set.organisation }
    const space = spaceFor([part], memo)
    if (!space.ok) continue
    for (const name of new Set(scope.policies.flatMap(({ grants }) => [...grants.keys()]))) {
      const reaches = reachesOf(part, name, space.value)
      if (!reaches.ok) continue
      for (const { inside, grant } of reaches.value) {
        const [first] = candidatesOf(inside)
        if (first && holds(first, name, scope.issuer.name, grant.connection.name)) return first
      }
    }
  }
  return null
}
