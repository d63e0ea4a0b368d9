import { readRegular, replaceFile } from "../disk/safe-file.ts"

const MAX_BYTES = 256 * 1024

/** The JSON of a file; undefined when it is absent, is a link, is too large, or holds something else. */
export function readKept(path: string): unknown {
  try {
    return JSON.parse(readRegular(path, MAX_BYTES)?.toString("utf8") ?? "")
  } catch {
    return undefined
  }
}

/** Readers see the old JSON or the new one. */
export const replaceKept = (path: string, value: unknown): void => replaceFile(path, JSON.stringify(value))
