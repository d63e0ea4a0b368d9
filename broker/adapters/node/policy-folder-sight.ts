import { FILE_START, fault } from "../../core/policy/faults.ts"
import type { PolicyFault } from "../../core/policy/model.ts"
import type { Steps } from "../../core/steps.ts"
import { FolderChangingError, type FolderLook, type FolderReader, isAlike } from "./read-policy-folder.ts"
import { inSlices } from "./slices.ts"

/** What one look at a policy folder found: its files, or why they cannot be read. */
export type Sight =
  | { readonly ok: true; readonly value: FolderLook }
  | { readonly ok: false; readonly fault: readonly PolicyFault[]; readonly isChanging: boolean }

/** Looks at a folder once. An unreadable file or folder is a fault like any other. */
export function* sightOf(folder: string, reader: FolderReader): Steps<Sight> {
  try {
    return { ok: true, value: yield* reader.look() }
  } catch (error) {
    const isChanging = error instanceof FolderChangingError
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error"
    const path = error instanceof Error && "path" in error ? String(error.path) : folder
    const message = isChanging ? CHANGING : `This cannot be read (${code}): ${REMEDIES[code] ?? REMEDY}.`
    return { ok: false, fault: [fault(path, FILE_START, "folder_unreadable", message)], isChanging }
  }
}

/**
 * Looks at a folder until it has been still for `quietMs`: by the times of its files, which spares the wait when they are
 * older, or by two looks. A folder that cannot be read is returned at once, and one that is written to without a pause
 * after `unrestMs`.
 */
export async function firstSight(
  folder: string,
  reader: FolderReader,
  { quietMs, unrestMs }: { readonly quietMs: number; readonly unrestMs: number },
): Promise<Sight> {
  const from = performance.now()
  let stillFrom = from
  for (;;) {
    const at = performance.now()
    const sight = await inSlices(sightOf(folder, reader))
    if (!sight.ok && !sight.isChanging) return sight
    const isTouched = !sight.ok || sight.value.changed || sight.value.touched
    if (isTouched) stillFrom = performance.now()
    else if (at - stillFrom >= quietMs) return sight
    if (sight.ok && sight.value.unwrittenMs >= quietMs) return sight
    if (at - from > unrestMs)
      return { ok: false, fault: [fault(folder, FILE_START, "folder_unreadable", CHANGING)], isChanging: true }
    const left = sight.ok ? quietMs - Math.max(sight.value.unwrittenMs, at - stillFrom) : quietMs
    await new Promise<void>((resume) => setTimeout(resume, Math.max(1, left)))
  }
}

/** Whether two looks found the same, whatever was written without effect in between. */
export function isSameSight(one: Sight, other: Sight): boolean {
  if (one.ok && other.ok) return isAlike(one.value.files, other.value.files)
  if (one.ok || other.ok) return false
  return JSON.stringify(one.fault) === JSON.stringify(other.fault)
}

/** Whether nothing was written between two looks, one directly after the other. */
export function isUntouched(before: Sight, sight: Sight): boolean {
  if (sight.ok) return before.ok && !sight.value.changed && !sight.value.touched
  return !sight.isChanging && isSameSight(before, sight)
}

const CHANGING = "This folder was written to each time it was read: wait until nothing writes to it."
const REMEDY = "check that it exists and is readable"
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist. Restore it",
  EACCES: "the broker's user may not read it. Give that user the right to read it, and to enter its folder",
  EPERM: "the broker's user may not read it. Give that user the right to read it, and to enter its folder",
  ELOOP: "its symlink leads back to itself. Point it to the folder again",
  ENOTDIR: "it is a file where a folder should be. Restore the folder",
}
