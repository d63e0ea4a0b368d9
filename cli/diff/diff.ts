import { diffPolicySets } from "../../analysis/diff/diff.ts"
import { explainDiff } from "../../analysis/diff/words.ts"
import { changedRuns, type RecordedDiff } from "../../analysis/used/changed-runs.ts"
import { Runs } from "../../analysis/used/runs.ts"
import { explainRuns } from "../../analysis/used/words.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused, readArguments } from "../arguments.ts"
import { counted, FORMAT_OPTIONS, type Format, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { findingsOf, type LoadedFolder, loadPolicies } from "../policies.ts"
import { eachRecord, RECORD_USAGE, SIGN_IN_OPTIONS, unreadable } from "../record/source.ts"
import { WINDOW_OPTIONS, windowOf } from "../record/window.ts"
import { diffReport } from "../reports/diff.ts"
import { diffAsJson, runsAsJson } from "./json.ts"

const USAGE = `Usage: daypass diff OLD NEW [--record FILE|URL [--since TIME] [--until TIME]] [--format text|json|github] [--json]

Compares what jobs get with the policy folders OLD and NEW, and prints which jobs get more and which get less. It covers all
possible jobs, not samples, and decides as the broker does. A change of the text alone is not reported.
With --record it also decides all recorded exchanges by both folders, and prints which would be refused or newly allowed, and
by which line.
${RECORD_USAGE}
--format github annotates the lines of a pull request; --json is --format json.
Exit codes: 0 no job gets more, 3 a job gets more or it cannot be ruled out, 1 a folder has errors, 2 the arguments are
wrong, or a folder cannot be read.`

/** Not 1: a workflow must distinguish "ask a second reviewer" from "something is broken". */
const WIDENS = 3

const OPTIONS = { ...FORMAT_OPTIONS, ...WINDOW_OPTIONS, ...SIGN_IN_OPTIONS, record: { type: "string" } } as const

/** `daypass diff`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [old = "", next = "", ...others] = read.positionals
  if (old === "" || next === "" || others.length > 0)
    return misused("diff takes two folders, the old one first", USAGE, io)
  const { record, since, until } = read.options
  const window = windowOf(read.options, io.now())
  if (typeof window === "string") return misused(window, USAGE, io)
  if (record === undefined && (since ?? until) !== undefined)
    return misused("--since and --until say which part of --record is meant", USAGE, io)
  const before = loadPolicies(old)
  if (typeof before === "string") return impossible(before, io)
  const after = loadPolicies(next)
  if (typeof after === "string") return impossible(after, io)
  if (!before.result.ok) return faulty(old, before, format, io)
  if (!after.result.ok) return faulty(next, after, format, io)

  const [from, to] = [before.result.value, after.result.value]
  let recorded: RecordedDiff | null = null
  if (typeof record === "string") {
    const runs = new Runs([from, to])
    try {
      await eachRecord({ from: record, options: read.options }, window, io, (one) => runs.add(one))
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
