import { join } from "node:path"
import { ownerFile } from "../../deliver/files.ts"
import { deliveryRefused } from "../../failure.ts"
import { basicOf, type Login, loginsFor, NOTHING, type ToolsContext, type ToolsPlan } from "./login.ts"

/** More pairs than this are a mistake: git itself has no limit. */
const MAX_PAIRS = 10_000

/**
 * A configuration file that git includes, and for each host a file with its user and password that a credential helper reads.
 * No URL and no line of the configuration has the password, so git cannot print it.
 *
 * The file is added with GIT_CONFIG_COUNT, at the next free number, and not with GIT_CONFIG_GLOBAL: that would replace the
 * user's own configuration with its name, its safe.directory and its filters. Git ignores the file when it is gone.
 *
 * Source: git-config(1), "Environment" and "Includes"; gitcredentials(7), "Configuration options".
 */
export function planGit(all: readonly Login[], context: ToolsContext): ToolsPlan {
  const logins = loginsFor(all, "git")
  if (logins.length === 0) return NOTHING
  const at = nextPair(context.environment)
  const folder = join(context.folder, "tools", "git")
  const passwords = logins.map(({ login, value }) =>
    ownerFile(join(folder, fileOf(login.host)), `username=${login.user}\npassword=${value}\n`),
  )
  const configuration = join(folder, "config")
  const sections = logins.map(({ login }) => sectionsFor(login.host, `GIT_CONFIG_VALUE_${at}`))
  return {
    files: [ownerFile(configuration, sections.join("")), ...passwords],
    variables: new Map([
      ["GIT_CONFIG_COUNT", String(at + 1)],
      [`GIT_CONFIG_KEY_${at}`, "include.path"],
      // The helper's shell takes the folder from it, also on Windows.
      [`GIT_CONFIG_VALUE_${at}`, context.platform === "win32" ? configuration.replaceAll("\\", "/") : configuration],
    ]),
    secrets: logins.map(({ login, value }) => basicOf(login.user, value)),
    warnings: [],
  }
}

/**
 * The configuration for one host, with three purposes:
 *
 * - The empty helper takes away all others for this host, which would be asked first and would be told the password.
 * - The empty header takes away the one that actions/checkout leaves in a repository. Git would send that instead, and a server
 *   that answers 404 to it never asks for a password.
 * - The helper answers `get`, and ignores `store` and `erase`. It finds its file beside the included one: in a container action,
 *   the runner translates that variable to the path there, and would not translate a path in this file.
 */
function sectionsFor(host: string, variable: string): string {
  const helper = `!f() { test \\"$1\\" != get || cat \\"\${${variable}%/*}/${fileOf(host)}\\"; }; f`
  return `[credential "https://${host}"]
	helper =
	helper = "${helper}"
[http "https://${host}/"]
	extraHeader =
[url "https://${host}/"]
	insteadOf = git@${withoutPort(host)}:
	insteadOf = ssh://git@${withoutPort(host)}/
`
}

/** No host has an underscore, so two hosts never share a file, and none is called `config`. */
const fileOf = (host: string) => `login_${host.replace(":", "_")}`

const withoutPort = (host: string) => host.replace(/:.*$/, "")

function nextPair(environment: ToolsContext["environment"]): number {
  const count = environment["GIT_CONFIG_COUNT"] || "0"
  if (/^[0-9]{1,5}$/.test(count) && Number(count) <= MAX_PAIRS) return Number(count)
  throw deliveryRefused(
    "The job sets GIT_CONFIG_COUNT to what is not a number of settings, so no login can be added to them.",
  )
}
