import * as z from "zod"
import { isForeignUnitClaim } from "../../broker/core/families/families.ts"
import { matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, FieldCeiling, IssuerConfig } from "../../broker/core/policy/model.ts"
import { strictly } from "../../broker/core/policy/provider-part.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Finds boundaries that do not restrict a required field of a grant, where repositories keep policies of their own: the
 * authors of such a policy can give themselves everything that the connection can mint.
 */
export function* openCeilings({ set, sources, providers }: Subject): Generator<Warning> {
  const { issuers, connections, boundaries } = set.organisation
  const open = [...issuers.values()].filter(({ repositoryPolicies }) => repositoryPolicies)
  for (const [index, boundary] of boundaries.entries()) {
    if (!open.some((issuer) => isAboutIssuer(boundary, issuer))) continue
    for (const [number, { connection, fields }] of boundary.allow.entries()) {
      const provider = providers.get(connections.get(connection)?.provider ?? "")
      const free = provider ? requiredOf(provider.grant).filter((field) => isFree(fields.get(field))) : []
      if (free.length === 0) continue
      const at = sources.valueAt(boundary.file, ["boundaries", index, "allow", number])
      const message = `Repositories keep policies of their own, and the boundary ${JSON.stringify(boundary.name)} does not restrict ${free.join(", ")} of ${connection}. Their teams can give themselves everything that the connection can mint. Add a pattern for ${free.join(", ")}.`
      yield warn(boundary.file, at, "repository_policies_open", message)
    }
  }
}

function isAboutIssuer({ when, people }: Boundary, { url, family }: IssuerConfig): boolean {
  if (people) return false
  return when.every(
    (condition) =>
      !isForeignUnitClaim(family, condition.claim) &&
      (condition.claim !== "iss" || matchCondition(condition, "deny", { iss: url })),
  )
}

/** The required fields of a provider's grants. */
function requiredOf(schema: z.ZodType): readonly string[] {
  const strict = strictly(schema)
  if (!(strict instanceof z.ZodObject)) return []
  const fields = Object.entries(strict.shape as Readonly<Record<string, z.ZodType>>)
  return fields.filter(([, field]) => !field.safeParse(undefined).success).map(([name]) => name)
}

const isFree = (field: FieldCeiling | undefined): boolean =>
  field === undefined || (field.kind === "text" && field.patterns.some(({ source }) => source === "**"))
