import type { BreakGlass } from "../../broker/core/policy/break-glass.ts"
import { underCeiling } from "../../broker/core/policy/ceiling.ts"
import { type EnvironmentDemand, isForAny } from "../../broker/core/policy/environment-protection.ts"
import type { Grant } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import { type Demand, isBreakGlass } from "./offers.ts"

/** What a grant reaches, in its provider's words: a role's ARN, an audience. Gaps stay as they are written. */
export function resourceOf(grant: Grant, providers: ProviderSchemaTable): string {
  const provider = providers.get(grant.connection.provider)
  try {
    const resource: unknown = provider?.resource(writtenFields(grant))
    if (typeof resource === "string" && resource !== "") return resource
  } catch {
    // A provider may fail on a text with gaps.
  }
  return shown(writtenFields(grant))
}

/** A grant's own keys; those with gaps as the policy writes them. */
export function writtenFields({ fields, template }: Grant): Readonly<Record<string, unknown>> {
  const read = typeof fields === "object" && fields !== null ? (fields as Readonly<Record<string, unknown>>) : {}
  return { ...read, ...template?.raw }
}

/** A grant's own keys as they are written, reduced to those that boundaries compare. */
export const fieldsSeen = (grant: Grant): unknown => underCeiling(grant, writtenFields(grant))

/** How one grant differs from another: `role a instead of b`, `through aws-dev instead of aws-prod`. */
export function differenceOf(grant: Grant, other: Grant): string {
  const [mine, theirs] = [writtenFields(grant), writtenFields(other)]
  const keys = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])]
  const { connection } = grant
  const parts =
    connection.name === other.connection.name
      ? []
      : [`connection ${connection.name} instead of ${other.connection.name}`]
  for (const key of keys) {
    const [value, before] = [mine[key], theirs[key]]
    if (shown(value) === shown(before)) continue
    if (before === undefined) parts.push(`${key} ${shortened(value)}`)
    else if (value === undefined) parts.push(`no ${key} (${shortened(before)})`)
    else parts.push(`${key} ${shortened(value)} instead of ${shortened(before)}`)
  }
  return parts.join(", ") || "another definition"
}

/** `required reviewers, deployment branches protected or custom`. */
export function demandWords(demand: EnvironmentDemand): string {
  const { requiredReviewers, preventSelfReview, deploymentBranches } = demand
  if (isForAny(demand)) return "some protection"
  return [
    ...(requiredReviewers ? ["required reviewers"] : []),
    ...(preventSelfReview ? ["no self-review"] : []),
    ...(deploymentBranches ? [`deployment branches ${deploymentBranches.join(" or ")}`] : []),
  ].join(", ")
}

/** The same with what it is about: `required reviewers on the environment`. */
export const needWords = (demand: Demand): string =>
  isBreakGlass(demand) ? approvalWords(demand) : `${demandWords(demand)} on the environment`

/** `2 approvals of the run by others, with reasons`. */
export const approvalWords = ({ approvals, reasonRequired }: BreakGlass): string =>
  approvals === 1
    ? `an approval of the run by somebody else${reasonRequired ? ", with a reason" : ""}`
    : `${approvals} approvals of the run by others${reasonRequired ? ", with reasons" : ""}`

/** A value of a policy, on one line. */
export const shown = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

const MAX_SHOWN = 120
const shortened = (value: unknown): string => {
  const text = shown(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text
}
