import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parsePlainUrl } from "../../broker/core/url.ts"
import { jsonOfUtf8 } from "../../broker/core/utf8.ts"
import { HttpError, type HttpRequest, type HttpResponse } from "../../broker/ports/http.ts"
import type { CliIo } from "../io.ts"
import { GitHubError, TRANSPORT } from "./github-error.ts"
import { refusalOf } from "./refusal.ts"

const DEFAULT_API = "https://api.github.com"
/** The version that GitHub Enterprise Server has too (3.9 and later). */
const API_VERSION = "2022-11-28"
const TIMEOUT_MS = 20_000
/** GitHub's largest answers are trees: up to 100,000 entries in 7 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** A hundred things a page: more is a loop in the links, or more than a person wants to read. */
const MAX_PAGES = 1_000

/** One call of GitHub's REST API. */
export interface GitHubCall {
  /** What the call is about, as it stands in an error: "the repository acme/shop". */
  readonly what: string
  /** GET when left out. */
  readonly method?: HttpRequest["method"]
  /** Begins with a slash. Every part of it that comes from outside is encoded by the caller, as `part` does. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: object
  /** The status of success. 200 when left out. */
  readonly success?: 200 | 201 | 204
  /** The largest answer, in bytes; 16 MiB when left out. */
  readonly maxBytes?: number
}

/** GitHub's REST API, as the bearer of the user's token sees it. */
export interface GitHub {
  /** Its base URL, without a slash at the end. */
  readonly url: string
  /**
   * The answer's JSON; null for an answer without a body. One request, no retry, no redirect.
   * @throws {GitHubError} for everything but success
   */
  call(call: GitHubCall): Promise<unknown>
  /**
   * The JSON of all pages, by the links of GitHub's `Link` header. `path` should ask for `per_page=100`.
   * @throws {GitHubError}
   */
  pages(call: Pick<GitHubCall, "what" | "path">): Promise<readonly unknown[]>
  /** The bytes of a file that GitHub redirects to, as they come. @throws {GitHubError} */
  download(call: Pick<GitHubCall, "what" | "path">): Promise<AsyncIterable<Uint8Array>>
}

/** The URL of GitHub's API from the environment; null when a token must not be sent to it. */
export function apiUrl(env: CliIo["env"]): string | null {
  const url = (env["GITHUB_API_URL"] || DEFAULT_API).replace(/\/+$/, "")
  return parsePlainUrl(url) === null ? null : url
}

/** The URL as a sentence's end, when it cannot be used. */
export const BAD_API_URL = "$GITHUB_API_URL must be an https URL without user, ? and #: the token is sent there"

/**
 * GitHub's API with the token in `$GITHUB_TOKEN` or `$GH_TOKEN`, at `$GITHUB_API_URL` for another GitHub than github.com. The
 * fault is a sentence. `gh auth token` prints the token of GitHub's own command line.
 */
export function connectGitHub(io: Pick<CliIo, "env" | "http" | "now">): Result<GitHub, string> {
  const url = apiUrl(io.env)
  if (url === null) return fail(BAD_API_URL)
  const token = io.env["GITHUB_TOKEN"] || io.env["GH_TOKEN"]
  if (!token) return fail("there is no token in $GITHUB_TOKEN or $GH_TOKEN to ask GitHub with")
  // A header allows no other characters, and the runtime's error for an invalid header would quote the token.
  if (!/^[!-~]+$/.test(token)) return fail("$GITHUB_TOKEN or $GH_TOKEN contains characters that a token cannot have")
  return ok(gitHubAt(url, token, io))
}

/** One part of a path, such as a name, so that nothing in it can lead elsewhere. */
export const part = (name: string): string =>
  encodeURIComponent(name).replace(/^\.{1,2}$/, (dots) => "%2E".repeat(dots.length))

function gitHubAt(url: string, token: string, io: Pick<CliIo, "http" | "now">): GitHub {
  /** @throws {GitHubError} */
  async function ask(call: GitHubCall): Promise<HttpResponse> {
    const { what, method = "GET", path, body, success = 200, maxBytes = MAX_ANSWER_BYTES } = call
    let response: HttpResponse
    try {
      response = await io.http({
        method,
        url: `${url}${path}`,
        headers: {
          accept: "application/vnd.github+json",
          authorization: `Bearer ${token}`,
          "x-github-api-version": API_VERSION,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        maxBytes,
      })
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      const { reason } = error
      throw new GitHubError(reason, reason === "redirect" ? moved(what) : `GitHub (${url}) ${TRANSPORT[reason]}`)
    }
    const refusal = refusalOf(response, { what, url, success }, io.now())
    if (refusal !== null) throw refusal
    return response
  }

  /** @throws {GitHubError} */
  function jsonOf({ body }: HttpResponse, what: string): unknown {
    if (body.byteLength === 0) return null
    const json = jsonOfUtf8(body)
    if (json === undefined)
      throw new GitHubError(
        "answer",
        `GitHub (${url}) answered about ${what} with what is not JSON: check GITHUB_API_URL`,
      )
    return json
  }

  return {
    url,
    download: async (call) => {
      const { download } = await import("./download.ts")
      return download({ ...call, url, token, version: API_VERSION, now: io.now })
    },
    call: async (call) => jsonOf(await ask(call), call.what),
    async pages({ what, path }) {
      const pages: unknown[] = []
      for (let next: string | null = path; next !== null; ) {
        const response: HttpResponse = await ask({ what, path: next })
        pages.push(jsonOf(response, what))
        if (pages.length >= MAX_PAGES)
          throw new GitHubError("answer", `GitHub's list of ${what} does not end after ${MAX_PAGES} pages`)
        next = nextPath(response.header("link"), url, what)
      }
      return pages
    },
  }
}

/** Anyone can take over a name that redirects, so the redirect is not followed: the user must name the new one. */
const moved = (what: string) =>
  `GitHub says that ${what} was renamed or moved. Others can take over the old name, so use the new one`

/**
 * The path of the next page, from `Link` (RFC 8288); null for the last page.
 * @throws {GitHubError} when it leads to another server, which must not get the token
 */
function nextPath(link: string | null, url: string, what: string): string | null {
  const next = /<([^<>]*)>\s*;[^<]*?\brel="next"/.exec(link ?? "")?.[1]
  if (next === undefined) return null
  if (!next.startsWith(`${url}/`))
    throw new GitHubError("answer", `GitHub's list of ${what} goes on at another server: check GITHUB_API_URL`)
  return next.slice(url.length)
}
