import { BUILDKITE } from "../../core/families/buildkite.ts"
import type { Claims } from "../../core/identity.ts"
import { ok } from "../../core/result.ts"
import { disagree, faultOfEmpty, faultOfNames, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * Buildkite: tokens of `buildkite-agent oidc request-token`.
 *
 * Source: Buildkite's reference of that command. One issuer serves all organizations, so the organization's id decides whose
 * pipeline it is.
 */
export const buildkite: IssuerFamily = {
  facts: BUILDKITE,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  derive: (claims) => ok({ pipeline: `${text(claims, "organization_slug")}/${text(claims, "pipeline_slug")}` }),
  check: (claims) =>
    faultOfNames(claims, "organization_slug", "pipeline_slug") ??
    faultOfEmpty(claims, "build_branch", "job_id") ??
    faultOfSubject(claims),
}

/**
 * The subject is `organization:O:pipeline:P:ref:R:commit:C:step:S`, or, with `--subject-claim`, one id. Only the first form
 * repeats names. Its ref is that of the tag, if the build has one; Buildkite's own example has the branch's all the same.
 */
function faultOfSubject(claims: Claims): string | null {
  const subject = text(claims, "sub")
  if (!subject.startsWith("organization:")) return null
  const rest = after(subject, `organization:${text(claims, "organization_slug")}:pipeline:`)
  if (rest === null) return disagree("sub", "organization_slug")
  const context = after(rest, `${text(claims, "pipeline_slug")}:ref:`)
  if (context === null) return disagree("sub", "pipeline_slug")
  const tag = text(claims, "build_tag")
  const refs = [`refs/heads/${text(claims, "build_branch")}`, ...(tag === "" ? [] : [`refs/tags/${tag}`])]
  const repeats = refs.some((ref) => context.startsWith(`${ref}:commit:${text(claims, "build_commit")}:step:`))
  return repeats ? null : disagree("sub", "build_branch")
}

const after = (whole: string, start: string) => (whole.startsWith(start) ? whole.slice(start.length) : null)
