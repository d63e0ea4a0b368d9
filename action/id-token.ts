import { ActionError } from "./failure.ts"
import { HttpFailure, type HttpReply, isHttpsOrLoopback, send } from "./http.ts"
import { memberOf, parseJson } from "./json.ts"
import type { IdTokenEndpoint, JobFacts } from "./runner.ts"

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const MAX_TOKEN_CHARACTERS = 16 * 1024

/**
 * Asks the runner for a subject token with exactly this audience. One call, no retry: whoever needs a token needs a
 * fresh one for each try, since the broker takes each token once.
 *
 * Unlike the toolkit's own call, this says of a reset, a 429 or any 5xx that another try may help.
 * @throws {ActionError} `id_token_unavailable`
 */
export async function requestIdToken(endpoint: IdTokenEndpoint, audience: string, timeoutMs: number): Promise<string> {
  const separator = endpoint.url.includes("?") ? "&" : "?"
  const url = URL.parse(`${endpoint.url}${separator}audience=${encodeURIComponent(audience)}`)
  if (url === null || !isHttpsOrLoopback(url)) throw unavailable("ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL.")
  const reply = await ask(url, endpoint.requestToken, timeoutMs)
  if (reply.status !== 200) {
    const message = `The runner's ID token endpoint answered ${reply.status}.`
    throw unavailable(message, reply.status === 429 || reply.status >= 500)
  }
  return readToken(reply.body)
}

/** Why a job without the endpoint's variables has none, told apart by what the runner says of the job. */
export function noIdTokenEndpoint(job: JobFacts): ActionError {
  if (job.actor === "dependabot[bot]") {
    return new ActionError("id_token_dependabot", "Runs that Dependabot starts get no ID token.")
  }
  if (job.eventName.startsWith("pull_request") && comesFromFork(job.event)) {
    return new ActionError("id_token_fork", "Pull requests from forks get no ID token.")
  }
  return new ActionError("id_token_permission_missing", "This job may not ask for an ID token.")
}

async function ask(url: URL, bearer: string, timeoutMs: number): Promise<HttpReply> {
  try {
    return await send({ method: "GET", url, bearer, accept: "application/json", timeoutMs })
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown
    const message = `The runner's ID token endpoint cannot be used (${thrown.fault}).`
    throw new ActionError("id_token_unavailable", message, thrown.retry && { retry: thrown.retry })
  }
}

function readToken(body: Buffer): string {
  const token = memberOf(parseJson(body), "value")
  if (typeof token === "string" && token.length <= MAX_TOKEN_CHARACTERS && COMPACT_JWS.test(token)) return token
  throw unavailable("The runner's ID token endpoint answered without a token.")
}

/** A pull request of a fork's own branches names the same repository twice, although that repository is a fork. */
function comesFromFork(event: unknown): boolean {
  const pullRequest = memberOf(event, "pull_request")
  const head = memberOf(memberOf(pullRequest, "head"), "repo")
  const base = memberOf(memberOf(pullRequest, "base"), "repo")
  const headId = memberOf(head, "id")
  const baseId = memberOf(base, "id")
  if (headId !== undefined && baseId !== undefined) return headId !== baseId
  return memberOf(head, "fork") === true || (pullRequest !== undefined && head === null)
}

function unavailable(message: string, again = false): ActionError {
  return new ActionError("id_token_unavailable", message, again ? { retry: { pace: "patient" } } : {})
}
