import type { Boundary, PolicySet } from "../../broker/core/policy/model.ts"
import type { Escape } from "../reach/reach.ts"
import { decideSample, PROTECTIONS } from "../reach/sample-job.ts"
import { type Region, type Witness, witness } from "../regions/region.ts"

/** Somebody whom the policies admit, and the ceiling refuses. */
export interface Escapee {
  readonly why: Escape["why"]
  readonly boundaries: readonly Boundary[]
  readonly claims: Witness
}

const MAX_WITNESSES = 8

/** What the best protected environments there are look like: what they do not help, no protection does. */
const WELL_PROTECTED = PROTECTIONS.slice(0, 2)

/**
 * An identity of a region that policies admit to a grant and the ceiling refuses, by the word of the very code that
 * decides: null when it agrees for none of those that were tried, so that nothing is said of the ceiling that is not so.
 */
export function confirmed(set: PolicySet, issuer: string, grant: string, { space, boxes }: Region): Witness | null {
  const unbounded: PolicySet = { ...set, organisation: { ...set.organisation, boundaries: [] } }
  const isAllowed = (by: PolicySet, claims: Witness) =>
    WELL_PROTECTED.some(
      (protection) => decideSample(by, { witness: claims, issuer, grant, protection })?.outcome === "allow",
    )
  for (const box of boxes.slice(0, MAX_WITNESSES)) {
    const claims = witness({ space, boxes: [box] })
    if (claims !== null && isAllowed(unbounded, claims) && !isAllowed(set, claims)) return claims
  }
  return null
}
