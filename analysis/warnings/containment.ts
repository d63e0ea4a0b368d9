import { describeCondition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, Organisation, Policy } from "../../broker/core/policy/model.ts"
import type { Witness } from "../regions/region.ts"
import { issuerWordsOf, policyWords } from "../scopes/subject-words.ts"
import type { Escapee } from "./escapee.ts"
import type { GrantStanding, Standings } from "./standings.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * How a grant stands to the organisation's ceiling, for all jobs that its policy admits: `proved` inside, `outside` for
 * some, `unproven`, or with `no boundary` over some, and outside for none.
 */
export type Inside = "proved" | "outside" | "unproven" | "no boundary"

export interface GrantContainment {
  readonly file: string
  readonly line: number
  readonly grant: string
  readonly inside: Inside
  /** Of a grant that is outside: the boundaries that refuse it, and a job that they refuse it to. */
  readonly boundaries?: readonly Pick<Boundary, "name" | "file" | "line">[]
  readonly witness?: Witness
}

/** Says of every grant how it stands to the ceiling, in the set's order. */
export function containmentOf({ set }: Pick<Subject, "set">, { grants }: Standings): readonly GrantContainment[] {
  const hasCeiling = set.organisation.boundaries.length > 0
  return grants.map((standing): GrantContainment => {
    const { file, line, name: grant } = standing.grant
    const [escapee] = gravestOf(standing.escapees)
    const head = { file, line, grant, inside: insideOf(standing, hasCeiling) }
    if (escapee === undefined) return head
    const boundaries = escapee.boundaries.map(({ name, file, line }) => ({ name, file, line }))
    return { ...head, boundaries, witness: escapee.claims }
  })
}

/** A grant that its policies admit nobody to is inside: there is nobody whom the ceiling could refuse it to. */
function insideOf({ escapees, isUnproven, tooComplex, isFree }: GrantStanding, hasCeiling: boolean): Inside {
  if (escapees.length > 0) return "outside"
  if (isUnproven || tooComplex !== null) return "unproven"
  return isFree || !hasCeiling ? "no boundary" : "proved"
}

/** Finds grants that can fall outside of the ceiling, and those of which it cannot be told. */
export function* ceilingWarnings({ set, sources }: Subject, { grants, tooComplex }: Standings): Generator<Warning> {
  const hasCeiling = set.organisation.boundaries.length > 0
  for (const standing of grants) {
    const { policy, grant, escapees, isReached } = standing
    const inside = insideOf(standing, hasCeiling)
    const at = () => sources.keyAt(policy.file, ["grants", grant.name])
    if (inside === "outside" && isReached) {
      // What a boundary requires besides, policies need not repeat: it is there so that they need not.
      const severity = escapees.every(({ why }) => why === "requirement") ? "notice" : "warning"
      const message = `Not everybody whom the policy admits is given ${grant.name}. ${ceilingOf(standing, set.organisation)}`
      yield warn(policy.file, at(), "ceiling_may_be_exceeded", message, severity)
    }
    if (inside === "unproven" && hasCeiling) {
      const why = standing.tooComplex ?? "several claims fill one text of it, or its provider makes another of it"
      const message = `It cannot be told whether ${grant.name} is inside the ceiling for every job that its policy admits: ${why}. What is outside is refused in any case. Write fewer gaps or rules, so that a review can tell.`
      yield warn(policy.file, at(), "ceiling_unproven", message)
    }
  }
  yield* withoutBoundary({ set, sources }, grants)
  for (const { policy, reason } of tooComplex) {
    const message = `What the rules for ${policyWords(policy, set.organisation)} give was not looked at, because ${reason}: grants that nobody reaches and allows that are always denied are not reported. Write fewer rules, or patterns with fewer stars.`
    yield warn(policy.file, sources.valueAt(policy.file, ["repository"]), "too_complex", message)
  }
}

/** Only where there are boundaries at all: elsewhere nobody expects one. */
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
    const which = isBelow ? `some repositories that ${named} matches` : named
    const message = `No boundary is over ${which}: what this policy gives has no ceiling there. Widen a boundary's "when", or add one that is about the whole owner.`
    yield warn(policy.file, sources.valueAt(policy.file, ["repository"]), "no_boundary", message)
  }
}

/** Why the ceiling refuses some, or all, and one of them. */
export function ceilingOf({ policy, escapees, isReached }: GrantStanding, organisation: Organisation): string {
  const gravest = gravestOf(escapees)
  const reasons = gravest
    .map((escapee) => reasonOf(escapee, isReached ? "to some of them" : "to any of them"))
    .join(" ")
  const [escapee] = gravest
  const issuer = issuerWordsOf(organisation)(policy.issuer)
  return escapee === undefined
    ? reasons
    : `${reasons} For example${issuer === null ? "" : `, a job of ${issuer}`}: ${shown(escapee.claims, policy, escapee.boundaries)}.`
}

/** What a boundary requires besides is said when that is all there is to say. */
function gravestOf(escapees: readonly Escapee[]): readonly Escapee[] {
  const grave = escapees.filter(({ why }) => why !== "requirement")
  return grave.length > 0 ? grave : escapees
}

function reasonOf({ why, boundaries, claims }: Escapee, toWhom: string): string {
  const named = namesOf(boundaries)
  switch (why) {
    case "not-allowed":
      return `No boundary allows it ${toWhom}; over the repository there is ${named}: narrow the policy, or widen a boundary.`
    case "requirement": {
      const lacking = boundaries.flatMap(({ require }) =>
        require.filter((one) => !matchCondition(one, "allow", claims)),
      )
      const required = lacking.map((one) => `${one.claim} ${describeCondition(one)}`)
      return `The ceiling also asks for ${required.join(", ")} (${named}): a job without gets nothing.`
    }
    case "lifetime":
      return `The most that ${named} lets it live is less than its provider mints: raise max_ttl.`
    case "no-environment":
      return `A protected environment is demanded (${named || "by a policy"}), and these jobs run in none: give the policy an environment.`
  }
}

function namesOf(boundaries: readonly Boundary[]): string {
  const shown = boundaries.slice(0, 3).map(({ name, file, line }) => `${JSON.stringify(name)} (${file}:${line})`)
  const more = boundaries.length > shown.length ? ` and ${boundaries.length - shown.length} more` : ""
  return `${shown.join(", ")}${more}`
}

const MAX_SHOWN_CLAIMS = 8

/** A job in a few words: whose it is, and what the rules and the boundaries ask of it. */
function shown(claims: Witness, { allow, deny }: Policy, boundaries: readonly Boundary[]): string {
  const asked = [...allow, ...deny].flatMap(({ conditions }) => conditions)
  const ceiling = boundaries.flatMap(({ when, require }) => [...require, ...when])
  const order = ["repository", "environment", ...[...ceiling, ...asked].map(({ claim }) => claim)]
  const told = [...new Set(order)].flatMap((claim) => {
    const value = claims[claim]
    if (value === undefined) return []
    return [`${claim}=${value.length > 60 ? `${value.slice(0, 59)}…` : value}`]
  })
  return told.slice(0, MAX_SHOWN_CLAIMS).join(", ")
}
