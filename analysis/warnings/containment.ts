import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { UNITS, type UnitKind } from "../../broker/core/families/units.ts"
import { describeCondition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, Organisation, Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { variablesIn } from "../reach/variables.ts"
import type { Witness } from "../regions/region.ts"
import { issuerWordsOf, policyWords } from "../scopes/subject-words.ts"
import { claimsOf, claimText } from "../scopes/token.ts"
import { familyOf, nameClaim } from "../scopes/unit-claims.ts"
import type { RefusedJob } from "./refused-job.ts"
import type { GrantStanding, Standings } from "./standings.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Whether a grant is inside the organisation's ceiling, over all jobs that its policy admits. `proved`: inside for all.
 * `outside`: the ceiling refuses some. `unproven`: the analysis cannot decide. `no boundary`: no boundary covers some of
 * the jobs, and the ceiling refuses none.
 */
export type Inside = "proved" | "outside" | "unproven" | "no boundary"

export interface GrantContainment {
  readonly file: string
  readonly line: number
  readonly grant: string
  readonly inside: Inside
  /** Present when the grant reads a store: what it sets in a job, or a pattern where only the store knows. */
  readonly variables?: readonly string[]
  /** Only for `outside`: the boundaries that refuse the grant, and a job that they refuse it to. */
  readonly boundaries?: readonly Pick<Boundary, "name" | "file" | "line">[]
  readonly witness?: Witness
}

/** Whether each grant is inside the ceiling, in the set's order. */
export function containmentOf(
  { set, providers }: Pick<Subject, "set" | "providers">,
  { grants }: Standings,
): readonly GrantContainment[] {
  const hasCeiling = set.organisation.boundaries.length > 0
  return grants.map((standing): GrantContainment => {
    const { file, line, name: grant } = standing.grant
    const [refused] = gravestOf(standing.refusedJobs)
    const variables = variablesIn(standing.grant, providers)
    const inside = insideOf(standing, hasCeiling)
    const head = { file, line, grant, inside, ...(variables.length === 0 ? {} : { variables }) }
    if (refused === undefined) return head
    const boundaries = refused.boundaries.map(({ name, file, line }) => ({ name, file, line }))
    return { ...head, boundaries, witness: refused.claims }
  })
}

/** A grant whose policies admit no job is inside: the ceiling has no job to refuse. */
function insideOf({ refusedJobs, isUnproven, tooComplex, isFree }: GrantStanding, hasCeiling: boolean): Inside {
  if (refusedJobs.length > 0) return "outside"
  if (isUnproven || tooComplex !== null) return "unproven"
  return isFree || !hasCeiling ? "no boundary" : "proved"
}

/** Finds grants that the ceiling refuses to some jobs, and grants for which the analysis cannot decide. */
export function* ceilingWarnings({ set, sources }: Subject, { grants, tooComplex }: Standings): Generator<Warning> {
  const hasCeiling = set.organisation.boundaries.length > 0
  for (const standing of grants) {
    const { policy, grant, refusedJobs, isReached } = standing
    const inside = insideOf(standing, hasCeiling)
    const at = () => sources.keyAt(policy.file, ["grants", grant.name])
    if (inside === "outside" && isReached) {
      // A boundary's `require` exists so that policies need not repeat it.
      const severity = refusedJobs.every(({ why }) => why === "requirement") ? "notice" : "warning"
      const message = `The ceiling refuses ${grant.name} to some jobs that the policy admits. ${ceilingOf(standing, set.organisation)}`
      yield warn(policy.file, at(), "ceiling_may_be_exceeded", message, severity)
    }
    if (inside === "unproven" && hasCeiling) {
      const why = standing.tooComplex ?? "several claims fill one of its fields, or its provider rewrites the field"
      const message = `The analysis cannot decide whether ${grant.name} is inside the ceiling for every job that its policy admits: ${why}. The broker refuses what is outside in any case. Write fewer gaps or rules, so that a reviewer can decide it.`
      yield warn(policy.file, at(), "ceiling_unproven", message)
    }
  }
  yield* withoutBoundary({ set, sources }, grants)
  for (const { policy, reason } of tooComplex) {
    const message = `The rules for ${policyWords(policy, set.organisation)} were not analysed, because ${reason}. Unreachable grants and allows that are always denied are not reported there. Write fewer rules, or patterns with fewer stars.`
    yield warn(policy.file, sources.valueAt(policy.file, [kindOf(set, policy)]), "too_complex", message)
  }
}

const kindOf = ({ organisation }: PolicySet, { issuer }: Policy): UnitKind =>
  familyOf(organisation.issuers.get(issuer)).unit

/** Reports only if the organisation has boundaries: without any, a missing one is no surprise. */
function* withoutBoundary(
  { set, sources }: Pick<Subject, "set" | "sources">,
  grants: readonly GrantStanding[],
): Generator<Warning> {
  if (set.organisation.boundaries.length === 0) return
  const said = new Set<string>()
  for (const { policy, isFree, isBelow } of grants) {
    if (!isFree || said.has(policy.file)) continue
    said.add(policy.file)
    const named = policyWords(policy, set.organisation)
    const which = isBelow ? `some ${UNITS[kindOf(set, policy)].many} that ${named} matches` : named
    const message = `No boundary covers ${which}, so the grants of this policy have no ceiling there. Widen the "when" of a boundary, or add a boundary for the whole owner.`
    yield warn(policy.file, sources.valueAt(policy.file, [kindOf(set, policy)]), "no_boundary", message)
  }
}

/** Why the ceiling refuses some of the jobs, or all, with one job as an example. */
export function ceilingOf({ policy, refusedJobs, isReached }: GrantStanding, organisation: Organisation): string {
  const gravest = gravestOf(refusedJobs)
  const family = familyOf(organisation.issuers.get(policy.issuer))
  const reasons = gravest
    .map((refused) => reasonOf(refused, isReached ? "to these jobs" : "to any of these jobs", family))
    .join(" ")
  const [refused] = gravest
  const issuer = issuerWordsOf(organisation)(policy.issuer)
  return refused === undefined
    ? reasons
    : `${reasons} For example${issuer === null ? "" : `, a job of ${issuer}`}: ${shown(refused.claims, policy, refused.boundaries, family)}.`
}

/** Leaves out what a boundary requires, unless there is no other reason. */
function gravestOf(refusedJobs: readonly RefusedJob[]): readonly RefusedJob[] {
  const grave = refusedJobs.filter(({ why }) => why !== "requirement")
  return grave.length > 0 ? grave : refusedJobs
}

function reasonOf({ why, boundaries, claims }: RefusedJob, toWhom: string, family: FamilyFacts): string {
  const named = namesOf(boundaries)
  switch (why) {
    case "not-allowed":
      return `No boundary allows it ${toWhom}. The ${UNITS[family.unit].one} is covered by ${named}. Narrow the policy, or widen a boundary.`
    case "requirement": {
      const lacking = boundaries.flatMap(({ require }) =>
        require.filter((one) => !matchCondition(one, "allow", claimsOf(claims, family))),
      )
      const required = lacking.map((one) => `${one.claim} ${describeCondition(one)}`)
      return `The ceiling also requires ${required.join(", ")} (${named}): the broker refuses a job that lacks this.`
    }
    case "lifetime":
      return `The max_ttl of ${named} is shorter than the shortest lifetime that its provider mints. Raise max_ttl.`
    case "no-environment":
      return `A protected environment is required (${named ? `by ${named}` : "by a policy"}), and these jobs run in no environment. Give the policy an environment.`
  }
}

function namesOf(boundaries: readonly Boundary[]): string {
  const shown = boundaries.slice(0, 3).map(({ name, file, line }) => `${JSON.stringify(name)} (${file}:${line})`)
  const more = boundaries.length > shown.length ? ` and ${boundaries.length - shown.length} more` : ""
  return `${shown.join(", ")}${more}`
}

const MAX_SHOWN_CLAIMS = 8

/** A job in a few words: its unit and environment, and the claims that the rules and boundaries test. */
function shown(claims: Witness, { allow, deny }: Policy, boundaries: readonly Boundary[], family: FamilyFacts): string {
  const asked = [...allow, ...deny].flatMap(({ conditions }) => conditions)
  const ceiling = boundaries.flatMap(({ when, require }) => [...require, ...when])
  const { environment } = family.roles
  const order = [
    nameClaim(family),
    ...(environment === undefined ? [] : [environment]),
    ...[...ceiling, ...asked].map(({ claim }) => claim),
  ]
  const told = [...new Set(order)].flatMap((claim) => {
    const text = claims[claim]
    if (text === undefined) return []
    const value = claimText(claim, text, family)
    return [`${claim}=${value.length > 60 ? `${value.slice(0, 59)}…` : value}`]
  })
  return told.slice(0, MAX_SHOWN_CLAIMS).join(", ")
}
