import type { ClaimFact } from "../../broker/core/families/claim-fact.ts"
import { claimFact } from "../../broker/core/families/families.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { canHave, formWords, nearestValue } from "../scopes/claim-values.ts"
import { type Clause, clausesOf, patternsOf } from "./clauses.ts"
import { familiesOf } from "./families-of.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds values in conditions that no token has: misspelled ones, and patterns where a name is meant. */
export function* valuesNeverSent({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    for (const condition of clause.conditions) {
      const { claim, test } = condition
      const facts = factsFor(set, clause, claim)
      const [fact] = facts
      if (fact === undefined) continue
      if (test.kind === "present") {
        if (test.present || factFor(set, clause, claim)?.sent !== "always") continue
        const message = `Every token has the claim ${claim}. ${effectOf(clause, condition, true)}: remove the condition.`
        yield warn(clause.file, sources.keyAt(clause.file, [...clause.path, claim]), "value_never_sent", message)
        continue
      }
      const isDead = facts.every((one) => cannotHold(condition, one))
      for (const [index, pattern] of test.patterns.entries()) {
        if (facts.some((one) => canHave(one, pattern))) continue
        const at = sources.patternAt(clause.file, [...clause.path, claim], index)
        const { source } = pattern
        const what = fact.form === undefined ? "" : `: it is ${formWords(fact.form)}`
        const meant = nearestValue(fact, source)
        const values = fact.values && fact.values.size <= 3 ? [...fact.values.keys()].map(quote).join(" or ") : null
        const remedy = meant !== null ? quote(meant) : (values ?? "a value that tokens have")
        const never = `${claim} ${pattern.literal === null ? "never matches" : "is never"} ${quote(source)}`
        const message = `${never}${what}. ${effectOf(clause, condition, isDead)}. Write ${remedy}.`
        yield warn(clause.file, at, "value_never_sent", message)
      }
    }
  }
  yield* environmentPatterns({ set, sources })
}

/** Whether a condition holds for no token that has the claim. */
export function cannotHold(condition: Condition, fact: ClaimFact): boolean {
  if (condition.test.kind === "present") return !condition.test.present && fact.sent === "always"
  return condition.test.kind === "any" && patternsOf(condition).every((pattern) => !canHave(fact, pattern))
}

/** What is known of a claim with the issuers that a clause speaks of; undefined when they do not know it alike. */
export function factFor(set: Pick<PolicySet, "organisation">, clause: Clause, claim: string): ClaimFact | undefined {
  const facts = familiesOf(set, clause).map(({ name }) => claimFact(name, claim))
  return facts.every((fact) => fact === facts[0]) ? facts[0] : undefined
}

/** What each of the families that have the claim knows of it. Where a claim can hold a list, each member counts. */
const factsFor = (set: Pick<PolicySet, "organisation">, clause: Clause, claim: string): readonly ClaimFact[] => [
  ...new Set(familiesOf(set, clause).flatMap(({ name }) => claimFact(name, claim) ?? [])),
]

function effectOf({ part, whose }: Clause, { test }: Condition, isDead: boolean): string {
  const subject = `${whose.charAt(0).toUpperCase()}${whose.slice(1)}`
  if (test.kind === "none") {
    return part === "deny" ? `${subject} does not spare it` : `${subject} leaves nothing out by it`
  }
  if (!isDead) return `${subject} is not changed by it`
  return {
    allow: `${subject} matches no job`,
    deny: `${subject} refuses no job`,
    when: `${subject} allows nothing`,
    require: `${subject} refuses every job that it is about`,
    limit: `${subject} limits nothing`,
  }[part]
}

/** `environment` of a policy file is a name. One with a star is a name with a star in it. */
function* environmentPatterns({ set, sources }: Pick<Subject, "set" | "sources">): Generator<Warning> {
  for (const { environment, file } of set.policies) {
    if (environment === undefined || !environment.includes("*")) continue
    const message = `The key environment is a name and not a pattern: this file is for jobs whose environment is called ${quote(environment)}, with the star. Write one file for each environment.`
    yield warn(file, sources.valueAt(file, ["environment"]), "value_never_sent", message)
  }
}
