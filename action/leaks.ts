import { advice, pageOf } from "./advice.ts"
import { forLog, forMarkdown } from "./escape.ts"
import type { OpenRecord } from "./fingerprints/record.ts"
import { appendSummary, fail, info, type Place, savedState, sweepPlaces, warn } from "./runner.ts"
import { table } from "./summary.ts"
import type { UnreadReason } from "./sweep/budget.ts"
import type { Finding, SweepReport } from "./sweep/report.ts"
import { counted } from "./words.ts"

/** Of a post step. It comes after the revocation, so a long sweep keeps no credential alive. */
const SWEEP_MS = 10_000
/** GitHub shows ten annotations of each level for a step. One is left for what else the step has to say. */
const MAX_ANNOTATIONS = 9

type Mode = "warn" | "fail"

/**
 * Looks for values that the job left behind, and reports each place in the log and the summary, never a value. With `fail`, a
 * finding fails the step; so does a record that is gone or was changed, because nothing can be excluded then.
 *
 * `records`: as of `savedRecords`. @returns whether a value was found
 */
export async function sweepLeaks(records: readonly OpenRecord[] | null): Promise<boolean> {
  const mode = savedState("sweep")
  if (mode !== "warn" && mode !== "fail") return false
  if (records === null) {
    const what = "The leak sweep cannot look for the values of this step: its record of them is gone, or was changed."
    report(mode, "sweep_impossible", what)
    return false
  }
  const tooShort = records.reduce((sum, record) => sum + unsearched(record), 0)
  if (tooShort > 0)
    info(`The leak sweep cannot look for all values of this step: ${counted(tooShort, "value")} ${TOO_SHORT}.`)
  if (records.every(({ patterns }) => patterns.length === 0)) return false

  const { sweep } = await import("./sweep/sweep.ts")
  const named = savedState("sweep-paths")
    .split("\n")
    .filter((path) => path !== "")
  const started = performance.now()
  const found = await sweep({ ...sweepPlaces(), records, named, milliseconds: SWEEP_MS })
  reportFindings(mode, found)
  reportUnread(mode, found)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const outcome = found.findings.length === 0 ? ", and found no value of this step" : ""
  info(`The leak sweep read ${counted(found.files, "file")} (${megabytes(found.bytes)}) in ${seconds} s${outcome}.`)
  return found.findings.length > 0
}

const TOO_SHORT = "with fewer than eight bytes, or too common to be a secret"

function unsearched({ values, patterns }: OpenRecord): number {
  const searched = new Set(patterns.map(({ value }) => value))
  return values.length - searched.size
}

function report(mode: Mode, code: "leak_found" | "sweep_impossible", what: string, place: Place | null = null): void {
  const text = `${what} ${advice(code)} See ${pageOf(code)}`
  if (mode === "fail") fail(`Daypass: ${code}`, text, place)
  else warn(text, `Daypass: ${code}`, place)
}

function reportFindings(mode: Mode, { findings, hasMore }: SweepReport): void {
  if (findings.length === 0) return
  for (const finding of findings.slice(0, MAX_ANNOTATIONS)) {
    report(mode, "leak_found", `Left behind: ${what(finding)} is in ${forLog(where(finding))}.`, placeOf(finding))
  }
  for (const finding of findings.slice(MAX_ANNOTATIONS)) {
    info(`Left behind: ${what(finding)} is in ${forLog(where(finding))}.`)
  }
  if (hasMore) info("There are more findings, which are not listed.")
  const rows = findings.map((finding) => [where(finding), finding.grant, finding.name].map((cell) => forMarkdown(cell)))
  appendSummary(
    [
      "### Values of this job were left behind",
      "",
      `[leak_found](${pageOf("leak_found")}). ${advice("leak_found")}`,
      "",
      ...table(["where", "grant", "value"], rows),
      ...(hasMore ? ["", "There are more findings, which are not listed."] : []),
      "",
    ].join("\n"),
  )
}

const what = ({ grant, name }: Finding) => `the value ${forLog(name)} of ${forLog(grant)}`

function where({ path, entry, line }: Finding): string {
  if (entry !== undefined) return `${path}, in ${entry}`
  return line === undefined ? path : `${path}:${line}`
}

/** GitHub places annotations at files of the repository. A path that the log must not show as it is names no place. */
function placeOf({ path, entry, line }: Finding): Place | null {
  return line === undefined || entry !== undefined || forLog(path) !== path ? null : { file: path, line }
}

function reportUnread(mode: Mode, { unread, unreadCount }: SweepReport): void {
  for (const { path, reason } of unread) info(`Not looked at: ${forLog(path)}: ${REASONS[reason]}.`)
  if (unreadCount > unread.length) info(`Not looked at: ${counted(unreadCount - unread.length, "more place")}.`)
  if (mode === "fail" && unreadCount > 0) {
    warn(
      `The leak sweep is not complete: ${counted(unreadCount, "place")} could not be read to the end. The log says which, and why.`,
    )
  }
}

const REASONS: Readonly<Record<UnreadReason, string>> = {
  archive: "the sweep cannot read inside archives of this kind",
  damaged: "the archive ends early, or is damaged",
  link: "it is a link, which the sweep does not follow",
  missing: "it does not exist",
  nested: "too many archives or folders inside of each other",
  outside: "a relative path must stay in the workspace",
  size: "too large; the sweep read its beginning",
  special: "it is no regular file",
  time: "the time of the sweep was over",
  unreadable: "it cannot be read",
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`
