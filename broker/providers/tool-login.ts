import * as z from "zod"
import type { Secret } from "../core/secret.ts"
import {
  LOGIN_FIELDS,
  type LoginFault,
  type LoginParts,
  type LoginTool,
  readLogin,
  type ToolLogin,
} from "../wire/tool-login.ts"
import type { MintedValue } from "./provider.ts"

/**
 * The parts of a login in a grant, beside `as`. They are texts of any form here: `loginFaults` says what is wrong with them,
 * because that depends on the tool.
 */
export const loginParts = {
  host: z.string().optional().meta({
    description:
      "as docker, git, netrc or npmrc: the host, without https://. npmrc: with the registry's path. docker, git, npmrc: with a port if it needs one.",
  }),
  user: z.string().optional().meta({ description: "as docker, git or netrc: the user's name." }),
  server: z.string().optional().meta({ description: "as kubeconfig: the https URL of the API server." }),
  certificate_authority: z.string().optional().meta({
    description: "as kubeconfig: the API server's CA in PEM. Left out: the CAs that the job's system trusts.",
  }),
  namespace: z.string().optional().meta({ description: "as kubeconfig: the namespace for commands without one." }),
}

const partsOf = (entry: LoginParts): LoginParts =>
  Object.fromEntries(LOGIN_FIELDS.flatMap((field) => (entry[field] === undefined ? [] : [[field, entry[field]]])))

/** What is wrong with the parts of an entry. `tool` is null for an entry without a login, which has none of the parts. */
export function loginFaults(tool: LoginTool | null, entry: LoginParts): readonly LoginFault[] {
  if (tool !== null) return readLogin(tool, partsOf(entry)).faults ?? []
  return LOGIN_FIELDS.filter((field) => entry[field] !== undefined).map((field) => ({
    field,
    fault: `${field} is only allowed for a login: add as: ${field === "host" || field === "user" ? "docker, git, netrc or npmrc" : "kubeconfig"}`,
  }))
}

/** The login of an entry that `loginFaults` accepts. */
export function loginOf(tool: LoginTool, entry: LoginParts): ToolLogin {
  const { login } = readLogin(tool, partsOf(entry))
  if (login === undefined) throw new TypeError("a login that the schema has not accepted")
  return login
}

/**
 * A token with much entropy that a provider minted: in the variable that the grant names, and for the tools that log in with it. A token for
 * tools is in no variable that the policy does not name.
 */
export function tokenFor(
  value: Secret<string>,
  to: { readonly env: string | undefined; readonly by: string; readonly logins: readonly ToolLogin[] },
): MintedValue {
  const token = { value, recorded: "fingerprint" } as const
  if (to.logins.length === 0) return { ...token, env: to.env ?? to.by }
  return { ...token, ...(to.env !== undefined && { env: to.env }), logins: to.logins }
}
