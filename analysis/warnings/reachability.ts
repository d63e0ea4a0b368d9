import { UNITS } from "../../broker/core/families/units.ts"
import type { Organisation, Rule } from "../../broker/core/policy/model.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import { ceilingOf } from "./containment.ts"
import type { AllowStanding, GrantStanding, Standings } from "./standings.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds grants that no job can get, and says why. */
export function* unreachableGrants({ set, sources }: Subject, { grants }: Standings): Generator<Warning> {
  for (const standing of grants) {
    const { policy, grant, isReached, tooComplex } = standing
    if (isReached || tooComplex !== null || !set.organisation.issuers.has(policy.issuer)) continue
    const at = sources.keyAt(policy.file, ["grants", grant.name])
    yield warn(
      policy.file,
      at,
      "grant_unreachable",
      `No job can get ${grant.name}: ${reason(standing, set.organisation)}`,
    )
  }
}

function reason(standing: GrantStanding, organisation: Organisation): string {
  const { isNamed, isMatched, isAdmitted, grant, policy } = standing
  const { one } = UNITS[familyOf(organisation.issuers.get(policy.issuer)).unit]
  if (!isNamed) return "no allow names it. Add it to an allow, or remove the grant."
  if (!isMatched) {
    return `no job meets all conditions of an allow that names it. The conditions contradict each other or the file's ${one} or environment, or they require a value that no token has. Correct the conditions, or remove the grant.`
  }
  if (isAdmitted)
    return `it is outside the ceiling for every job that its policy admits. ${ceilingOf(standing, organisation)}`
  if (grant.template !== undefined) {
    return "for every job that an allow matches, a deny refuses the grant, or one of its gaps cannot be filled. A gap takes only letters, digits and _ . - characters. Correct the gap or the rules."
  }
  return "for every job that an allow matches, a deny refuses the grant, or another policy defines it too. Narrow the deny, or remove the grant."
}

/** Finds allows that have no effect because denies refuse every job that they match. */
export function* allowsAlwaysDenied({ sources }: Subject, { allows }: Standings): Generator<Warning> {
  const byRule = new Map<Rule, AllowStanding[]>()
  for (const standing of allows) {
    const list = byRule.get(standing.rule)
    if (list) list.push(standing)
    else byRule.set(standing.rule, [standing])
  }
  for (const [rule, standings] of byRule) {
    const denied = standings.filter(({ isMatching, isDenied }) => isMatching && isDenied)
    const [first] = denied
    if (first === undefined) continue
    const { policy } = first
    const denies = [...new Set(denied.flatMap((standing) => [...standing.denies]))]
    const which = denied.length === standings.length ? "" : denied.map(({ grant }) => grant).join(", ")
    const message = `The allow ${JSON.stringify(rule.name)} gives ${which || "nothing"} to ${which ? "no" : "any"} job: ${namesOf(denies)} every job that it matches. Narrow the deny, or remove ${which ? "the grant from the allow" : "the allow"}.`
    yield warn(
      policy.file,
      sources.valueAt(policy.file, ["allow", policy.allow.indexOf(rule)]),
      "allow_always_denied",
      message,
    )
  }
}

function namesOf(denies: readonly Rule[]): string {
  const shown = denies.slice(0, 3).map(({ name, file, line }) => `${JSON.stringify(name)} (${file}:${line})`)
  const more = denies.length > shown.length ? ` and ${denies.length - shown.length} more` : ""
  const [one = ""] = shown
  return denies.length === 1 ? `the deny ${one} refuses` : `the denies ${shown.join(", ")}${more} together refuse`
}
