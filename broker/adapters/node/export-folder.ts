import { mkdir, open, rename, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { BrokerError } from "../../core/errors.ts"
import type { ExportSink } from "../../ports/export-sink.ts"

/** The group can read, so that a shipper of logs needs not run as the broker. */
const FILE_MODE = 0o640
const FOLDER_MODE = 0o750

/**
 * Objects as files of a folder, which must exist: a disk that is not mounted must not look like an empty export.
 *
 * A file appears under its name only when it is whole and on disk: it is written beside it, flushed and renamed. What a crash
 * leaves beside it is overwritten by the next attempt.
 */
export function createFolderSink(folder: string): ExportSink {
  return {
    async put({ name, bytes }) {
      await requireFolder(folder)
      const path = join(folder, name)
      const parent = dirname(path)
      const unfinished = join(parent, `.${basename(path)}.unfinished`)
      try {
        const made = await mkdir(parent, { recursive: true, mode: FOLDER_MODE })
        const file = await open(unfinished, "w", FILE_MODE)
        try {
          await file.writeFile(bytes)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(unfinished, path)
        // The name is durable with its folder, and a new folder with the one above it.
        for (let at = parent; ; at = dirname(at)) {
          await flush(at)
          if (made === undefined || at === dirname(made) || at === folder) break
        }
      } catch (cause) {
        throw new BrokerError(
          "provider_unavailable",
          `The export folder ${folder} cannot be written (${codeOf(cause)}).`,
          { cause },
        )
      }
    },
  }
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null)
  if (found?.isDirectory()) return
  throw new BrokerError(
    "configuration_invalid",
    `The export folder ${folder} is not there. Create it, or mount its disk.`,
  )
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "unknown"
