import { invalid } from "../inputs.ts"

export interface RunInputs {
  /** The command as it is written in the workflow. */
  readonly script: string
  /** As under `shell:` of a step; empty for the runner's default. */
  readonly shell: string
  /** Empty for the workspace. */
  readonly workingDirectory: string
  readonly passesIdToken: boolean
  /** `az` is logged in before the command. */
  readonly logsInAzureCli: boolean
}

/**
 * Reads and checks the inputs of `run`. `read` returns an input's text as it is; empty when the input is absent.
 * @throws {ActionError} `input_invalid`
 */
export function readRunInputs(read: (name: string) => string): RunInputs {
  if (read("deliver").trim() !== "") {
    throw invalid("deliver", "cannot be used with `run`: the credentials are delivered to the command alone")
  }
  const idToken = read("id-token").trim()
  if (idToken !== "" && idToken !== "pass") throw invalid("id-token", "must be pass, or left out")
  const azureCli = read("azure-cli").trim()
  if (azureCli !== "" && azureCli !== "login") throw invalid("azure-cli", "must be login, or left out")
  return {
    script: read("run"),
    shell: read("shell").trim(),
    workingDirectory: read("working-directory").trim(),
    passesIdToken: idToken === "pass",
    logsInAzureCli: azureCli === "login",
  }
}
