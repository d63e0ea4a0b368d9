import { forLog } from "./escape.ts"
import {
  isWhole,
  MAX_ALL_RECORDS_BYTES,
  MAX_RECORD_BYTES,
  type OpenRecord,
  openRecord,
  RECORD_FILE,
} from "./fingerprints/record.ts"
import { readJobFiles, removeJobFolder } from "./job-folder.ts"
import { savedVariables } from "./lease.ts"
import { idTokenEndpoint, info, savedState, setVariables, stepEnvironment, warn } from "./runner.ts"

/** The records that main wrote: an empty list when it wrote none, null when they are gone or were changed. */
export function savedRecords(): readonly OpenRecord[] | null {
  const folder = savedState("issued")
  if (folder === "") return []
  const requestToken = idTokenEndpoint()?.requestToken ?? ""
  const stored = readJobFiles(folder, RECORD_FILE, { eachBytes: MAX_RECORD_BYTES, allBytes: MAX_ALL_RECORDS_BYTES })
  if (stored === null || stored.length === 0) return null
  const records = stored.map((bytes) => openRecord(bytes, requestToken))
  return records.every((record) => record !== null) ? records : null
}

export function removeSavedRecords(): void {
  const folder = savedState("issued")
  if (folder !== "") removeJobFolder(folder)
}

/**
 * Empties the variables that still hold a secret of this step, so that the post steps that follow find nothing in them. A
 * runner cannot unset a variable. One that holds another value now is left: it belongs to another step.
 */
export function emptyVariables(records: readonly OpenRecord[] | null): void {
  const names = savedVariables()
  if (names.length === 0) return
  const environment = stepEnvironment()
  const held = names.filter((name) => (environment[name] ?? "") !== "")
  const listed = (some: readonly string[]) => forLog(some.join(", "))
  if (held.length === 0) return
  if (records === null) {
    warn(
      `These variables stay set, because this step cannot know any more whether the values are its own: ${listed(held)}.`,
    )
    return
  }
  const isOurs = (name: string) =>
    records.some((record) =>
      record.values.some((value) => value.env === name && isWhole(record, value, environment[name] ?? "")),
    )
  const ours = held.filter(isOurs)
  if (ours.length > 0) {
    setVariables(new Map(ours.map((name) => [name, ""])))
    info(`Emptied for the post steps that follow: ${listed(ours)}.`)
  }
  const others = held.filter((name) => !ours.includes(name))
  if (others.length > 0) info(`Left, because another step has set them since: ${listed(others)}.`)
}
