import * as z from "zod"
import { visible } from "../../broker/core/policy/faults.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parsePlainUrl } from "../../broker/core/url.ts"
import { HttpError, type HttpFailure, type HttpResponse } from "../../broker/ports/http.ts"
import type { CliIo } from "../io.ts"

/** The facts about a repository that a policy needs. */
export interface RepositoryFacts {
  /** In GitHub's spelling, which its tokens use. */
  readonly owner: string
  readonly name: string
  readonly id: string
  readonly ownerId: string
  readonly branch: string
}

const DEFAULT_API = "https://api.github.com"
const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 256 * 1024

/** The longest branch name that fits into a pattern after `refs/heads/`. */
const MAX_BRANCH_CHARACTERS = 240

/** Owner and name in ASCII. Both become parts of a path, so nothing in them may lead out of a folder. */
const REPOSITORY = /^([A-Za-z0-9][A-Za-z0-9_-]{0,99})\/([A-Za-z0-9._-]{1,100})$/

/** Splits `OWNER/REPO`; null for anything else. */
export function parseRepository(text: string): { readonly owner: string; readonly name: string } | null {
  const [, owner, name] = REPOSITORY.exec(text) ?? []
  if (owner === undefined || name === undefined || /^\.+$/.test(name) || /\.git$/i.test(name)) return null
  return { owner, name }
}

/** Whether a text is a valid branch name. Git forbids stars, spaces and control characters, so it is also a safe pattern. */
export function isBranch(text: string): boolean {
  return (
    text.length <= MAX_BRANCH_CHARACTERS &&
    /^[^\s~^:?*[\\/.][^\s~^:?*[\\]*$/u.test(text) &&
    visible(text) === text &&
    !/\.\.|\/\/|@\{|[/.]$/.test(text)
  )
}

/** The URL of GitHub's API from the environment; null when a token must not be sent to it. */
export function apiUrl(env: CliIo["env"]): string | null {
  const url = (env["GITHUB_API_URL"] || DEFAULT_API).replace(/\/+$/, "")
  return parsePlainUrl(url) === null ? null : url
}

/** The issuer that belongs to a GitHub API: of github.com, of an Enterprise Server, or of ghe.com. */
export function issuerOf(api: string): string {
  const { origin, hostname, pathname } = new URL(api)
  if (pathname === "/api/v3") return `${origin}/_services/token`
  const tenant = /^api\.([a-z0-9-]+\.ghe\.com)$/.exec(hostname)?.[1]
  return tenant === undefined ? "https://token.actions.githubusercontent.com" : `https://token.actions.${tenant}`
}

/**
 * Asks GitHub for a repository's ids and default branch. One call, no retry, no redirect. The fault is a sentence that says
 * what to change; it never quotes the answer.
 */
export async function askGitHub(
  api: string,
  asked: { readonly owner: string; readonly name: string },
  token: string,
  io: CliIo,
): Promise<Result<RepositoryFacts, string>> {
  const repository = `${asked.owner}/${asked.name}`
  let response: HttpResponse
  try {
    response = await io.http({
      method: "GET",
      url: `${api}/repos/${repository}`,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "x-github-api-version": "2022-11-28",
      },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    if (error.reason === "redirect") return fail(renamed(repository))
    return fail(`GitHub (${api}) ${TRANSPORT[error.reason]}`)
  }
  if (response.status !== 200) return fail(refusalOf(response, repository, api))
  return read(response.body, repository)
}

const TRANSPORT: Readonly<Record<Exclude<HttpFailure, "redirect">, string>> = {
  unreachable: "cannot be reached",
  timeout: `did not answer within ${TIMEOUT_MS / 1000} s`,
  "too-large": "sent an answer that is too large for a repository",
}

/** Anyone can take over a name that redirects, so the redirect is not followed: the user must name the new repository. */
const renamed = (repository: string) =>
  `GitHub says that ${repository} was renamed or moved. Others can take over the old name, so use the new one: gh api repos/${repository} --jq .full_name prints it`

function refusalOf({ status, header }: HttpResponse, repository: string, api: string): string {
  if (status === 401) return "GitHub refuses the token in $GITHUB_TOKEN or $GH_TOKEN: it is wrong or has expired"
  if (status === 429 || (status === 403 && header("x-ratelimit-remaining") === "0")) {
    return "GitHub's rate limit for this token is exceeded: try again later"
  }
  if (status === 403)
    return `GitHub refuses this token for ${repository}: give the token the permission to read metadata`
  if (status === 404) return `GitHub finds no repository ${repository}, or the token may not read it`
  return `GitHub (${api}) answered HTTP ${status}`
}

const id = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)
const answer = z.object({
  id,
  full_name: z.string(),
  default_branch: z.string(),
  owner: z.object({ id, login: z.string() }),
})

/** Accepts an answer only if it is about the repository that was asked for: a policy is written from it. */
function read(body: Uint8Array, repository: string): Result<RepositoryFacts, string> {
  const no = fail(`GitHub's answer is not about the repository ${repository}: check GITHUB_API_URL`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body))
  } catch {
    return no
  }
  const parsed = answer.safeParse(value)
  if (!parsed.success) return no
  const { id, full_name: fullName, default_branch: branch, owner } = parsed.data
  const named = parseRepository(fullName)
  if (named === null || named.owner !== owner.login || fullName.toLowerCase() !== repository.toLowerCase()) return no
  if (!isBranch(branch)) return fail(`GitHub names a default branch of ${repository} that a policy cannot name`)
  return ok({ ...named, id: String(id), ownerId: String(owner.id), branch })
}
