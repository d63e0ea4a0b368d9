import { join } from "node:path"
import type { Credential } from "../answer.ts"
import { planEnvironment } from "../deliver/environment.ts"
import { type PlannedFile, planFiles } from "../deliver/files.ts"
import { placesOf } from "../deliver/plan.ts"
import { planValues } from "../files/values.ts"

/** How the command gets the values that it does not fetch by itself. Nothing of it is written yet. */
interface ValuePlan {
  readonly files: readonly PlannedFile[]
  readonly variables: ReadonlyMap<string, string>
  /** By grant. */
  readonly places: ReadonlyMap<string, readonly string[]>
  readonly notes: readonly string[]
}

/** The variable with the folder of `values.env`, `values.json` and `files/`. */
const FILES_VARIABLE = "DAYPASS_FILES"

/**
 * Variables, and files for values that are files: `GRANT/VALUE`.
 * @throws {ActionError} `delivery_refused`
 */
export function toVariables(rest: readonly Credential[], folder: string): ValuePlan {
  const { files, credentials } = planFiles(rest, folder)
  return {
    files,
    variables: planEnvironment(credentials.filter(({ values }) => values.length > 0)),
    places: placesOf(credentials, { toEnvironment: true, toOutputs: false }),
    notes: [],
  }
}

/**
 * Files alone, as `deliver: files` writes them: `values.env`, `values.json` and `files/GRANT/VALUE`. Variables hold paths and
 * public values.
 * @param received the same credentials with what the command fetches by itself
 * @throws {ActionError} `delivery_refused`
 */
export function toFiles(rest: readonly Credential[], received: readonly Credential[], folder: string): ValuePlan {
  const withTool = new Set(rest.filter((one, at) => one !== received[at]).map(({ grant }) => grant))
  const single = planFiles(rest, join(folder, "files"))
  const plan = planValues(single.credentials, { folder }, withTool)
  return {
    ...plan,
    files: [...plan.files, ...single.files],
    variables: new Map([...plan.variables, [FILES_VARIABLE, folder]]),
  }
}
