import { diffPolicySets } from "../../analysis/diff/diff.ts"
import type { PolicyChange, PolicyDiff } from "../../analysis/diff/model.ts"
import { explainDiff, sentenceOfChange, summaryOfDiff } from "../../analysis/diff/words.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused, readArguments } from "../arguments.ts"
import { counted, type Finding, FORMAT_OPTIONS, type Format, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { findingsOf, type LoadedFolder, loadPolicies } from "../policies.ts"
import { diffAsJson } from "./json.ts"

const USAGE = `Usage: daypass diff OLD NEW [--format text|json|github] [--json]

Compares what jobs get with the policy folders OLD and NEW, and prints which jobs get more and which get less. It covers all
possible jobs, not samples, and decides as the broker does. A change of the text alone is not reported.
--format github annotates the lines of a pull request; --json is --format json.
Exit codes: 0 no job gets more, 3 a job gets more or it cannot be ruled out, 1 a folder has errors, 2 the arguments are
wrong, or a folder cannot be read.`

/** Not 1: a workflow must distinguish "ask a second reviewer" from "something is broken". */
const WIDENS = 3

/** `daypass diff`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, FORMAT_OPTIONS, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [old = "", next = "", ...others] = read.positionals
  if (old === "" || next === "" || others.length > 0)
    return misused("diff takes two folders, the old one first", USAGE, io)
  const before = loadPolicies(old)
  if (typeof before === "string") return impossible(before, io)
  const after = loadPolicies(next)
  if (typeof after === "string") return impossible(after, io)
  if (!before.result.ok) return faulty(old, before, format, io)
  if (!after.result.ok) return faulty(next, after, format, io)

  const [from, to] = [before.result.value, after.result.value]
  const diff = diffPolicySets(from, to, { providers: PROVIDERS })
  if (format === "json")
    printJson({ ok: true, ...diffAsJson(diff), old_version: from.version, new_version: to.version }, io)
  else if (format === "text") for (const line of explainDiff(diff)) io.out(inert(line))
  else
    await printReport(
      {
        tool: "diff",
        folder: next,
        findings: diff.changes.map((change) => findingOf(change, diff)),
        summary: summaryOfDiff(diff),
      },
      format,
      io,
    )
  return diff.widens ? WIDENS : EXIT.ok
}

async function faulty(folder: string, loaded: LoadedFolder, format: Format, io: CliIo): Promise<number> {
  const findings = findingsOf(loaded)
  const summary = `${counted(findings.length, "error")}: the broker would not load ${folder}, so nothing is compared.`
  if (format === "json") printJson({ ok: false, widens: null, narrows: null, folder, findings }, io)
  else await printReport({ tool: "diff", folder, findings, summary }, format, io)
  return EXIT.no
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
