import { readPolicyFolder } from "../broker/adapters/node/read-policy-folder.ts"
import type { PolicyInput } from "../broker/core/policy/load.ts"
import type { PolicyFault, PolicySet } from "../broker/core/policy/model.ts"
import { createPolicyLoader, type PolicyLoader } from "../broker/core/policy/policy-loader.ts"
import type { Result } from "../broker/core/result.ts"
import type { Steps } from "../broker/core/steps.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { reasonOf } from "./arguments.ts"
import type { Finding } from "./format.ts"
import type { CliIo } from "./io.ts"
import { progressOf } from "./terminal.ts"

export interface LoadedFolder {
  readonly files: number
  /** The files as they were read, tests of policies included. */
  readonly inputs: readonly PolicyInput[]
  readonly result: Result<PolicySet, readonly PolicyFault[]>
  /** Parses a file of the folder, each only once. */
  readonly parse: PolicyLoader["parse"]
}

/**
 * Loads the files of a policy folder with the broker's own loader.
 *
 * @param io where the progress of a large folder is shown
 */
export function loadFiles(files: readonly PolicyInput[], io: Pick<CliIo, "status"> = {}): LoadedFolder {
  const { steps, parse } = createPolicyLoader(PROVIDERS)
  return { files: files.length, inputs: files, result: shown(steps(files), files.length, io), parse }
}

/** Loads a policy folder, as `loadFiles`. Returns a sentence if the folder itself cannot be read. */
export function loadPolicies(folder: string, io?: Pick<CliIo, "status">): LoadedFolder | string {
  let files: readonly PolicyInput[]
  try {
    files = readPolicyFolder(folder)
  } catch (error) {
    const reason = reasonOf(error)
    return reason === "ENOENT"
      ? `${folder} does not exist. Name the policy folder; "daypass init" makes one`
      : `the folder ${folder} cannot be read (${reason})`
  }
  return loadFiles(files, io)
}

/** The loader parses each file, checks it, and compares the names of its grants. */
const STEPS_OF_A_FILE = 3

function shown<Outcome>(steps: Steps<Outcome>, files: number, io: Pick<CliIo, "status">): Outcome {
  const progress = progressOf(io, "loading policies", files * STEPS_OF_A_FILE)
  for (;;) {
    const step = steps.next()
    if (step.done) {
      progress.end()
      return step.value
    }
    progress.add(1)
  }
}

/** The errors of a folder that does not load, in the order of its files; empty if it loads. */
export function findingsOf({ result }: LoadedFolder): readonly Finding[] {
  return result.ok ? [] : result.fault.map((fault) => ({ severity: "error", ...fault }))
}
