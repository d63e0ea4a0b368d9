import { randomUUID } from "node:crypto"
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, writeFileSync } from "node:fs"
import { ActionError } from "./failure.ts"

// Windows has neither of the last two.
const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants

/**
 * Appends to one of the runner's files, for example the one of GITHUB_ENV. The runner makes a regular file with one name. A
 * link in its place would have this action write a text that the job knows into another file: a container of the job, which
 * sees the runner's temporary folder, could reach a file of the runner's machine like this. A pipe would stop the step for ever.
 * @throws {ActionError} `runner_disk`, with nothing written
 */
export function appendToRunnerFile(name: string, path: string, text: string): void {
  const descriptor = open(name, path)
  try {
    requireOrdinary(name, fstatSync(descriptor))
    writeFileSync(descriptor, text)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Finds such a link before anything is asked of the broker. A file that is missing is made later.
 * @throws {ActionError} `runner_disk`
 */
export function requireRunnerFile(name: string, path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found !== undefined) requireOrdinary(name, found)
}

function open(name: string, path: string): number {
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : ""
    // A link, a pipe without a reader, a folder: the system's own way to say what `requireOrdinary` says.
    if (code === "ELOOP" || code === "EMLINK" || code === "ENXIO" || code === "EISDIR") throw planted(name)
    throw thrown
  }
}

/** A device, such as /dev/null, is no way to another file. */
function requireOrdinary(name: string, found: Stats): void {
  const isOrdinary = found.isCharacterDevice() || (found.isFile() && found.nlink === 1)
  if (!isOrdinary) throw planted(name)
}

function planted(name: string): ActionError {
  return new ActionError("runner_disk", `A link or something else stands where the runner's file of ${name} must be.`, {
    change:
      "Look for the step or the container of this job that writes to the runner's temporary folder, and do not trust it.",
  })
}

/** `name<<delimiter`, the value, and the delimiter. The delimiter is random, so a value cannot contain it on purpose. */
export function block(name: string, value: string): string {
  const delimiter = `daypass_${randomUUID()}`
  if (name.includes(delimiter) || value.includes(delimiter)) return block(name, value)
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`
}
