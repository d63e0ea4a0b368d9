import { type Credential, hasLogins } from "../answer.ts"
import { deliveryRefused } from "../failure.ts"
import { masksFor } from "../masks.ts"
import { registerMasks } from "../runner.ts"
import type { PlannedFile } from "./files.ts"

/** The files of logins, and all variables: those of the credentials, and those with which tools find the logins. */
interface LoginPlan {
  readonly files: readonly PlannedFile[]
  readonly variables: ReadonlyMap<string, string>
  /** For the log, when the files are written. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Adds the logins of `credentials`, as received, to the variables that are about to be set. What was made of secrets is masked
 * before this returns. Only a step with logins loads the code for them.
 * @throws {ActionError} `delivery_refused`, `answer_unusable`
 */
export async function planLogins(
  credentials: readonly Credential[],
  about: {
    readonly folder: string | null
    readonly environment: NodeJS.ProcessEnv
    readonly variables: ReadonlyMap<string, string>
  },
): Promise<LoginPlan> {
  const { folder, environment, variables } = about
  if (folder === null || !hasLogins(credentials)) return { files: [], variables, notes: [], warnings: [] }
  const { planJobTools } = await import("../files/tools/plan.ts")
  const tools = planJobTools(credentials, folder, environment)
  const set = new Set([...variables.keys()].map((name) => name.toUpperCase()))
  const both = [...tools.variables.keys()].find((name) => set.has(name.toUpperCase()))
  if (both !== undefined)
    throw deliveryRefused(`A grant sets the variable ${both}, which a login needs. Use two steps.`)
  await registerMasks(tools.secrets.flatMap(masksFor))
  return { ...tools, variables: new Map([...variables, ...tools.variables]) }
}
