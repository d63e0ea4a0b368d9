import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { ConditionTrace, GrantTrace, RuleTrace, Trace } from "../../broker/wire/trace.ts"
import type { ChangePlace } from "../diff/model.ts"
import type { Replayed } from "./replay.ts"

/** What decides, in one sentence, and where it stands. */
export interface Cause {
  readonly says: string
  /** Null when no line says it: an issuer that is not listed, a grant that does not exist. */
  readonly place: ChangePlace | null
}

/** The line by which a set gives a grant: the rule that matched. */
export function whyAllowed(trace: Trace, grant: string, set: ChangePlace["set"]): Cause {
  const rule = grantOf(trace, grant)?.rules.find(({ kind, matched }) => kind === "allow" && matched)
  return rule === undefined
    ? { says: "a rule allows it", place: null }
    : { says: `${JSON.stringify(rule.name)} allows it`, place: placeOf(rule, set) }
}

/**
 * The line of `next` by which it refuses a grant that `old` gave: a deny, a boundary, a limit of the environment, or the condition of the
 * rule that gave it before. Where `next` has no such rule any more, it is the line of the old one.
 */
export function whyRefused(old: Trace, next: Replayed, grant: string, set: PolicySet): Cause {
  if (next.outcome !== "deny") return { says: "", place: null }
  if (next.trace === null) return { says: "the organisation file does not list the issuer", place: null }
  if (next.why === "unbound")
    return { says: "it needs a token that is bound to a key of the job", place: defined(set, grant, next.trace) }
  const traced = grantOf(next.trace, grant)
  const denies = traced?.rules.find(({ kind, matched }) => kind === "deny" && matched)
  if (denies) return { says: `${JSON.stringify(denies.name)} denies it`, place: placeOf(denies, "new") }
  const allows = traced?.rules.filter(({ kind }) => kind === "allow") ?? []
  if (traced && allows.some(({ matched }) => matched)) return byCeiling(traced, set, next.trace)
  const before = grantOf(old, grant)?.rules.find(({ kind, matched }) => kind === "allow" && matched)
  const same = allows.find(({ name, file }) => name === before?.name && file === before.file) ?? nearestOf(allows)
  if (same) {
    const misses = same.conditions.filter(({ matched }) => !matched).map(missOf)
    return { says: `${JSON.stringify(same.name)} does not match: ${misses.join("; ")}`, place: placeOf(same, "new") }
  }
  return { says: "no rule allows it any more", place: before === undefined ? null : placeOf(before, "old") }
}

function byCeiling(traced: GrantTrace, set: PolicySet, trace: Trace): Cause {
  const { boundaries = [], reason } = traced
  const demanding = boundaries.find(({ required }) => required.some(({ matched }) => !matched))
  const closest = demanding ?? boundaries.find(({ matched, allows }) => matched && !allows) ?? boundaries[0]
  if (closest === undefined || boundaries.some(({ allows }) => allows) !== (demanding !== undefined)) {
    return { says: reason, place: defined(set, traced.name, trace) }
  }
  return { says: reason, place: placeOf(closest, "new") }
}

/** The line of the grant. */
function defined(set: PolicySet, grant: string, { policies }: Trace): ChangePlace | null {
  const found = set.policies.find(({ file, grants }) => policies.includes(file) && grants.has(grant))?.grants.get(grant)
  return found === undefined ? null : placeOf(found, "new")
}

const grantOf = ({ grants }: Trace, name: string) => grants.find((grant) => grant.name === name)

const placeOf = ({ file, line }: { readonly file: string; readonly line: number }, set: ChangePlace["set"]) => ({
  set,
  file,
  line,
})

/** The rule with the fewest conditions that do not match. */
function nearestOf(rules: readonly RuleTrace[]): RuleTrace | undefined {
  const misses = ({ conditions }: RuleTrace) => conditions.filter(({ matched }) => !matched).length
  return rules.toSorted((a, b) => misses(a) - misses(b))[0]
}

const missOf = ({ claim, expected, actual }: ConditionTrace) =>
  `${claim} must be ${expected}, and was ${actual ?? "missing"}`
