import { lstatSync, readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { readRegular } from "../../action/disk/safe-file.ts"
import { MAX_RECORD_BYTES, type OpenRecord, openRecord, RECORD_FILE } from "../../action/fingerprints/record.ts"
import { STEP_FOLDER } from "../../action/sweep/places.ts"
import type { Finding, SweepReport } from "../../action/sweep/report.ts"
import { sweep } from "../../action/sweep/sweep.ts"
import { impossible } from "../arguments.ts"
import { counted, printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"

/** A step that scans on purpose may take longer than a post step. */
const SCAN_MS = 300_000

/** Looks for the values that the Daypass steps of this job have issued. `paths`: from the current directory. */
export async function scanIssued(
  paths: readonly string[],
  { isJson, isStrict }: { readonly isJson: boolean; readonly isStrict: boolean },
  io: CliIo,
): Promise<number> {
  const { RUNNER_TEMP: temp = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken = "" } = io.env
  if (temp === "") return impossible("RUNNER_TEMP is not set: run this in a step of the job that issued the values", io)
  if (requestToken === "") {
    return impossible("ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set: the job needs the permission id-token: write", io)
  }
  const records = recordsBelow(temp, requestToken)
  if (records === null) return impossible("a record of issued values was changed, or is of another job", io)
  if (records.length === 0) return impossible("no Daypass step of this job has a record of issued values", io)

  const folder = (name: string) => (io.env[name] ? resolve(io.env[name]) : null)
  const report = await sweep({
    records,
    workspace: folder("GITHUB_WORKSPACE"),
    temp: resolve(temp),
    home: folder(process.platform === "win32" ? "USERPROFILE" : "HOME"),
    variables: io.env,
    // From the current directory, as each command's arguments.
    named: paths.map((path) => resolve(io.cwd, path)),
    milliseconds: SCAN_MS,
  })
  if (isJson) printJson(report, io)
  else printText(report, io)
  const isIncomplete = isStrict && report.unreadCount > 0
  return report.findings.length > 0 || isIncomplete ? EXIT.no : EXIT.ok
}

/** All records of the job's steps; null when one cannot be opened. */
function recordsBelow(temp: string, requestToken: string): readonly OpenRecord[] | null {
  try {
    const folders = readdirSync(temp)
      .filter((name) => STEP_FOLDER.test(name))
      .map((name) => join(temp, name))
      .filter((folder) => lstatSync(folder).isDirectory())
    const files = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => RECORD_FILE.test(name))
        .map((name) => join(folder, name)),
    )
    const records = files.map((path) => {
      const stored = readRegular(path, MAX_RECORD_BYTES)
      return stored === null ? null : openRecord(stored, requestToken)
    })
    return records.every((record) => record !== null) ? records : null
  } catch {
    return null
  }
}

function printText({ findings, hasMore, unread, unreadCount, files }: SweepReport, io: CliIo): void {
  for (const finding of findings) io.out(inert(`${placeOf(finding)}: the value ${finding.name} of ${finding.grant}`))
  if (hasMore) io.out("There are more findings, which are not listed.")
  for (const { path, reason } of unread) io.err(inert(`not looked at: ${path} (${reason})`))
  if (unreadCount > unread.length) io.err(`not looked at: ${unreadCount - unread.length} more places`)
  const found = findings.length === 0 ? "no issued value" : counted(findings.length, "finding")
  io.out(`${found} in ${counted(files, "file")}.`)
}

function placeOf({ path, entry, line }: Finding): string {
  if (entry !== undefined) return `${path}, in ${entry}`
  return line === undefined ? path : `${path}:${line}`
}
