import { unifiedDiff } from "../../../analysis/used/unified-diff.ts"
import { counted } from "../../format.ts"
import { inert } from "../../inert.ts"
import type { Plan } from "./model.ts"

/** A plan for people: the changes as a patch, then what stays and what to look at. */
export function linesOf({ policy, workflows, replaced, left, notes }: Plan, folder: string): readonly string[] {
  const file = policy === null ? [] : [`The policy file ${folder}/${policy.path}:`, "", ...indented(policy.text), ""]
  const patch = unifiedDiff(workflows.map(({ path, before, edits }) => ({ path, before, edits })))
  const stays = left.map(
    ({ file: path, line, secret, why }) => `${path}:${line} ${secret ?? "all secrets"} stays: ${why}.`,
  )
  return [
    ...file,
    ...(patch === "" ? [] : patch.trimEnd().split("\n")),
    ...(patch === "" ? [] : [""]),
    ...stays,
    ...notes.map((note) => `Note: ${note}.`),
    summaryOf({ replaced, left, workflows }),
  ].map(inert)
}

const indented = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)

/** How much changes. */
export function summaryOf({ replaced, left, workflows }: Pick<Plan, "replaced" | "left" | "workflows">): string {
  const places = `${counted(left.length, "place")} ${left.length === 1 ? "stays" : "stay"}`
  if (replaced.length === 0)
    return `Nothing to change: ${left.length === 0 ? "no job of this environment names a secret" : places}.`
  const secrets = new Set(replaced.map(({ secret }) => secret)).size
  return `${counted(secrets, "secret")} replaced in ${counted(workflows.length, "workflow")}; ${places}.`
}

/** The answer of `--json`. */
export const jsonOf = ({ policy, workflows, replaced, left, notes }: Plan) => ({
  ok: true,
  policy: policy && { path: policy.path, text: policy.text },
  workflows: workflows.map(({ path, after }) => ({ path, text: after })),
  patch: unifiedDiff(workflows.map(({ path, before, edits }) => ({ path, before, edits }))),
  replaced,
  left,
  notes,
})
