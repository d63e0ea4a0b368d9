import { readPolicyFolder } from "../broker/adapters/node/read-policy-folder.ts"
import type { PolicyInput } from "../broker/core/policy/load.ts"
import type { PolicyFault, PolicySet } from "../broker/core/policy/model.ts"
import { createPolicyLoader, type PolicyLoader } from "../broker/core/policy/policy-loader.ts"
import type { Result } from "../broker/core/result.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { reasonOf } from "./arguments.ts"
import type { Finding } from "./format.ts"

export interface LoadedFolder {
  readonly files: number
  /** The files as they were read, tests of policies included. */
  readonly inputs: readonly PolicyInput[]
  readonly result: Result<PolicySet, readonly PolicyFault[]>
  /** Parses a file of the folder, each only once. */
  readonly parse: PolicyLoader["parse"]
}

/** Loads the files of a policy folder with the broker's own loader. */
export function loadFiles(files: readonly PolicyInput[]): LoadedFolder {
  const { load, parse } = createPolicyLoader(PROVIDERS)
  return { files: files.length, inputs: files, result: load(files), parse }
}

/** Loads a policy folder. Returns a sentence if the folder itself cannot be read. */
export function loadPolicies(folder: string): LoadedFolder | string {
  let files: readonly PolicyInput[]
  try {
    files = readPolicyFolder(folder)
  } catch (error) {
    return `the folder ${folder} cannot be read (${reasonOf(error)})`
  }
  return loadFiles(files)
}

/** The errors of a folder that does not load, in the order of its files; empty if it loads. */
export function findingsOf({ result }: LoadedFolder): readonly Finding[] {
  return result.ok ? [] : result.fault.map((fault) => ({ severity: "error", ...fault }))
}
