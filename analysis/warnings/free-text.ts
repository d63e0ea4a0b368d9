import { claimFact } from "../../broker/core/claims/families.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { type Clause, clausesOf, isPinned, patternsOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** A claim whose text somebody picks who should not decide. */
interface Chosen {
  /** Who picks it: a sentence's beginning. */
  readonly who: string
  readonly instead: string
  /** Conditions that are too much: any at all, or those with a wildcard. */
  readonly warnOf: "any" | "wildcard"
  /** Claims beside which the condition only narrows what they decide. */
  readonly besides?: readonly string[]
}

/** By claim: what to say of those whose text an outsider, a writer or an administrator chooses freely. */
export const CHOSEN: ReadonlyMap<string, Chosen> = new Map([
  [
    "sub",
    {
      who: "sub has two standard forms, and whoever administers the repository can customise it",
      instead: "use the claims that it is made of, such as repository_id, ref and environment",
      warnOf: "any",
    },
  ],
  [
    "workflow",
    {
      who: "Every writer can give any workflow of any branch this name",
      instead: "use workflow_ref or job_workflow_ref, which name the file and its branch",
      warnOf: "any",
      besides: ["workflow_ref", "job_workflow_ref"],
    },
  ],
  [
    "head_ref",
    {
      who: "Whoever opens a pull request picks the name of its branch",
      instead: "use event_name, base_ref or workflow_ref, or protect an environment",
      warnOf: "any",
    },
  ],
  [
    "base_ref",
    {
      who: "Every writer can push a branch of such a name and open a pull request against it",
      instead: "write the branches out",
      warnOf: "wildcard",
    },
  ],
  [
    "actor",
    {
      who: "Everybody picks a user name, and can change it into one that matches",
      instead: "write the names out, with their actor_id",
      warnOf: "wildcard",
    },
  ],
])

/** Finds conditions on text that outsiders or writers pick, and allows that ask for nothing but who the actor is. */
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
    const effect = clause.part === "deny" ? "is escaped by whoever picks another text" : "holds nobody back"
    return `${who}, so a condition on ${claim} in ${clause.whose} ${effect}: ${instead}.`
  }
  if (claim === "actor" && isActorAlone(clause)) {
    return `The actor is all that ${clause.whose} asks for, and an actor can be made to cause a run, on any branch and of any code: add a condition on ref or workflow_ref.`
  }
  return null
}

function isActorAlone({ part, policy, conditions }: Clause): boolean {
  // What guards an environment is another warning's subject.
  if (part !== "allow" || policy?.environment !== undefined) return false
  const asksWho = conditions.some((one) => one.claim === "actor" && isPinned(one))
  return asksWho && !conditions.some(({ claim, test }) => tellsCode(claim) && test.kind === "any")
}

/** Whether a condition on a claim tells which code runs. An actor can be made to cause a run, so it never tells. */
const tellsCode = (claim: string): boolean => claimFact("github-actions", claim)?.tellsCode ?? false
