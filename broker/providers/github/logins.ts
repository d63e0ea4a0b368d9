import type { LoginTool, ToolLogin } from "../../wire/tool-login.ts"
import { loginOf } from "../tool-login.ts"
import { type Connection, type Grant, toolsOf } from "./grant.ts"

/** The user of an installation token ("Authenticating as a GitHub App installation"). */
const USER = "x-access-token"
const PUBLIC_API = "https://api.github.com"
/** The registries of github.com ("Working with the npm registry", "Working with the Container registry"). */
const REGISTRIES: Partial<Readonly<Record<LoginTool, string>>> = { npmrc: "npm.pkg.github.com", docker: "ghcr.io" }

/** The host with the repositories: github.com, NAME.ghe.com, or the host of a GitHub Enterprise Server. */
function repositoriesHost(apiUrl: string): string {
  const { host } = new URL(apiUrl)
  return host === "api.github.com" || /^api\.[^.]+\.ghe\.com$/.test(host) ? host.slice("api.".length) : host
}

const isPublicGitHub = (apiUrl: string) => apiUrl.replace(/\/$/, "") === PUBLIC_API

/** Why the tools of a grant cannot log in at the connection's GitHub; null when they can. */
export function toolFaultOf(wanted: Pick<Grant, "as">, { api_url: apiUrl }: Connection): string | null {
  const registry = toolsOf(wanted).find((tool) => tool in REGISTRIES)
  if (registry !== undefined && !isPublicGitHub(apiUrl))
    return `as: ${registry} is known for github.com only, because other GitHubs have registries at addresses of their own: use as: git or netrc, or a variable`
  const { host, port } = new URL(apiUrl)
  return port !== "" && toolsOf(wanted).includes("netrc")
    ? `as: netrc cannot log in at ${host}, because this file has no ports: use as: git`
    : null
}

/** The logins of a grant that `toolFaultOf` accepts. */
export const loginsOf = (wanted: Pick<Grant, "as">, { api_url: apiUrl }: Connection): readonly ToolLogin[] =>
  toolsOf(wanted).map((tool) => {
    const host = REGISTRIES[tool] ?? repositoriesHost(apiUrl)
    return loginOf(tool, tool === "npmrc" ? { host } : { host, user: USER })
  })
