import type { BoundaryTrace, GrantTrace, RuleTrace } from "../../broker/wire/trace.ts"

/** The rules that decided about a grant: every matching `allow` if it was given, every matching `deny` if it was refused. */
export function decidingRules(
  { name, outcome, rules }: GrantTrace,
  offered: ReadonlySet<string>,
): readonly RuleTrace[] {
  // No policy of the job defines the grant: the broker refuses it before it reads any rule.
  if (!offered.has(name)) return []
  return rules.filter(({ kind, matched }) => matched && kind === outcome)
}

/** Names of the rules and boundaries that decided about a grant. */
export function deciders(grant: GrantTrace, offered: ReadonlySet<string>): readonly string[] {
  const rules = decidingRules(grant, offered)
  return [...rules, ...decidingBoundaries(grant)].map(({ name }) => name)
}

/** The trace has boundaries only if the rules allow the grant. */
function decidingBoundaries({ outcome, boundaries = [] }: GrantTrace): readonly BoundaryTrace[] {
  if (outcome === "allow") return boundaries.filter(({ allows }) => allows)
  const noneAllows = !boundaries.some(({ allows }) => allows)
  return boundaries.filter(
    ({ required, environment }) => noneAllows || environment.length > 0 || required.some(({ matched }) => !matched),
  )
}
