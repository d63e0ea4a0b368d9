import { type Credential, requiredValue, valueNamed } from "../answer.ts"
import { ActionError } from "../failure.ts"
import { invalid } from "../inputs.ts"
import { parseUrl } from "../url.ts"
import type { ChildOutput } from "./output.ts"
import { findProgram } from "./place.ts"
import { type CommandLine, runProcess } from "./process.ts"

/** Azure's command line, as it can be started on this system. */
export type AzureCli = (args: readonly string[]) => Pick<CommandLine, "program" | "args" | "verbatim">

/**
 * Finds `az` in the job's PATH.
 * @throws {ActionError} `input_invalid` when it is not there
 */
export function findAzureCli(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): AzureCli {
  const isWindows = platform === "win32"
  const found = findProgram("az", environment, isWindows)
  if (found === null) {
    throw invalid(
      "azure-cli",
      "is for the Azure command line, but no az is in this job's PATH; install it before this step",
    )
  }
  if (!/\.(?:cmd|bat)$/i.test(found)) return (args) => ({ program: found, args, verbatim: false })
  // Windows starts a script by cmd only. Every argument is put in quotes, and none has a quote itself.
  const shell = environment["ComSpec"] ?? "cmd.exe"
  return (args) => {
    const line = [found, ...args].map((part) => `"${part}"`).join(" ")
    return { program: shell, args: ["/D", "/S", "/C", `"${line}"`], verbatim: true }
  }
}

/** Names by which `az` knows the clouds whose authority is not the public one. */
const CLOUDS: ReadonlyMap<string, string> = new Map([
  ["login.microsoftonline.us", "AzureUSGovernment"],
  ["login.partner.microsoftonline.cn", "AzureChinaCloud"],
])

/**
 * The command lines that log `az` in, in order. The token is not among the arguments, which other users of the machine can
 * read: `az` takes an argument's value from a file that is named behind an at sign.
 */
export function loginLines(credential: Credential, tokenFile: string): readonly (readonly string[])[] {
  const cloud = CLOUDS.get(parseUrl(requiredValue(credential, "authority-host"))?.hostname ?? "")
  const subscription = valueNamed(credential, "subscription-id")
  const quiet = ["--only-show-errors", "--output", "none"]
  const login = [
    ...["login", "--service-principal"],
    ...["--username", requiredValue(credential, "client-id"), "--tenant", requiredValue(credential, "tenant-id")],
    `--federated-token=@${tokenFile}`,
    ...(subscription === undefined ? ["--allow-no-subscriptions"] : []),
    ...quiet,
  ]
  return [
    ...(cloud === undefined ? [] : [["cloud", "set", "--name", cloud, ...quiet]]),
    login,
    ...(subscription === undefined ? [] : [["account", "set", "--subscription", subscription, ...quiet]]),
  ]
}

/**
 * Logs `az` in for the command, in the folder of its own that `environment` names. What `az` says goes to the log.
 * @throws {ActionError} `azure_login_failed`
 */
export async function logInAzureCli(
  az: AzureCli,
  lines: readonly (readonly string[])[],
  place: Pick<CommandLine, "folder" | "environment">,
  output: ChildOutput | null,
): Promise<void> {
  const environment = { ...place.environment, AZURE_CORE_COLLECT_TELEMETRY: "false" }
  for (const args of lines) {
    const exitCode = await runProcess({ ...place, ...az(args), environment }, output)
    if (exitCode === 0) continue
    const message = `az ${args.slice(0, args[0] === "login" ? 1 : 2).join(" ")} ended with exit code ${exitCode}. Its own message is in the log above.`
    throw new ActionError("azure_login_failed", message)
  }
}
