import type { BoundaryTrace, ConditionTrace, RuleTrace } from "../../wire/trace.ts"
import { formatDuration } from "../duration.ts"
import { isCautionClaim } from "../families/cautions.ts"
import type { FamilyFacts } from "../families/family-facts.ts"
import { UNITS } from "../families/units.ts"
import type { Identity } from "../identity.ts"
import { nearest, quote } from "./faults.ts"
import type { Grant, Organisation, Policy } from "./model.ts"
import { PEOPLE_KEY } from "./schema-units.ts"

/** The most names that one sentence lists or searches for a similar one. */
const MAX_LISTED = 30

/** A job, and the policies that speak of its unit. */
interface JobInPolicies {
  readonly identity: Identity
  /** Of the identity's issuer. */
  readonly family: FamilyFacts
  readonly ofUnit: readonly Policy[]
  readonly organisation: Organisation
}

/** Why a grant is denied: what decided, and what to change for a different decision. One sentence each. */
export type Denial = readonly [reason: string, change: string]

/** The sentences of a trace. */
export const reasons = {
  stranger: ({ owner, ownerId, issuer }: Identity): Denial => [
    `The owner ${owner} (id ${ownerId}) is not listed in the organisation file.`,
    `To trust it, list it under the owners of issuer ${issuer}.`,
  ],

  /** Names the issuer where the organisation lists several: each can have a unit of the same name and id. */
  noPolicy: ({ identity, family, ofUnit, organisation }: JobInPolicies): Denial => {
    const { environment, unit, unitKind, unitId } = identity
    const key = environment === undefined ? "no environment" : `environment: ${environment}`
    const [of, issuer] =
      organisation.issuers.size > 1 ? [` of issuer ${identity.issuer}`, `issuer: ${identity.issuer}, `] : ["", ""]
    const add = `add a policy with ${issuer}${UNITS[unitKind].idKey ?? unitKind}: ${quote(unitId)} and ${key}.`
    if (ofUnit.length === 0) {
      const { idKey, one, renewed } = UNITS[unitKind]
      if (renewed === undefined) return [`No policy${of} covers ${unit}.`, `A${add.slice(1)}`]
      const reason = `No policy${of} covers the ${one} ${unit} with the ${idKey} ${quote(unitId)}. A policy for its name alone does not count.`
      return [reason, `A${add.slice(1)} ${renewed}, its ${idKey} is new: correct it in the policy that it had.`]
    }
    const job = `This job runs in ${environment === undefined ? "no environment" : `environment ${environment}`}`
    const covered = [...new Set(ofUnit.map((policy) => policy.environment))].sort()
    const named = covered.filter((name) => name !== undefined)
    const listed = named.slice(0, MAX_LISTED).join(", ")
    const reason = `${job}, and the policies of ${unit} are only for ${[
      ...(named.length === 0 ? [] : [`environment ${listed}${named.length > MAX_LISTED ? ", ..." : ""}`]),
      ...(named.length === covered.length ? [] : ["jobs without an environment"]),
    ].join(", and for ")}.`
    const meant = (environment === undefined ? null : nearest(environment, named)) ?? named[0]
    const { environmentKey, roles } = family
    if (environmentKey === undefined) {
      const another = meant === undefined ? "in no environment" : `whose ${roles.environment} is ${meant}`
      return [reason, `Run a job ${another}, or ${add}`]
    }
    if (meant === undefined) return [reason, `Remove \`${environmentKey}\` from the job, or ${add}`]
    if (environment === undefined) return [reason, `Add \`${environmentKey}: ${meant}\` to the job, or ${add}`]
    const letters = environment.toLowerCase() === meant.toLowerCase() ? ", in exactly these letters" : ""
    return [reason, `Write \`${environmentKey}: ${meant}\` in the job${letters}, or ${add}`]
  },

  noSuchGrant: (name: string, applying: readonly Policy[]): Denial => {
    const known = [...new Set(applying.flatMap((policy) => [...policy.grants.keys()]))].sort()
    // Bounded, because a job can ask for 32 names that do not exist, as often as it wants.
    const listed = known.slice(0, MAX_LISTED)
    const more = known.length - listed.length
    const offered = `${listed.join(", ") || "nothing"}${more > 0 ? ` and ${more} more` : ""}`
    const meant = nearest(name, listed)
    return [
      `The policies for this job define no grant ${quote(name)}.`,
      meant === null
        ? `Request one that they define: ${offered}.`
        : `Request ${quote(meant)}, if that is the one you mean.`,
    ]
  },

  closedToPeople: ({ connection }: Grant): Denial => [
    `The connection ${connection.name} is closed to people.`,
    "Ask the maintainers of the organisation file to add `people: true` to it, if people may use it.",
  ],

  definedTwice: (one: Grant, other: Grant): Denial => [
    `The grant ${quote(one.name)} is defined twice for this job (${one.file}:${one.line} and ${other.file}:${other.line}), and neither has priority.`,
    "Rename one of the two.",
  ],

  unfillable: ({ name, file, line }: Grant, fault: string): Denial => [
    `The grant ${quote(name)} (${file}:${line}) cannot be filled in for this job: ${fault}.`,
    "Run a job whose claims fit the grant, or change the grant.",
  ],

  outside: (
    { name, connection }: Grant,
    boundaries: readonly BoundaryTrace[],
    { unitKind }: Pick<Identity, "unitKind">,
  ): Denial => {
    const unfulfilled = boundaries.find(({ required }) => required.some(({ matched }) => !matched))
    if (unfulfilled) {
      const misses = unfulfilled.required.filter(({ matched }) => !matched)
      const reason = `The organisation's boundary ${boundaryOf(unfulfilled)} requires more of this job: ${misses.map(missOf).join("; ")}.`
      return [reason, `${anotherOne(unitKind)} whose ${misses.map(demandOf).join(" and ")}, or ${ASK_OWNERS}`]
    }
    const matched = boundaries.filter((one) => one.matched)
    if (unitKind === "person" && boundaries.every(({ conditions }) => conditions.some(isPeopleKey))) {
      return [
        "The organisation has boundaries over this person, and none of them is for people.",
        "Ask the maintainers of the organisation file for a boundary with `people: true`.",
      ]
    }
    const [closest] = matched.filter(({ fields }) => fields.length > 0)
    if (closest) {
      const fields = closest.fields.map(({ field, expected, actual }) => {
        return `${field} must be ${expected}, but ${actual === null ? "the grant does not set it" : `is ${actual}`}`
      })
      const reason = `The grant ${quote(name)} is outside the organisation's boundary ${boundaryOf(closest)}: ${fields.join("; ")}.`
      return [reason, `Change the grant, or ${ASK_OWNERS}`]
    }
    if (matched.length > 0) {
      const names = matched.map(boundaryOf).join(", ")
      const reason = `No boundary allows this job to use the connection ${connection.name}; the boundaries that match the job are ${names}.`
      return [reason, "Ask the maintainers of the organisation file to allow it."]
    }
    const [first] = boundaries
    const misses = (first?.conditions ?? []).filter((condition) => !condition.matched)
    const why = first === undefined ? "" : `: for ${boundaryOf(first)}, ${misses.map(missOf).join("; ")}`
    const job = misses.length === 0 ? "another job" : `a job whose ${misses.map(demandOf).join(" and ")}`
    return [
      `This ${UNITS[unitKind].one} has boundaries, but none of them matches this job${why}.`,
      `Run ${job}, or ${ASK_OWNERS}`,
    ]
  },

  unprotected: (
    { identity: { environment }, family }: Pick<JobInPolicies, "identity" | "family">,
    unmet: readonly string[],
    boundaries: readonly BoundaryTrace[],
  ): Denial => {
    const todo = [...new Set([...unmet, ...boundaries.flatMap(({ environment }) => environment)])]
    // Some of these are whole sentences, from the environment's host.
    const demands = todo.map((text) => text.replace(/\.$/, "")).join("; ")
    const { protection, environmentKey, title } = family
    const leaveOut = `Ask the maintainers of the organisation file to leave jobs of ${title} out of the boundary.`
    if (environment === undefined) {
      const add = `Add \`${environmentKey}\` with the name of a protected environment to the job.`
      return ["This job runs in no environment, and it needs a protected one.", protection ? add : leaveOut]
    }
    const change = `Change the environment ${protection?.where}, then run the job again.`
    return [`The environment ${environment} must be protected: ${demands}.`, protection ? change : leaveOut]
  },

  unapproved: ({ name, file, line, breakGlass }: Grant, missing: string): Denial => {
    const { approvals = 1, reasonRequired = false } = breakGlass ?? {}
    const who = approvals === 1 ? "somebody" : `${approvals} people`
    const how = reasonRequired ? ", with a comment that says why" : ""
    return [
      `The grant ${quote(name)} (${file}:${line}) has break_glass, so ${who} who did not start the run must approve it${how}: ${missing}.`,
      `Start a new run, and let ${who} else approve it${how}.`,
    ]
  },

  denied: (rule: RuleTrace): Denial => [
    `The deny rule ${quote(rule.name)} (${rule.file}:${rule.line}) matches${becauseOf(rule)}.`,
    "Run a job that the rule does not match, or change the rule.",
  ],

  notAllowed: (name: string, allows: readonly RuleTrace[], { unitKind }: Pick<Identity, "unitKind">): Denial => {
    const [closest, ...others] = [...allows].sort((a, b) => missesOf(a).length - missesOf(b).length)
    if (closest === undefined)
      return [`No allow rule names ${name}.`, "Add it to the grants of the rule that should allow it."]
    const more =
      others.length === 0
        ? ""
        : ` (${others.length} more ${others.length === 1 ? "rule does" : "rules do"} not match either)`
    const misses = missesOf(closest)
    const run = `${anotherOne(unitKind)} whose ${misses.map(demandOf).join(" and ")}, or change the rule.`
    return [
      `The allow rule ${quote(closest.name)} (${closest.file}:${closest.line}) does not match: ${misses.map(missOf).join("; ")}${more}.`,
      nameIt(misses.find(isUnnamed)) ?? run,
    ]
  },

  tooShort: (grant: Grant): Denial => [
    `${grant.connection.provider} mints credentials for at least ${formatDuration(grant.minTtlSeconds)}.`,
    "Ask for a longer ttl, or leave the ttl out.",
  ],

  limitTooShort: (
    { connection, minTtlSeconds }: Grant,
    { maxTtlSeconds }: { readonly maxTtlSeconds: number },
  ): Denial => [
    `${connection.provider} mints credentials for at least ${formatDuration(minTtlSeconds)}, but the organisation's boundaries allow this job at most ${formatDuration(maxTtlSeconds)}.`,
    "Raise max_ttl in the boundary.",
  ],

  allowed: (rule: RuleTrace) =>
    `The allow rule ${quote(rule.name)} (${rule.file}:${rule.line}) matches, and no deny rule does.`,

  renamed: ({ unit, unitKind }: Identity, written: string) =>
    `The policies call this ${UNITS[unitKind].one} ${written}, and its token calls it ${unit}. The id decides; update the name in the policies.`,
}

