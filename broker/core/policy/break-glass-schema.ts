import * as z from "zod"
import { type BreakGlass, MAX_APPROVALS } from "./break-glass.ts"
import { fault } from "./faults.ts"
import type { PolicyFault, PolicyTarget } from "./model.ts"
import { duration } from "./schema-words.ts"
import { childOf, keyPosition, type YamlNode, type YamlPath } from "./yaml.ts"

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
