import { randomUUID } from "node:crypto"
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import type { PlannedFile } from "./deliver/files.ts"
import { readRegular, writeNew } from "./disk/safe-file.ts"
import { ActionError, deliveryRefused } from "./failure.ts"
import { temporaryFolder } from "./runner.ts"

const PREFIX = "daypass-"

/**
 * The path of a new folder for this step's files, in the runner's temporary folder. That is outside the workspace, so a
 * checkout, cache or upload of the workspace does not include the files. The folder is not created yet.
 * @throws {ActionError} `runner_file_missing`
 */
export function jobFolder(): string {
  const root = temporaryFolder()
  if (root === null) throw new ActionError("runner_file_missing", "The runner did not set RUNNER_TEMP.")
  return join(root, `${PREFIX}${randomUUID()}`)
}

/** True for the path of a folder that `jobFolder` chose. */
export function isJobFolder(folder: string): boolean {
  return dirname(folder) === temporaryFolder() && basename(folder).startsWith(PREFIX)
}

/**
 * A path in this step's folder for what the action itself needs. No grant's name starts with a dot, so no delivered file
 * can have the same path.
 */
export function pathIn(folder: string, name: string): string {
  return join(folder, ".run", name)
}

/** Creates a folder of `jobFolder`, which must not exist yet. Only its owner can enter it. */
export function makeJobFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o700 })
}

/**
 * Names that Windows keeps for devices, with any ending (Microsoft's "Naming Files, Paths, and Namespaces"). A program that writes
 * `con` there writes to the console, and so to the job's log.
 */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i

/**
 * Creates the folder, which must not exist yet, and writes the files.
 * @throws {ActionError} `delivery_refused` for a file that Windows takes for a device, before anything is written
 */
export function writeJobFiles(
  folder: string,
  files: readonly PlannedFile[],
  platform: NodeJS.Platform = process.platform,
): void {
  const parts = files.flatMap(({ path }) => relative(folder, path).split(/[\\/]/))
  const device = platform === "win32" ? parts.find((part) => DEVICE.test(part)) : undefined
  if (device !== undefined)
    throw deliveryRefused(`Windows keeps the name ${device} for a device, so no file can have it. Rename the grant.`)
  makeJobFolder(folder)
  for (const { path, bytes, mode } of files) {
    mkdirSync(dirname(path), { mode: 0o700, recursive: true })
    writeNew(path, bytes, mode)
  }
}

/**
 * The files of a folder of `jobFolder` whose names match. Null when the folder is not there, when a file cannot be read as what
 * this action wrote, a regular file that is reached without a link, or when they are larger than the action makes them.
 */
export function readJobFiles(
  folder: string,
  names: RegExp,
  most: { readonly eachBytes: number; readonly allBytes: number },
): readonly Buffer[] | null {
  try {
    if (!isJobFolder(folder) || !isFolder(folder)) return null
    let left = most.allBytes
    const read = readdirSync(folder)
      .filter((name) => names.test(name))
      .map((name) => {
        const bytes = readRegular(join(folder, name), Math.min(most.eachBytes, left))
        left -= bytes?.length ?? 0
        return bytes
      })
    return read.every((bytes) => bytes !== null) ? read : null
  } catch {
    return null
  }
}

/** Whether a folder is at this path, and no link to one. @throws when nothing is there */
export const isFolder = (path: string): boolean => lstatSync(path).isDirectory()

/** Removes a folder of `jobFolder` with its files. Ignores every other path. */
export function removeJobFolder(folder: string): void {
  if (isJobFolder(folder)) rmSync(folder, { recursive: true, force: true })
}
