import type { PolicyChange, PolicyDiff } from "../../analysis/diff/model.ts"
import { sentenceOfChange, summaryOfDiff } from "../../analysis/diff/words.ts"
import type { ChangedRuns, RecordedDiff } from "../../analysis/used/changed-runs.ts"
import { sentenceOfRuns, summaryOfRuns } from "../../analysis/used/words.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Finding } from "../format.ts"

/** A comparison as findings, each at the line that makes the difference, and in one line. `recorded`: what a record says of it. */
export function diffReport(
  diff: PolicyDiff,
  recorded: RecordedDiff | null,
): { readonly findings: readonly Finding[]; readonly summary: string } {
  return {
    findings: [
      ...diff.changes.map((change) => findingOf(change, diff)),
      ...(recorded?.changes ?? []).map(findingOfRuns),
    ],
    summary: [summaryOfDiff(diff), ...(recorded ? summaryOfRuns(recorded) : [])].join(" "),
  }
}

/** More is a warning, less a notice: neither is an error. A removed line has no place in the pull request's files. */
function findingOf(change: PolicyChange, diff: PolicyDiff): Finding {
  const { direction, kind, place } = change
  const at = place.set === "new" ? place : { file: ORGANISATION_FILE, line: 1 }
  const was = place.set === "new" ? "" : ` (It was ${place.file}:${place.line}.)`
  return {
    severity: direction === "wider" ? "warning" : "notice",
    code: `${direction}_${kind.replaceAll("-", "_")}`,
    file: at.file,
    line: at.line,
    column: 1,
    message: `${direction === "wider" ? "More" : "Less"}: ${sentenceOfChange(change, diff)}${was}`,
  }
}

/** What really ran and would be refused is what a reviewer must see: a warning, like more. */
function findingOfRuns(change: ChangedRuns): Finding {
  const { place } = change
  const at = place?.set === "new" ? place : { file: ORGANISATION_FILE, line: 1 }
  const was = place?.set === "old" ? ` (It was ${place.file}:${place.line}.)` : ""
  return {
    severity: change.change === "unknown" ? "notice" : "warning",
    code: `runs_${change.change}`,
    file: at.file,
    line: at.line,
    column: 1,
    message: `${sentenceOfRuns(change)}${was}`,
  }
}
