import type { Organisation, Rule } from "../../broker/core/policy/model.ts"
import { ceilingOf } from "./containment.ts"
import type { AllowStanding, GrantStanding, Standings } from "./standings.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds grants that nobody can get, and says why. */
export function* unreachableGrants({ set, sources }: Subject, { grants }: Standings): Generator<Warning> {
  for (const standing of grants) {
    const { policy, grant, isReached, tooComplex } = standing
    if (isReached || tooComplex !== null || !set.organisation.issuers.has(policy.issuer)) continue
    const at = sources.keyAt(policy.file, ["grants", grant.name])
    yield warn(
      policy.file,
      at,
      "grant_unreachable",
      `Nobody can get ${grant.name}: ${reason(standing, set.organisation)}`,
    )
  }
}

function reason(standing: GrantStanding, organisation: Organisation): string {
  const { isNamed, isMatched, isAdmitted, grant } = standing
  if (!isNamed) return "no allow names it. Name it in one, or remove it."
  if (!isMatched) {
    return "no job fulfils all conditions of an allow that names it. They contradict each other or what the file is for, or ask for what no token has."
  }
  if (isAdmitted)
    return `it is outside of the ceiling for every job that its policy admits. ${ceilingOf(standing, organisation)}`
  if (grant.template !== undefined) {
    return "for every job that an allow matches, a deny refuses it, or a gap of its cannot be filled: only letters, digits and _ . - can be. Mend the gap, or the rules."
  }
  return "whomever an allow matches, a deny refuses, or another policy defines the grant too. Narrow the deny, or remove the grant."
}

/** Finds allows that denies always cover: they read as if they gave something. */
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
    const which = denied.length === standings.length ? "" : ` ${denied.map(({ grant }) => grant).join(", ")}`
    const message = `The allow ${JSON.stringify(rule.name)} gives nobody${which || " anything"}: whomever it matches, ${namesOf(denies)}. Narrow the deny, or remove ${which ? "the grant from the allow" : "the allow"}.`
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
