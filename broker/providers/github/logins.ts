import type { ToolLogin } from "../../wire/tool-login.ts"
import { loginOf } from "../tool-login.ts"
import { type Connection, type Grant, toolsOf } from "./grant.ts"

/** The user of an installation token ("Authenticating as a GitHub App installation"). */
const USER = "x-access-token"

/** The host with the repositories: github.com, NAME.ghe.com, or the host of a GitHub Enterprise Server, with its port. */
function repositoriesHost(apiUrl: string): string {
  const { host } = new URL(apiUrl)
  return host === "api.github.com" || /^api\.[^.]+\.ghe\.com$/.test(host) ? host.slice("api.".length) : host
}

/** Why the tools of a grant cannot log in at the connection's GitHub; null when they can. */
export function toolFaultOf(wanted: Pick<Grant, "as">, { api_url: apiUrl }: Connection): string | null {
  if (!toolsOf(wanted).includes("netrc") || !repositoriesHost(apiUrl).includes(":")) return null
  return "as: netrc cannot log in at a host with a port, because this file has no ports: use as: git"
}

/** The logins of a grant that `toolFaultOf` accepts. */
export const loginsOf = (wanted: Pick<Grant, "as">, { api_url: apiUrl }: Connection): readonly ToolLogin[] =>
  toolsOf(wanted).map((tool) => loginOf(tool, { host: repositoriesHost(apiUrl), user: USER }))
