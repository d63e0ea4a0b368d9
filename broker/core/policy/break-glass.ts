import type { Identity } from "../identity.ts"
import { fail, ok, type Result } from "../result.ts"

/** What a grant demands beyond its rules: that people other than its starter approved the job's run. */
export interface BreakGlass {
  /** How many different people must have approved. */
  readonly approvals: number
  /** An approval without a reason, which is its comment, does not count. */
  readonly reasonRequired: boolean
}

/** One person's approval of a run, by the word of the environment's host. */
export interface Approval {
  /** For people. The id decides. */
  readonly approver: string
  readonly approverId: string
  /** As the person wrote it; empty when there is none. */
  readonly comment: string
}

/** What is known about a run's approvals. `reason` is our own sentence: why they are unknown, and what to change. */
export type ApprovalFact =
  | {
      readonly known: true
      readonly approvals: readonly Approval[]
      /** Ids of the people who started the run, by its host, beside the actor in the token. */
      readonly startedBy: readonly string[]
    }
  | { readonly known: false; readonly reason: string }

/** GitHub lets six people or teams review an environment. */
export const MAX_APPROVALS = 6

/**
 * The approvals that meet the demand, one for each person. Fails with what is missing, as the end of a sentence.
 *
 * Ids are compared, never names. Somebody who started the run does not count, even where the host let them approve.
 */
export function approvalsFor(
  demand: BreakGlass,
  { actorId }: Pick<Identity, "actorId">,
  fact: ApprovalFact | undefined,
): Result<readonly Approval[], string> {
  if (fact === undefined) return fail("its host was not asked who approved it")
  if (!fact.known) return fail(fact.reason.replace(/\.$/, ""))
  if (actorId === null || actorId === "") return fail("the token does not say who started it")
  const started = new Set([actorId, ...fact.startedBy])
  const others = fact.approvals.filter(({ approverId }) => approverId !== "" && !started.has(approverId))
  const reasoned = others.filter(({ comment }) => hasWords(comment))
  // A person's approval with a reason comes first, so that the record has the reason even where none is required.
  const counted = new Map<string, Approval>()
  for (const one of demand.reasonRequired ? reasoned : [...reasoned, ...others]) {
    if (!counted.has(one.approverId)) counted.set(one.approverId, one)
  }
  if (counted.size >= demand.approvals) return ok([...counted.values()].slice(0, MAX_APPROVALS))
  const silent = new Set(others.map(({ approverId }) => approverId)).size - counted.size
  const own = fact.approvals.length - others.length
  return fail(
    [
      counted.size === 0 ? "nobody else has approved it" : `${counted.size} of ${demand.approvals} did`,
      ...(silent > 0 ? [`${silent} approved without a comment`] : []),
      ...(own > 0 ? ["an approval by the person who started it does not count"] : []),
    ].join(", and "),
  )
}

/** A letter or a digit that is seen: spaces are no reason, nor is a letter without a shape, such as U+3164. */
const hasWords = (comment: string) => /(?!\p{DI})[\p{L}\p{N}]/u.test(comment)
