import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import { quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { compilePattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import { escaping } from "../regions/atoms.ts"
import { isNamed } from "../regions/cautions.ts"
import { languageOfPattern } from "../regions/language.ts"
import { meet } from "../scopes/claim-values.ts"
import { type Clause, clausesOf } from "./clauses.ts"
import { familiesOf } from "./families-of.ts"
import { cannotHold, factFor } from "./never-sent.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds conditions on a ref that no job fulfils together with a value of another claim: a tag of a scheduled run. */
export function* contradictingConditions({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    for (const { claim, values, refs, isDead } of contradictionsIn(set, clause)) {
      const at = sources.keyAt(clause.file, [...clause.path, claim])
      const what = values.map(quote).join(" or ")
      const whole = isDead ? `${clause.whose} matches no job` : `${clause.whose} is not changed by ${what}`
      const message = `A job whose ${claim} is ${what} has a ref like ${refs.map(quote).join(" or ")}, and the condition on ref asks for another: ${whole}. Write such a ref, or a rule of its own for ${what}.`
      yield warn(clause.file, at, "conditions_contradict", message)
    }
  }
}

/** The rules that match no job, because of a value that no token has or of two conditions that no job fulfils together. */
export function deadRules(set: PolicySet): ReadonlySet<Rule> {
  const dead = new Set<Rule>()
  for (const clause of clausesOf(set)) {
    const { policy, part, path, conditions } = clause
    if (policy === undefined || (part !== "allow" && part !== "deny")) continue
    const isDead =
      conditions.some((condition) => {
        const fact = factFor(set, clause, condition.claim)
        // A deny refuses where a claim is missing, so one that some tokens lack is not without effect.
        return fact !== undefined && (part === "allow" || fact.sent === "always") && cannotHold(condition, fact)
      }) || contradictionsIn(set, clause).some((one) => one.isDead)
    const rule = policy[part][Number(path[1])]
    if (isDead && rule !== undefined) dead.add(rule)
  }
  return dead
}

interface Contradiction {
  readonly claim: string
  /** Values that the conditions admit and that never come with such a ref. */
  readonly values: readonly string[]
  /** Patterns of the refs that they come with. */
  readonly refs: readonly string[]
  /** No other value is admitted. */
  readonly isDead: boolean
}

function contradictionsIn(set: PolicySet, clause: Clause): readonly Contradiction[] {
  // The claim whose values depend on those of others. A boundary about several families has none.
  const [family, ...others] = familiesOf(set, clause)
  const refClaim = others.length === 0 ? family?.roles.ref : undefined
  if (family === undefined || refClaim === undefined) return []
  const onRef = clause.conditions.filter(({ claim, test }) => claim === refClaim && test.kind !== "present")
  const fact = factFor(set, clause, refClaim)
  // `value_never_sent` reports a condition that no ref fulfils.
  if (onRef.length === 0 || fact === undefined || onRef.some((one) => cannotHold(one, fact))) return []
  const claims = new Set(clause.conditions.map(({ claim }) => claim))
  return [...claims].flatMap((claim): Contradiction[] => {
    const known = factFor(set, clause, claim)?.values
    if (known === undefined || ![...known.values()].some(({ refs }) => refs)) return []
    const admitted = [...known].filter(([value]) => admits(clause, family, claim, value))
    const refused = admitted.filter(([, { refs }]) => refs && !onRef.every((one) => reaches(one, refs)))
    const isDead = refused.length === admitted.length
    // A wildcard that admits a value besides others does not mean that value.
    const told = isDead ? refused : refused.filter(([value]) => isWritten(clause, claim, value))
    if (told.length === 0) return []
    const refs = [...new Set(told.flatMap(([, fact]) => fact.refs ?? []))]
    return [{ claim, values: told.map(([value]) => value).slice(0, MAX_SHOWN), refs, isDead }]
  })
}

const MAX_SHOWN = 3

function admits({ part, conditions }: Clause, family: FamilyFacts, claim: string, value: string): boolean {
  const claims = { [claim]: value }
  const style = part === "deny" ? "deny" : "allow"
  const own = conditions.filter((condition) => condition.claim === claim)
  if (!own.every((condition) => matchCondition(condition, style, claims))) return false
  return part !== "allow" || isNamed(conditions, family, claim, value)
}

const isWritten = ({ conditions }: Clause, claim: string, value: string): boolean =>
  conditions.some(
    (one) =>
      one.claim === claim && one.test.kind === "any" && one.test.patterns.some(({ literal }) => literal === value),
  )

/** Whether some ref of these patterns fulfils a condition on the ref. */
function reaches({ test }: Condition, refs: readonly string[]): boolean {
  if (test.kind === "present") return true
  const shapes = refs.map(patternOf)
  if (test.kind === "any") return test.patterns.some((pattern) => shapes.some((shape) => meet(pattern, shape)))
  return shapes.some((shape) => {
    const left = escaping(languageOfPattern(shape), test.patterns.map(languageOfPattern))
    return !left.ok || left.value !== null
  })
}

function patternOf(source: string): Pattern {
  const pattern = compilePattern(source)
  if (!pattern.ok) throw new TypeError(pattern.fault)
  return pattern.value
}
