import { existsSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, join, relative, resolve, sep } from "node:path"
import { ORGANISATION_FILE, type PolicyInput } from "../../broker/core/policy/load.ts"
import { kindOf } from "../../broker/core/policy/policy-input.ts"
import { createPolicyLoader } from "../../broker/core/policy/policy-loader.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { reasonOf } from "../arguments.ts"
import type { Finding } from "../format.ts"
import type { LoadedFolder } from "../policies.ts"

/** A file, and the folder of policies that it is in. */
export interface FileInFolder {
  /** The nearest folder above that has an organisation file; without one, the file's own. */
  readonly folder: string
  /** From the folder, with forward slashes. */
  readonly file: string
  /** True when no folder above has an organisation file. */
  readonly isAlone: boolean
}

/** Where a file belongs; null for a path that is no file. */
export function fileInFolder(path: string): FileInFolder | null {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return null
  const full = resolve(path)
  for (let folder = dirname(full); ; folder = dirname(folder)) {
    if (existsSync(join(folder, ORGANISATION_FILE))) {
      const written = relative(process.cwd(), folder)
      const shown = written.startsWith("..") ? folder : written || "."
      return { folder: shown, file: relative(folder, full).split(sep).join("/"), isAlone: false }
    }
    if (dirname(folder) === folder) return { folder: dirname(path), file: basename(path), isAlone: true }
  }
}

/** Faults that say nothing of a file by itself: what it refers to may well be there. */
const OF_OTHER_FILES: ReadonlySet<string> = new Set(["organisation_missing", "secrets_unknown"])

/** What can be said of a file without its folder. A sentence instead when it cannot be read. */
export function loadAlone({ folder, file }: FileInFolder): LoadedFolder | string {
  const path = join(folder, file)
  try {
    const inputs: readonly PolicyInput[] = [{ path: file, bytes: readFileSync(path) }]
    const { load, parse } = createPolicyLoader(PROVIDERS)
    const loaded = load(inputs)
    const fault = loaded.ok ? [] : loaded.fault.filter(({ code }) => !OF_OTHER_FILES.has(code))
    return { files: 1, inputs, parse, result: { ok: false, fault } }
  } catch (error) {
    return `${path} cannot be read (${reasonOf(error)})`
  }
}

/** Why `check` has nothing to say of such a file; null when it has. */
export function noPolicyFile({ file }: FileInFolder): string | null {
  if (file.endsWith(".test.yaml")) return `${file} has policy tests: daypass test runs them`
  const isRead = kindOf({ path: file, bytes: new Uint8Array() }, []) !== null || /\.ya?ml$/i.test(file)
  return isRead ? null : `${file} is no policy file, organisation file or secrets file: their names end with .yaml`
}

/** What a person must know of the answer for one file. */
export function summaryOfFile(
  { folder, file, isAlone }: FileInFolder,
  own: readonly Finding[],
  all: readonly Finding[],
): string {
  const found = own.length === 0 ? "no faults" : `${own.length} ${own.length === 1 ? "finding" : "findings"}`
  if (isAlone) {
    return `${file}: ${found} in the file itself. No folder above has a ${ORGANISATION_FILE}, so this was not checked: what its grants say, issuers and owners, boundaries, other files, and whether its rules do what they seem to.`
  }
  const errors = all.filter(({ severity, file: other }) => severity === "error" && other !== file).length
  const others = errors === 0 ? "" : ` Other files of the folder have errors (${errors}), so there are no warnings.`
  return `${file}: ${found}, as a part of the folder ${folder}.${others}`
}
