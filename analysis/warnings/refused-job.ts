import type { Boundary, PolicySet } from "../../broker/core/policy/model.ts"
import type { CeilingRefusal } from "../reach/reach.ts"
import { decideSample, PROTECTIONS } from "../reach/sample-job.ts"
import { type Region, type Witness, witness } from "../regions/region.ts"

/** An example of a job that the policies admit and the ceiling refuses. */
export interface RefusedJob {
  readonly why: CeilingRefusal["why"]
  readonly boundaries: readonly Boundary[]
  readonly claims: Witness
}

const MAX_WITNESSES = 8

/** The best protected environments. If a job fails in these, no better protection can help it. */
const WELL_PROTECTED = PROTECTIONS.slice(0, 2)

/**
 * A job of a region that the policies admit to a grant and the ceiling refuses, confirmed by the broker's own decision
 * code. Null when that code confirms none of the jobs tried: a warning must never claim a refusal that does not happen.
 */
export function confirmedJob(set: PolicySet, issuer: string, grant: string, { space, boxes }: Region): Witness | null {
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
