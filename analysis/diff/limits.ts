import type { LimitEntry, PolicySet } from "../../broker/core/policy/model.ts"
import { meaningOfCondition, meaningOfTarget, sorted, stable } from "../scopes/meaning.ts"

/**
 * Whether two sets differ in what repositories may use up: in `limits`, or in the `max_open_leases` of a grant. A limit is no
 * permission, so a difference counts neither as more nor as less.
 */
export const limitsDiffer = (old: PolicySet, next: PolicySet): boolean => meaningOfLimits(old) !== meaningOfLimits(next)

function meaningOfLimits({ organisation, policies }: PolicySet): string {
  const ofGrants = policies.flatMap(({ issuer, target, environment, grants }) =>
    [...grants.values()].flatMap(({ name, maxOpenLeases }) =>
      maxOpenLeases === undefined ? [] : stable([issuer, meaningOfTarget(target), environment, name, maxOpenLeases]),
    ),
  )
  return stable([sorted(organisation.limits.map(meaningOfEntry)), sorted(ofGrants)])
}

const meaningOfEntry = ({ when, max }: LimitEntry): string => stable([sorted(when.map(meaningOfCondition)), max])
