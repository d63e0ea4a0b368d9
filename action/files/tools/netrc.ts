import { join } from "node:path"
import { ownerFile } from "../../deliver/files.ts"
import { basicOf, homeOf, type Login, loginsFor, NOTHING, type ToolsContext, type ToolsPlan } from "./login.ts"

/**
 * A `.netrc` file that NETRC names, with the job's own entries for other machines below. Python's requests and pip, Go, Bazel
 * and others read NETRC; curl reads the file with `--netrc-file "$NETRC"`.
 *
 * Source: The Open Group has no standard for it; GNU inetutils, "The .netrc file".
 */
export function planNetrc(all: readonly Login[], context: ToolsContext): ToolsPlan {
  const logins = loginsFor(all, "netrc")
  if (logins.length === 0) return NOTHING
  const before =
    context.environment["NETRC"] || join(homeOf(context), context.platform === "win32" ? "_netrc" : ".netrc")
  const hosts = new Set(logins.map(({ login }) => login.host))
  const ours = logins.map(({ login, value }) => `machine ${login.host}\nlogin ${login.user}\npassword ${value}\n`)
  const path = join(context.folder, "tools", "netrc")
  return {
    files: [ownerFile(path, `${ours.join("")}${withoutMachines(context.own.text(before) ?? "", hosts)}`)],
    variables: new Map([["NETRC", path]]),
    secrets: logins.map(({ login, value }) => basicOf(login.user, value)),
    warnings: [],
  }
}

/**
 * The text without the entries of these machines. Some programs take the first entry of a machine, others the last. A macro
 * (`macdef`) ends at an empty line, and its lines are not entries.
 */
function withoutMachines(text: string, hosts: ReadonlySet<string>): string {
  const entries = text.split(/(?:^|(?<=\s))(?=(?:machine|default|macdef)\s)/)
  return entries.filter((entry) => !hosts.has(/^machine\s+(\S+)/.exec(entry)?.[1]?.toLowerCase() ?? "")).join("")
}
