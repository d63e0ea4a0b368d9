import { tmpdir } from "node:os"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Host } from "../../action/host.ts"
import { logToStandardError } from "../../action/log.ts"
import { runOn, warn } from "../../action/runner.ts"
import { takeTokensFrom } from "../../action/subject-tokens.ts"
import type { CliIo } from "../io.ts"
import { ciLog, isFile } from "./masks.ts"
import { plainTokens } from "./plain.ts"
import { sessionTokens } from "./session.ts"
import type { Found } from "./sources/sources.ts"

/** The log of GitHub and Forgejo, whose runners read workflow commands from standard error as well. */
const readsWorkflowCommands = ({ env }: Pick<CliIo, "env">) => env["GITHUB_ACTIONS"] === "true" && !isFile(2)

/** How messages name what is an input of the action, and not an option of the same name. */
const NAMES: Readonly<Record<string, string>> = {
  "azure-cli": "The option `--azure-cli`",
  shell: "The command",
}

/** Makes the action's client run in this process: its log is standard error, and its own files are in the temporary folder. */
export function startClient(io: Pick<CliIo, "env">): { readonly hasCommands: boolean } {
  const hasCommands = readsWorkflowCommands(io)
  const temporary = io.env["RUNNER_TEMP"] || io.env["AGENT_TEMPDIRECTORY"] || tmpdir()
  const host: Host = {
    log: hasCommands ? null : ciLog(io.env, (sentence) => warn(sentence)),
    temporaryFolder: resolve(temporary),
    userAgent: "daypass-cli",
    laterRevocation: "the broker revokes what it can when its time is over",
    programPath: ownProgram,
    nameOfInput: (name) => NAMES[name] ?? `The option \`--${name}\``,
  }
  logToStandardError()
  runOn(host)
  return { hasCommands }
}

/** From now on, all calls show tokens of this source. */
export function useSource({ title, tokens }: Found): void {
  if (tokens.canChooseAudience) takeTokensFrom(tokens)
  else takeTokensFrom(tokens.renewed === "each-call" ? plainTokens(tokens) : sessionTokens(tokens, title))
}

/** Beside this file when it is built. In a checkout, the action's own source. */
function ownProgram(name: string): string {
  const isSource = import.meta.url.endsWith(".ts")
  return fileURLToPath(new URL(isSource ? `../../action/${name}.ts` : `./${name}.js`, import.meta.url))
}
