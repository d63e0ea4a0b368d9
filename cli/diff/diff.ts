import { diffPolicySets } from "../../analysis/diff/diff.ts"
import { explainDiff } from "../../analysis/diff/words.ts"
import { changedRuns, type RecordedDiff } from "../../analysis/used/changed-runs.ts"
import { Runs } from "../../analysis/used/runs.ts"
import { explainRuns } from "../../analysis/used/words.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused } from "../arguments.ts"
import { counted, type Format, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, type LoadedFolder, loadPolicies } from "../policies.ts"
import { eachRecord, unreadable } from "../record/source.ts"
import { windowOf } from "../record/window.ts"
import { diffReport } from "../reports/diff.ts"
import { diffAsJson, runsAsJson } from "./json.ts"

/** Not 1: a workflow must distinguish "ask a second reviewer" from "something is broken". */
const WIDENS = 3

/** `daypass diff`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [old = "", next = ""] = given.positionals
  const { record, since, until } = given.options
  const window = windowOf(given.options, io.now())
  if (typeof window === "string") return misused(window)
  if (record === undefined && (since ?? until) !== undefined)
    return misused("--since and --until say which part of --record is meant")
  const before = loadPolicies(old, io)
  if (typeof before === "string") return impossible(before, io)
  const after = loadPolicies(next, io)
  if (typeof after === "string") return impossible(after, io)
  if (!before.result.ok) return faulty(old, before, format, io)
  if (!after.result.ok) return faulty(next, after, format, io)

  const [from, to] = [before.result.value, after.result.value]
  let recorded: RecordedDiff | null = null
  if (typeof record === "string") {
    const runs = new Runs([from, to])
    try {
      await eachRecord({ from: record, options: given.options }, window, io, (one) => runs.add(one))
    } catch (error) {
      return unreadable(error, io)
    }
    recorded = changedRuns(from, to, runs)
  }
  const diff = diffPolicySets(from, to, { providers: PROVIDERS })
  const versions = { old_version: from.version, new_version: to.version }
  if (format === "json")
    printJson({ ok: true, ...diffAsJson(diff), ...versions, ...(recorded && { record: runsAsJson(recorded) }) }, io)
  else if (format === "text")
    for (const line of [...explainDiff(diff), ...(recorded ? ["", ...explainRuns(recorded)] : [])]) io.out(inert(line))
  else await printReport({ tool: "diff", folder: next, ...diffReport(diff, recorded) }, format, io)
  return diff.widens ? WIDENS : EXIT.ok
}

async function faulty(folder: string, loaded: LoadedFolder, format: Format, io: CliIo): Promise<number> {
  const findings = findingsOf(loaded)
  const summary = `${counted(findings.length, "error")}: the broker would not load ${folder}, so nothing is compared.`
  if (format === "json") printJson({ ok: false, widens: null, narrows: null, folder, findings }, io)
  else await printReport({ tool: "diff", folder, findings, summary }, format, io)
  return EXIT.no
}
