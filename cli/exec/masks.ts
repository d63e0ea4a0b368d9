import { fstatSync, writeSync } from "node:fs"
import type { HostLog } from "../../action/host.ts"
import { programOfCi, runProgram } from "./sources/program.ts"
import type { Environment } from "./sources/source.ts"

/** How one CI is told to hide texts in its log. */
interface Masker {
  isHere(environment: Environment): boolean
  /** Resolves to why it did not work, as a clause; null when it did. */
  hide(texts: readonly string[], environment: Environment): Promise<string | null>
}

const REDACTOR_TIMEOUT_MS = 10_000
const STDERR = 2

/**
 * Buildkite: the agent's redactor, which reads a JSON object of texts (buildkite.com/docs/agent/cli/reference/redactor). The texts
 * go to its standard input, because other users of the machine can read arguments.
 */
const BUILDKITE: Masker = {
  isHere: (environment) => environment["BUILDKITE"] === "true",
  async hide(texts, environment) {
    const program = programOfCi("buildkite-agent", environment)
    if (program === null) return "there is no buildkite-agent in PATH"
    const input = JSON.stringify(Object.fromEntries(texts.map((text, at) => [String(at), text])))
    const args = ["redactor", "add", "--format", "json"]
    const timeoutMs = REDACTOR_TIMEOUT_MS
    const { fault } = await runProgram({ program, args, environment, timeoutMs, input, isQuiet: true })
    return fault === null ? null : `buildkite-agent ${fault}`
  },
}

/**
 * Azure Pipelines: the logging command `task.setsecret` (learn.microsoft.com: logging commands). Not `task.setvariable`, which
 * would also give the value to later steps.
 */
const AZURE_PIPELINES: Masker = {
  isHere: (environment) => environment["TF_BUILD"] !== undefined,
  async hide(texts) {
    if (isFile(STDERR)) return "standard error is a file, and the values must not be written to it"
    writeSync(STDERR, texts.map((text) => `##vso[task.setsecret]${escaped(text)}\n`).join(""))
    return null
  },
}

/** As the agent decodes a command's data. */
const escaped = (text: string) => text.replaceAll("%", "%AZP25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

const MASKERS: readonly Masker[] = [BUILDKITE, AZURE_PIPELINES]

/** True when a stream is a file on the disk, where a mask would stay. */
export function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    return false
  }
}

/**
 * Hides texts in the log of a CI that does not read GitHub's commands. GitLab, CircleCI, Bitbucket and others have no way to add a
 * mask while a job runs: there, only the command's own output is filtered.
 * @param warn gets a sentence, once
 */
export function ciLog(environment: Environment, warn: (sentence: string) => void): HostLog {
  const masker = MASKERS.find(({ isHere }) => isHere(environment))
  let hasWarned = false
  return {
    async hide(texts) {
      if (masker === undefined || texts.length === 0) return
      const fault = await masker.hide(texts, environment)
      if (fault === null || hasWarned) return
      hasWarned = true
      warn(`The values are hidden in the command's output alone, and not in other logs of the job: ${fault}.`)
    },
  }
}
