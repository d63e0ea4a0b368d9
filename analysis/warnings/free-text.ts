import { claimFact } from "../../broker/core/families/families.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { type Clause, clausesOf, isPinned, patternsOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** A claim whose text can be chosen by a person who should not decide about access. */
interface Chosen {
  /** Who chooses the text: the start of a sentence. */
  readonly who: string
  readonly instead: string
  /** Which conditions to warn about: any, or those with a wildcard. */
  readonly warnOf: "any" | "wildcard"
  /** If the rule also tests one of these claims, that claim decides and this condition only narrows it: no warning. */
  readonly besides?: readonly string[]
}

/** The claims whose text an outsider, a writer or an administrator chooses freely, with the words of their warnings. */
export const CHOSEN: ReadonlyMap<string, Chosen> = new Map([
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

/** Finds conditions on text that outsiders or writers choose, and allows whose only condition is the actor. */
export function* freeTextConditions({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    for (const condition of clause.conditions) {
      const say = reason(clause, condition)
      if (say === null) continue
      const at = sources.keyAt(clause.file, [...clause.path, condition.claim])
      yield warn(clause.file, at, "free_text_pattern", say)
    }
  }
}

function reason(clause: Clause, condition: Condition): string | null {
  const { claim, test } = condition
  const chosen = CHOSEN.get(claim)
  if (chosen === undefined || test.kind === "present") return null
  const { who, instead, warnOf, besides } = chosen
  const hasWildcard = patternsOf(condition).some(({ literal }) => literal === null)
  const narrows = clause.conditions.some((other) => besides?.includes(other.claim) && other.test.kind === "any")
  if (!narrows && (warnOf === "any" || (hasWildcard && clause.part !== "deny"))) {
    const effect = clause.part === "deny" ? "can be avoided by choosing another text" : "restricts no one"
    return `${who}, so the condition on ${claim} in ${clause.whose} ${effect}: ${instead}.`
  }
  if (claim === "actor" && isActorAlone(clause)) {
    return `The only condition of ${clause.whose} is the actor. Others can make an actor start a run, on any branch and with any code. Add a condition on ref or workflow_ref.`
  }
  return null
}

function isActorAlone({ part, policy, conditions }: Clause): boolean {
  // environment_without_branch covers rules for environments.
  if (part !== "allow" || policy?.environment !== undefined) return false
  const asksWho = conditions.some((one) => one.claim === "actor" && isPinned(one))
  return asksWho && !conditions.some(({ claim, test }) => tellsCode(claim) && test.kind === "any")
}

/** Whether a condition on a claim restricts which code runs. The actor never does: others can make an actor start a run. */
const tellsCode = (claim: string): boolean => claimFact("github-actions", claim)?.tellsCode ?? false
