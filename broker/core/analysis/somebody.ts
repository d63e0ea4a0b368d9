import type { PolicySet } from "../policy/model.ts"
import { GITHUB_CLAIMS } from "./github-claims.ts"
import { reachesOf } from "./reach.ts"
import type { Witness } from "./region.ts"
import { candidatesOf } from "./region-witnesses.ts"
import { scopesOf } from "./scope.ts"
import { spaceFor } from "./scope-space.ts"
import type { AxisMemo } from "./space.ts"

/** Enough to find somebody, if there is anybody, without looking at thousands of repositories. */
const MAX_SCOPES = 100

/** Somebody who gets some grant of a set, of whom something holds. */
export function someone(
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
    const space = spaceFor([part], GITHUB_CLAIMS, memo)
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
