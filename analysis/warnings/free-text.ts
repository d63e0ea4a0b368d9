import type { ClaimFact } from "../../broker/core/families/claim-fact.ts"
import { claimFact } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { UNITS } from "../../broker/core/families/units.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { type Clause, clausesOf, isPinned, patternsOf } from "./clauses.ts"
import { familiesOf } from "./families-of.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** A claim whose text can be chosen by a person who should not decide about access. */
export interface Chosen {
  /** Who chooses the text: the start of a sentence. */
  readonly who: string
  readonly instead: string
  /** Which conditions to warn about: any, or those with a wildcard. */
  readonly warnOf: "any" | "wildcard"
  /** If the rule also tests one of these claims, that claim decides and this condition only narrows it: no warning. */
  readonly besides?: readonly string[]
}

/** Claims whose text an outsider, a writer or an administrator chooses freely, with the words of their warnings. */
const CHOSEN: ReadonlyMap<string, Chosen> = new Map([
  [
    "sub",
    {
      who: "sub has two standard forms, and an administrator of the repository can customise it",
      instead: "use the claims that it consists of, such as repository_id, ref and environment",
      warnOf: "any",
    },
  ],
  [
    "workflow",
    {
      who: "Anyone with write access can give this name to any workflow on any branch",
      instead: "use workflow_ref or job_workflow_ref, which name the file and its branch",
      warnOf: "any",
      besides: ["workflow_ref", "job_workflow_ref"],
    },
  ],
  [
    "head_ref",
    {
      who: "The author of a pull request chooses the name of its branch",
      instead: "use event_name, base_ref or workflow_ref, or protect an environment",
      warnOf: "any",
    },
  ],
  [
    "base_ref",
    {
      who: "Anyone with write access can push a branch with a matching name and open a pull request against it",
      instead: "list the exact branches",
      warnOf: "wildcard",
    },
  ],
  [
    "actor",
    {
      who: "Users choose their own names, and can change them to one that matches",
      instead: "list the exact names, with their actor_id",
      warnOf: "wildcard",
    },
  ],
])

/** What is known of a claim's text in the families of a clause, with words for it; null for text that only issuers choose. */
export function chosenIn(families: readonly FamilyFacts[], claim: string): Chosen | null {
  for (const family of families) {
    const fact = claimFact(family.name, claim)
    if (fact?.chosenBy === undefined) continue
    const told = CHOSEN.get(claim === family.roles.actor ? "actor" : claim)
    const known = claim === "sub" && fact.form !== "subject" ? SUBJECT : (told ?? generally(fact))
    if (known === null) continue
    const { actor, actorId } = family.roles
    const beside = actorId === undefined ? "list the exact names" : `list the exact names, with their ${actorId}`
    return claim === actor ? { ...known, instead: beside } : known
  }
  return null
}

/** Of issuers other than GitHub's. */
const SUBJECT: Chosen = {
  who: "sub is made of other claims, and can be customised",
  instead: "use the claims that it consists of",
  warnOf: "any",
}

/** Text that says which code runs is what rules are made of, and a setting is the unit's own. */
function generally({ chosenBy, tellsCode, tells, values }: ClaimFact): Chosen | null {
  if (chosenBy === undefined || (tellsCode && chosenBy !== "outsider") || tells !== "job" || values) return null
  return { who: CHOOSERS[chosenBy], instead: "use a claim that only the issuer writes", warnOf: "wildcard" }
}

const CHOOSERS: Readonly<Record<NonNullable<ClaimFact["chosenBy"]>, string>> = {
  outsider: "People without write access can choose this text",
  writer: "Anyone with write access can choose this text",
  administrator: "An administrator can choose this text",
}

/** Finds conditions on text that outsiders or writers choose, and allows whose only condition is the actor. */
export function* freeTextConditions({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    for (const condition of clause.conditions) {
      const say = reason(clause, condition, familiesOf(set, clause))
      if (say === null) continue
      const at = sources.keyAt(clause.file, [...clause.path, condition.claim])
      yield warn(clause.file, at, "free_text_pattern", say)
    }
  }
}

function reason(clause: Clause, condition: Condition, families: readonly FamilyFacts[]): string | null {
  const { claim, test } = condition
  const chosen = chosenIn(families, claim)
  if (chosen === null || test.kind === "present") return null
  const { who, instead, warnOf, besides } = chosen
  const hasWildcard = patternsOf(condition).some(({ literal }) => literal === null)
  const narrows = clause.conditions.some((other) => besides?.includes(other.claim) && other.test.kind === "any")
  if (!narrows && (warnOf === "any" || (hasWildcard && clause.part !== "deny"))) {
    const effect = clause.part === "deny" ? "can be avoided by choosing another text" : "restricts no one"
    return `${who}, so the condition on ${claim} in ${clause.whose} ${effect}: ${instead}.`
  }
  const [family] = families
  if (family !== undefined && claim === family.roles.actor && isActorAlone(clause, family)) {
    const code = claimFact(family.name, "workflow_ref") ? "ref or workflow_ref" : (family.roles.ref ?? "the code")
    return `The only condition of ${clause.whose} is the actor. Others can make an actor start a run, on any branch and with any code. Add a condition on ${code}.`
  }
  return null
}

function isActorAlone({ part, policy, conditions }: Clause, { name, roles, unit }: FamilyFacts): boolean {
  // environment_without_branch covers rules for environments.
  if (part !== "allow" || policy?.environment !== undefined || UNITS[unit].standsAlone) return false
  const asksWho = conditions.some((one) => one.claim === roles.actor && isPinned(one))
  return asksWho && !conditions.some(({ claim, test }) => tellsCode(name, claim) && test.kind === "any")
}

/** Whether a condition on a claim restricts which code runs. The actor never does: others can make an actor start a run. */
const tellsCode = (family: string, claim: string): boolean => claimFact(family, claim)?.tellsCode ?? false