const anotherOne = (kind: Identity["unitKind"]) => (kind === "person" ? "Sign in as a person" : "Run a job")

const ASK_OWNERS = "ask the maintainers of the organisation file to change the boundary."

const boundaryOf = ({ name, file, line }: BoundaryTrace) => `${quote(name)} (${file}:${line})`

function missesOf(rule: RuleTrace): readonly ConditionTrace[] {
  return rule.conditions.filter(({ matched }) => !matched)
}

function missOf({ claim, expected, actual }: ConditionTrace): string {
  return `${claim} must be ${expected}, but ${actual === null ? "the token has no such claim" : `is ${actual === "" ? '""' : actual}`}`
}

/** The rule's own conditions match, but its event is one that a rule must name: see `evaluateRule`. */
const isUnnamed = ({ expected, actual, matched }: ConditionTrace) => !matched && expected.startsWith(`${actual}, `)

function nameIt(unnamed: ConditionTrace | undefined): string | null {
  if (unnamed === undefined) return null
  const { claim } = unnamed
  if (claim === "event_name") return "Name the event in the rule's event_name, or run the job for another event."
  if (isCautionClaim(claim)) return `Write ${claim}: true in the rule's "when", if it is meant for such jobs.`
  return `Name the value in the rule's ${claim}, if it is meant for such jobs.`
}

const isPeopleKey = ({ claim, matched }: ConditionTrace) => claim === PEOPLE_KEY && !matched

/** What the job would have to be: `ref is refs/heads/main`. */
const demandOf = ({ claim, expected }: ConditionTrace) => `${claim} is ${expected}`

/** Why a deny matches. A missing claim is explained: readers do not expect that. */
function becauseOf({ conditions }: RuleTrace): string {
  const missing = conditions.filter(({ actual, expected }) => actual === null && expected !== "missing")
  if (missing.length > 0)
    return `, because a missing claim never helps (${missing.map(({ claim }) => claim).join(", ")})`
  const said = conditions.filter(({ actual }) => actual !== null).map(({ claim, actual }) => `${claim} is ${actual}`)
  return said.length === 0 ? "" : `, because ${said.join(" and ")}`
}
