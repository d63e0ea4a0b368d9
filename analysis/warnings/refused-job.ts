import { decide } from "../../broker/core/policy/decide.ts"
import type { Boundary, Organisation, PolicySet } from "../../broker/core/policy/model.ts"
import type { CeilingRefusal } from "../reach/reach.ts"
import { jobOf, PROTECTIONS, WELL_APPROVED } from "../reach/sample-job.ts"
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
  const { organisation } = set
  const unbounded = { ...organisation, boundaries: [] }
  for (const box of boxes.slice(0, MAX_WITNESSES)) {
    const claims = witness({ space, boxes: [box] })
    const identity = claims === null ? null : jobOf(claims, issuer, set)
    if (identity === null) continue
    const policies = set.policiesOf(identity)
    const isAllowed = (by: Organisation) =>
      WELL_PROTECTED.some(
        (protection) =>
          decide({ organisation: by, policies, identity, grants: [grant], protection, approvals: WELL_APPROVED })
            .outcome === "allow",
      )
    if (isAllowed(unbounded) && !isAllowed(organisation)) return claims
  }
  return null
}
