import { visible } from "../../broker/core/policy/faults.ts"
import type { ChangePlace } from "../diff/model.ts"
import type { ChangedRuns, RecordedDiff } from "./changed-runs.ts"
import type { RunUnit } from "./runs.ts"

const SIGNS: Readonly<Record<ChangedRuns["change"], readonly [string, string]>> = {
  refused: ["- REFUSED", "would be refused"],
  allowed: ["+ ALLOWED", "would be allowed"],
  unknown: ["? UNKNOWN", "cannot be known"],
}

/** What a record says of a change, as lines for a terminal or a log. No text of the record can break out of its line. */
export function explainRuns(found: RecordedDiff): readonly string[] {
  const blocks = found.changes.map((change) => {
    const [sign] = SIGNS[change.change]
    return [
      `${sign}  ${exchanges(change.exchanges)} of ${jobsOf(change)}: ${change.grants.join(", ")}`,
      `           ${change.says}`,
      ...(change.place === null ? [] : [`           ${whereOf(change.place)}`]),
      `           ${timesOf(change)}`,
    ].map(visible)
  })
  return [[headOf(found)], ...blocks, summaryOfRuns(found)].flatMap((lines, index) =>
    index === 0 ? lines : ["", ...lines],
  )
}

/** How many exchanges change, and what was not compared. */
export function summaryOfRuns({ changes, exchanges: all, otherwise, uncounted }: RecordedDiff): readonly string[] {
  const parts = (["refused", "allowed", "unknown"] as const).flatMap((kind) => {
    const count = changes.reduce((sum, one) => sum + (one.change === kind ? one.exchanges : 0), 0)
    return count === 0 ? [] : [`${exchanges(count)} ${SIGNS[kind][1]}`]
  })
  return [
    parts.length === 0
      ? `Both folders decide all ${exchanges(all)} alike.`
      : `Of ${exchanges(all)}: ${parts.join(", ")}.`,
    ...(otherwise === 0
      ? []
      : [
          `${exchanges(otherwise)} ${otherwise === 1 ? "was" : "were"} decided otherwise than the old folder decides: other policies were in force, or the policy is not in the folder.`,
        ]),
    ...(uncounted === 0 ? [] : [`${uncounted} denials have no record of their own, and are not compared.`]),
  ]
}

/** One change in a sentence, for an annotation. */
export function sentenceOfRuns(change: ChangedRuns): string {
  const [, verb] = SIGNS[change.change]
  return visible(
    `${exchanges(change.exchanges)} of ${jobsOf(change)} ${verb}: ${change.grants.join(", ")}. Reason: ${change.says}. ${timesOf(change)}`,
  )
}

const headOf = ({ first, last }: RecordedDiff) =>
  first === null || last === null
    ? "The record has no decision in this time."
    : `The record, from ${minute(first)} to ${minute(last)}:`

export const jobsOf = ({
  unit,
  environment,
}: {
  readonly unit: RunUnit
  readonly environment: string | null
}): string => `${unit.unit} (id ${unit.unit_id}), ${environment ?? "no environment"}`

const whereOf = ({ set, file, line }: ChangePlace) => `${file}:${line}${set === "old" ? " of the old folder" : ""}`

function timesOf({ first, last, examples }: ChangedRuns): string {
  const when = first === last ? `at ${minute(first)}` : `first ${minute(first)}, last ${minute(last)}`
  return examples.length === 0 ? when : `${when}; ${examples.length === 1 ? "run" : "runs"} ${examples.join(", ")}`
}

const minute = (at: string) => `${at.slice(0, 16)}Z`

export const exchanges = (count: number) => `${count} ${count === 1 ? "exchange" : "exchanges"}`
