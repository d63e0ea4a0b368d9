import { join } from "node:path"
import { ownerFile } from "../../deliver/files.ts"
import {
  homeOf,
  type Login,
  type LoginOf,
  loginsFor,
  NOTHING,
  type OwnFiles,
  type ToolsContext,
  type ToolsPlan,
} from "./login.ts"

const VARIABLE = "NPM_CONFIG_USERCONFIG"

/**
 * An `.npmrc` file that takes the place of the user's own, whose other lines it has, too. npm reads no second file of the
 * user. The project's own `.npmrc` still wins over it.
 *
 * Source: npm, "npmrc" and "config", `userconfig`; "Auth related configuration".
 */
export function planNpmrc(all: readonly Login[], context: ToolsContext): ToolsPlan {
  const logins = loginsFor(all, "npmrc")
  if (logins.length === 0) return NOTHING
  const { environment } = context
  // npm ignores the case of these names. All spellings are set, because it takes one of them.
  const spellings = [
    ...new Set([VARIABLE, ...Object.keys(environment).filter((name) => name.toUpperCase() === VARIABLE)]),
  ]
  const set = spellings.map((name) => environment[name]).find((path) => path)
  const before = set ?? join(homeOf(context), ".npmrc")
  const path = join(context.folder, "tools", "npmrc")
  const ours = logins.map(({ login, value }) => `${keyOf(login.host)}=${value}\n`)
  const kept = withoutKeys(
    context.own.text(before) ?? "",
    logins.map(({ login }) => keyOf(login.host)),
  )
  return {
    // First, because a `[section]` of the user's own would go on to the end.
    files: [ownerFile(path, `${ours.join("")}${kept}`)],
    variables: new Map(spellings.map((name) => [name, path])),
    secrets: [],
    warnings: projectsOwn(logins, context),
  }
}

/** npm takes the project's line before the user's. Often it names a variable that this login makes superfluous. */
function projectsOwn(logins: readonly LoginOf<"npmrc">[], { environment, own }: ToolsContext): readonly string[] {
  const workspace = environment["GITHUB_WORKSPACE"]
  const text = workspace ? textOf(join(workspace, ".npmrc"), own) : ""
  const hosts = logins.map(({ login }) => login.host)
  const shadowed = hosts.filter((host) => text.split("\n").some((line) => line.trimStart().startsWith(keyOf(host))))
  return shadowed.map(
    (host) =>
      `The .npmrc in the workspace has a line for ${host} with its own _authToken, which npm takes instead of this login. Remove the line.`,
  )
}

/** Empty also where the file cannot be read: npm says so itself, and a warning is all that depends on it. */
function textOf(path: string, own: OwnFiles): string {
  try {
    return own.text(path) ?? ""
  } catch {
    return ""
  }
}

const keyOf = (host: string) => `//${host}/:_authToken`

/** The last line of a key wins in this file, so the user's own must go. */
const withoutKeys = (text: string, keys: readonly string[]) =>
  text
    .split(/(?<=\n)/)
    .filter((line) => !keys.some((key) => line.trimStart().startsWith(key)))
    .join("")
