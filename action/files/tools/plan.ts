import { targetOf } from "../../../broker/wire/tool-login.ts"
import type { Credential } from "../../answer.ts"
import { deliveryRefused } from "../../failure.ts"
import { planDocker } from "./docker.ts"
import { planGit } from "./git.ts"
import { planKubeconfig } from "./kubeconfig.ts"
import { readLogins, type ToolsContext, type ToolsPlan } from "./login.ts"
import { planNetrc } from "./netrc.ts"
import { planNpmrc } from "./npmrc.ts"
import { ownFiles } from "./own-files.ts"

interface Noted {
  /** Who logs in where, for the log. */
  readonly notes: readonly string[]
}

/** Each writes the logins of its tool into one file, below `tools/` in the step's folder. */
const TOOLS = [planDocker, planGit, planKubeconfig, planNetrc, planNpmrc]

/**
 * Checks the logins of these credentials, and returns the files and variables with which tools use them. Writes none. What
 * the job's tools have of their own stays.
 * @throws {ActionError} `answer_unusable`, `delivery_refused`
 */
export function planTools(credentials: readonly Credential[], context: ToolsContext): ToolsPlan & Noted {
  const logins = readLogins(credentials)
  const taken = credentials.find(
    ({ grant, values }) => grant.toLowerCase() === "tools" && values.some(({ file }) => file !== undefined),
  )
  if (logins.length > 0 && taken !== undefined)
    throw deliveryRefused(
      `The files of the grant ${taken.grant} would be where logins are: give the grant another name.`,
    )
  const plans = TOOLS.map((plan) => plan(logins, context))
  return {
    files: plans.flatMap(({ files }) => files),
    variables: new Map(plans.flatMap(({ variables }) => [...variables])),
    secrets: plans.flatMap(({ secrets }) => secrets),
    warnings: plans.flatMap(({ warnings }) => warnings),
    notes: logins.map(
      ({ grant, name, login }) => `${login.tool}: logged in at ${targetOf(login)} with the value ${name} of ${grant}.`,
    ),
  }
}

/** As `planTools`, for the job that this step is of. */
export function planJobTools(
  credentials: readonly Credential[],
  folder: string,
  environment: ToolsContext["environment"],
): ToolsPlan & Noted {
  return planTools(credentials, { folder, environment, platform: process.platform, own: ownFiles })
}
