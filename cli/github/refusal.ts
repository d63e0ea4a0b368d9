import { jsonOfUtf8 } from "../../broker/core/utf8.ts"
import type { HttpResponse } from "../../broker/ports/http.ts"
import { GitHubError } from "./github-error.ts"

/** A secondary limit that names no time: the pause that GitHub's documentation asks for. */
const DEFAULT_WAIT_SECONDS = 60

/** What was asked, and which status would have been success. */
export interface AskedOf {
  readonly what: string
  readonly url: string
  readonly success: number
}

/** Why an answer is not what was asked for, in one sentence; null for success. Pure. */
export function refusalOf(response: HttpResponse, { what, url, success }: AskedOf, now: Date): GitHubError | null {
  const { status, header } = response
  const said = messageOf(response.body)
  const no = (...[reason, message]: [GitHubError["reason"], string]) => new GitHubError(reason, message, said)
  const sso = header("x-github-sso")
  // A list that leaves out an organisation would look like a list without secrets.
  if (sso?.startsWith("partial-results"))
    return no("permission", `GitHub left organisations out of ${what}: ${AUTHORIZE}`)
  if (status === success) return null

  const wait = waitOf(response, said, now)
  if (wait !== null)
    return no("limited", `GitHub's rate limit for this token is exceeded: try again ${whenOf(wait, now)}`)
  if (status === 401)
    return no("token", "GitHub refuses the token in $GITHUB_TOKEN or $GH_TOKEN: it is wrong or has expired")
  if (status === 403 && sso !== null) return no("permission", `GitHub refuses this token for ${what}: ${AUTHORIZE}`)
  if (status === 403) return no("permission", `GitHub refuses this token for ${what}: ${neededOf(header)}`)
  if (status === 404)
    return no(
      "absent",
      `GitHub finds no ${what.replace(/^the /, "")}, or the token may not read it${alsoNeeds(header)}`,
    )
  if (status === 409) return no("conflict", `GitHub cannot do that with ${what} in its present state`)
  if (status === 422) return no("invalid", `GitHub does not accept what was asked about ${what}`)
  return no("answer", `GitHub (${url}) answered HTTP ${status} about ${what}`)
}

const AUTHORIZE =
  "the organisation requires single sign-on. Authorise the token for it in GitHub's settings, under Developer settings, with Configure SSO"

/** The seconds until a limit ends; null when the answer is about something else. */
function waitOf({ status, header }: HttpResponse, said: string, now: Date): number | null {
  if (status !== 403 && status !== 429) return null
  const after = secondsOf(header("retry-after"))
  if (after !== null) return after
  if (header("x-ratelimit-remaining") === "0") {
    const reset = secondsOf(header("x-ratelimit-reset"))
    return reset === null ? DEFAULT_WAIT_SECONDS : reset - now.getTime() / 1000
  }
  return status === 429 || /\brate limit\b|\babuse detection\b/i.test(said) ? DEFAULT_WAIT_SECONDS : null
}

const secondsOf = (text: string | null) => (/^[0-9]{1,12}$/.test(text ?? "") ? Number(text) : null)

function whenOf(seconds: number, now: Date): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  const at = new Date(now.getTime() + Math.max(0, seconds) * 1000).toISOString().slice(11, 16)
  return `after ${at} UTC (${minutes === 1 ? "1 minute" : `${minutes} minutes`})`
}

type Header = HttpResponse["header"]

/** "give it the permission secrets: read". GitHub names permissions to fine-grained tokens and Apps, and scopes to classic ones. */
function neededOf(header: Header): string {
  const permissions = permissionsIn(header("x-accepted-github-permissions"))
  if (permissions !== null) return `give it the permission ${permissions}`
  const scopes = scopesIn(header("x-accepted-oauth-scopes"))
  if (scopes !== null) return `give it the scope ${scopes}`
  return "it lacks a permission that GitHub does not name. A fine-grained token needs the resource's owner to have approved it"
}

function alsoNeeds(header: Header): string {
  const permissions = permissionsIn(header("x-accepted-github-permissions"))
  return permissions === null ? "" : `: that needs the permission ${permissions}`
}

/** `a=read,b=write; c=read`: one of the sets apart by semicolons, each as a whole. Null for any other text, which is not repeated. */
function permissionsIn(text: string | null): string | null {
  if (text === null || !/^[a-z_]+=[a-z]+(?:\s*[,;]\s*[a-z_]+=[a-z]+)*$/.test(text.trim())) return null
  const sets = text.trim().split(/\s*;\s*/)
  return sets
    .map((set) =>
      set
        .split(/\s*,\s*/)
        .map((one) => one.replace("=", ": "))
        .join(" and "),
    )
    .join(", or ")
}

function scopesIn(text: string | null): string | null {
  if (text === null || !/^[a-z_:]+(?:,\s*[a-z_:]+)*$/.test(text.trim())) return null
  return text.trim().split(/,\s*/).join(" or ")
}

/** GitHub's message of an error: it sends no code. */
function messageOf(body: Uint8Array): string {
  const json = jsonOfUtf8(body)
  const message = typeof json === "object" && json !== null && "message" in json ? json.message : ""
  return typeof message === "string" ? message : ""
}
