import { join } from "node:path"
import { readPolicyFolder } from "../broker/adapters/node/read-policy-folder.ts"
import { loadPolicySet, type PolicyInput } from "../broker/core/policy/load.ts"
import type { PolicyFault, PolicySet } from "../broker/core/policy/model.ts"
import type { Result } from "../broker/core/result.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { reasonOf } from "./arguments.ts"

export interface LoadedFolder {
  readonly files: number
  readonly result: Result<PolicySet, readonly PolicyFault[]>
}

/** Loads a policy folder with the broker's own loader; a sentence when the folder itself cannot be read. */
export function loadPolicies(folder: string): LoadedFolder | string {
  let files: readonly PolicyInput[]
  try {
    files = readPolicyFolder(folder)
  } catch (error) {
    return `the folder ${folder} cannot be read (${reasonOf(error)})`
  }
  return { files: files.length, result: loadPolicySet(files, PROVIDERS) }
}

/** A fault as compilers write theirs, so that editors and terminals link to the place. */
export function faultLine(folder: string, { file, line, column, code, message }: PolicyFault): string {
  return `${join(folder, file)}:${line}:${column}: ${message} [${code}]`
}
