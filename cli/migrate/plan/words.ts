import { unifiedDiff } from "../../../analysis/used/unified-diff.ts"
import { counted } from "../../format.ts"
import { inert } from "../../inert.ts"
import { shellWord } from "../../shell-word.ts"
import type { Plan, ToTrust } from "./model.ts"

/** A plan for people: the changes as a patch, then what stays and what to look at. */
export function linesOf(
  { policy, workflows, replaced, left, notes, trust }: Plan,
  { folder, broker }: Place,
): readonly string[] {
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
    ...closingLines({ notes, trust }, { folder, broker }),
    summaryOf({ replaced, left, workflows }),
  ].map(inert)
}

/** Where the policies are, and whom the other sides trust. */
export interface Place {
  readonly folder: string
  readonly broker: string
}

/** What is left for the reader to look at, and to do. */
export const closingLines = ({ notes, trust }: Pick<Plan, "notes" | "trust">, place: Place): readonly string[] => [
  ...notes.map((note) => `Note: ${note}.`),
  ...trust.map(
    (one) =>
      `Trust: ${one.connection} must trust the broker for ${one.grants.join(", ")}. When the policy file is written: ${trustCommand(one, place)}`,
  ),
]

function trustCommand({ connection, grants }: ToTrust, { folder, broker }: Place): string {
  const one = grants.length === 1 ? ` --grant ${grants[0]}` : ""
  return `daypass trust ${shellWord(folder)} --connection ${connection}${one} --broker ${broker} --format commands`
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
export const jsonOf = ({ policy, workflows, replaced, left, notes, trust }: Plan, place: Place) => ({
  ok: true,
  policy: policy && { path: policy.path, text: policy.text },
  workflows: workflows.map(({ path, after }) => ({ path, text: after })),
  patch: unifiedDiff(workflows.map(({ path, before, edits }) => ({ path, before, edits }))),
  replaced,
  left,
  notes,
  trust: trust.map((one) => ({ ...one, command: trustCommand(one, place) })),
})
