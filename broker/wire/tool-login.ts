/** A tool whose own login file the job's side writes. */
export const LOGIN_TOOLS = ["docker", "git", "kubeconfig", "netrc", "npmrc"] as const
export type LoginTool = (typeof LOGIN_TOOLS)[number]

/**
 * A login of one tool, with the value that it comes with as the password or token.
 *
 * - `docker`: the registry `host`, in Docker's `config.json`
 * - `git`: all https URLs of `host`, through a credential helper
 * - `netrc`: the machine `host`, in a `.netrc` file
 * - `npmrc`: the registry `host`, with its port and path, as `_authToken` in an `.npmrc` file
 * - `kubeconfig`: the API server `server`, with `certificate_authority` (PEM; absent: the system's), in a kubeconfig file
 */
export type ToolLogin =
  | { readonly tool: "docker" | "git" | "netrc"; readonly host: string; readonly user: string }
  | { readonly tool: "npmrc"; readonly host: string }
  | {
      readonly tool: "kubeconfig"
      readonly server: string
      readonly certificate_authority?: string
      readonly namespace?: string
    }

export const LOGIN_FIELDS = ["host", "user", "server", "certificate_authority", "namespace"] as const
export type LoginField = (typeof LOGIN_FIELDS)[number]
export type LoginParts = Readonly<Partial<Record<LoginField, string | undefined>>>

export interface LoginFault {
  readonly field: LoginField
  /** A sentence without its end: what is wrong, and what to write. */
  readonly fault: string
}

/** The most logins that one value can have: one for each tool. */
export const MAX_LOGINS = LOGIN_TOOLS.length

interface Field {
  readonly shape: RegExp
  readonly maxCharacters: number
  readonly must: string
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
const HOST = `${LABEL}(?:\\.${LABEL})*`
const PORT = ":[1-9][0-9]{0,4}"

const machine: Field = {
  shape: new RegExp(`^${HOST}$`),
  maxCharacters: 253,
  must: "host must be a host's name in lower case, without a port, such as git.example.com",
}
const hostAndPort: Field = {
  shape: new RegExp(`^${HOST}(?:${PORT})?$`),
  maxCharacters: 260,
  must: "host must be a host's name in lower case, with a port if it needs one, such as registry.example.com:5000",
}
const registry: Field = {
  shape: new RegExp(`^${HOST}(?:${PORT})?(?:/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])*$`),
  maxCharacters: 512,
  must: "host must be a registry's host with its path, without https:// and without a slash at the end, such as registry.npmjs.org",
}
const user: Field = {
  // `$oauthtoken`, `robot$acme`, `acme+ci` and e-mail addresses are names that registries use.
  shape: /^[A-Za-z0-9_$][A-Za-z0-9._@+$/~-]*$/,
  maxCharacters: 256,
  must: "user must be a user's name of letters, digits and . _ @ + $ / ~ -",
}
const server: Field = {
  shape: new RegExp(`^https://${HOST}(?:${PORT})?(?:/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])*$`),
  maxCharacters: 512,
  must: "server must be the https URL of an API server in lower case, without a slash at the end, such as https://cluster.example.com:6443",
}
const authority: Field = {
  shape: /^(?:-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,76}\n){1,200}-----END CERTIFICATE-----\n?){1,10}$/,
  maxCharacters: 16_384,
  must: "certificate_authority must be one to ten certificates in PEM, as a block of lines (|)",
}
const namespace: Field = {
  shape: new RegExp(`^${LABEL}$`),
  maxCharacters: 63,
  must: "namespace must be the name of a Kubernetes namespace",
}

interface Form {
  readonly needs: Partial<Readonly<Record<LoginField, Field>>>
  readonly may: Partial<Readonly<Record<LoginField, Field>>>
  readonly value: { readonly shape: RegExp; readonly must: string }
}

/** RFC 6750, section 2.1: the characters of a bearer token. npm's own older tokens have nothing else. */
const bearer = {
  shape: /^[A-Za-z0-9._~+/-]+=*$/,
  must: "has a character that no bearer token has (RFC 6750): check for a line break or a blank",
}

/** What the policy says of each tool, and what its files can hold. Every part becomes text of a configuration file. */
const FORMS: Readonly<Record<LoginTool, Form>> = {
  docker: {
    needs: { host: hostAndPort, user },
    may: {},
    // In base64, so that a key in JSON can be a password, too.
    value: { shape: /^\S(?:[^\0]*\S)?$/, must: "has a NUL, or a blank or a line break at one of its ends" },
  },
  git: {
    needs: { host: hostAndPort, user },
    may: {},
    value: {
      shape: /^[^\p{Cc}\s](?:[^\p{Cc}]*[^\p{Cc}\s])?$/u,
      must: "has a line break or another control character, or a blank at one of its ends",
    },
  },
  netrc: {
    needs: { host: machine, user },
    may: {},
    // Programs disagree about quotes, backslashes and comments in this file.
    value: { shape: /^[!$-&(-[\]-~]+$/, must: "has a blank, or one of \" ' # \\, or a character that is not ASCII" },
  },
  npmrc: { needs: { host: registry }, may: {}, value: bearer },
  kubeconfig: {
    needs: { server },
    may: { certificate_authority: authority, namespace },
    value: bearer,
  },
}

export const isLoginTool = (name: unknown): name is LoginTool => LOGIN_TOOLS.some((tool) => tool === name)

/** Reads the parts of a login. `faults` has one entry for each part that is wrong, missing, or of another tool. */
export function readLogin(
  tool: LoginTool,
  parts: LoginParts,
):
  | { readonly login: ToolLogin; readonly faults?: never }
  | { readonly login?: never; readonly faults: readonly LoginFault[] } {
  const { needs, may } = FORMS[tool]
  const faults = LOGIN_FIELDS.flatMap((field): readonly LoginFault[] => {
    const text = parts[field]
    const form = needs[field] ?? may[field]
    if (text === undefined) return needs[field] ? [{ field, fault: `as: ${tool} needs ${field}` }] : []
    if (form === undefined) return [{ field, fault: `as: ${tool} has no ${field}` }]
    return text.length <= form.maxCharacters && form.shape.test(text) && hasPort(text)
      ? []
      : [{ field, fault: form.must }]
  })
  if (faults.length > 0) return { faults }
  const known = Object.fromEntries(LOGIN_FIELDS.flatMap((field) => (parts[field] ? [[field, parts[field]]] : [])))
  return { login: { tool, ...known } as ToolLogin }
}

/** Why this tool cannot log in with the value: the end of a sentence, without the value. Null when it can. */
export function loginValueFault(tool: LoginTool, value: string): string | null {
  const { shape, must } = FORMS[tool].value
  return shape.test(value) ? null : `${must}, so that ${tool} cannot log in with it`
}

/** What a login is for: `ghcr.io`, or the URL of an API server. */
export const targetOf = (login: ToolLogin): string => (login.tool === "kubeconfig" ? login.server : login.host)

/** A port, if there is one, is at most 65535. */
function hasPort(text: string): boolean {
  const port = /:([0-9]+)(?:\/|$)/.exec(text)?.[1]
  return port === undefined || Number(port) <= 65_535
}
