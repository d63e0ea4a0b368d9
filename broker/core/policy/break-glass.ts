import * as z from "zod"
import type { Identity } from "../identity.ts"
import { fail, ok, type Result } from "../result.ts"
import { fault, visible } from "./faults.ts"
import type { PolicyFault, PolicyTarget } from "./model.ts"
import { duration } from "./schema-words.ts"
import { childOf, keyPosition, type YamlNode, type YamlPath } from "./yaml.ts"

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
const MAX_APPROVALS = 6
/** In UTF-16 code units. Both come from people outside of the broker, and every record is kept. */
const MAX_REASON = 512
const MAX_NAME = 128

/** The key `break_glass` of a grant. */
export const breakGlassSchema = z
  .strictObject({
    approvals: z
      .int()
      .min(1, "must be at least 1: without an approval, it is an ordinary grant")
      .max(MAX_APPROVALS, `must be at most ${MAX_APPROVALS}: no environment has more reviewers`)
      .default(1)
      .meta({ description: "How many people other than the starter of the run must have approved it." }),
    reason: z.literal("required").optional().meta({ description: "Approvals without a comment do not count." }),
    ttl: duration.optional().meta({ description: "The longest lifetime; without the grant's own ttl, its lifetime." }),
  })
  .meta({ description: "For emergencies: only for a job whose run was approved by somebody else than its starter." })

/** The demand of a grant's raw value; undefined when there is none, or one with faults that are reported elsewhere. */
export function readBreakGlass(value: unknown): (BreakGlass & { readonly ttlSeconds?: number }) | undefined {
  const read = value === undefined ? undefined : breakGlassSchema.safeParse(value).data
  if (read === undefined) return undefined
  const { approvals, reason, ttl } = read
  return { approvals, reasonRequired: reason === "required", ...(ttl === undefined ? {} : { ttlSeconds: ttl }) }
}

/**
 * Faults of grants with `break_glass` by what the file says beside them.
 *
 * An approval says something only where the host keeps people from approving their own runs, so the file must demand that.
 * A pattern would open the grant to repositories that nobody had in mind.
 */
export function breakGlassFaults(file: string, root: YamlNode, target: PolicyTarget | null): readonly PolicyFault[] {
  const grants = childOf(root, "grants")
  if (grants?.kind !== "map") return []
  const demand = childOf(root, "protected_environment")
  const isDemanded = ["required_reviewers", "prevent_self_review"].every((key) => demand && childOf(demand, key))
  return [...grants.entries].flatMap(([name, grant]): PolicyFault[] => {
    if (childOf(grant.value, "break_glass") === undefined) return []
    const path: YamlPath = ["grants", name, "break_glass"]
    const no = (code: "key_missing" | "grant_conflict", message: string) =>
      fault(file, keyPosition(root, path), code, `${name}: ${message}`)
    return [
      ...(isDemanded ? [] : [no("key_missing", UNPROTECTED)]),
      ...(target?.kind === "owner" ? [no("grant_conflict", BY_PATTERN)] : []),
    ]
  })
}

const UNPROTECTED =
  "break_glass counts approvals, and only a protected environment waits for them. Add `protected_environment: { required_reviewers: true, prevent_self_review: true }` to the file."
const BY_PATTERN =
  "break_glass is not for patterns of names, because others can choose a name that matches. Write a file for one repository or project, with its id."

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

/** A letter or a digit: spaces, and characters that nobody sees, are no reason. */
const hasWords = (comment: string) => /[\p{L}\p{N}]/u.test(comment)

/** An approval as records keep it: on one line, without invisible characters, bounded. */
export const safeApproval = ({ approver, approverId, comment }: Approval) => ({
  approver: bounded(approver, MAX_NAME),
  approver_id: bounded(approverId, MAX_NAME),
  reason: bounded(comment.trim().replace(/\s+/g, " "), MAX_REASON),
})

/** Escaping first: what is cut after it is still free of invisible characters, and a half pair is none. */
const bounded = (text: string, most: number) =>
  visible(text.slice(0, most).toWellFormed()).slice(0, most).toWellFormed()
