import type { IncomingMessage } from "node:http"
import { open } from "../../action/http.ts"
import { userAgent } from "../../action/runner.ts"
import { parseUrl } from "../../action/url.ts"
import type { HttpResponse } from "../../broker/ports/http.ts"
import { GitHubError, TRANSPORT } from "./github-error.ts"
import { refusalOf } from "./refusal.ts"

const TIMEOUT_MS = 20_000
const MAX_REFUSAL_BYTES = 64 * 1024

/** One file of GitHub's, which its API keeps elsewhere. */
export interface Download {
  /** As in `GitHubCall`. */
  readonly what: string
  readonly path: string
  /** Of GitHub's API, without a slash at the end. */
  readonly url: string
  readonly token: string
  readonly version: string
  readonly now: () => Date
}

/**
 * The bytes of a file that GitHub's API redirects to, as they come. The token goes to GitHub alone: the address that GitHub
 * names has a signature of its own, which is good for a minute and is in no message. One redirect, to https only, and no retry.
 * @throws {GitHubError}
 */
export async function download({ what, path, url, token, version, now }: Download): Promise<IncomingMessage> {
  const asked = await answerOf(new URL(`${url}${path}`), { authorization: `Bearer ${token}`, version })
  const { location } = asked.headers
  if (asked.statusCode !== 302 || location === undefined) {
    const refusal = refusalOf(await replyOf(asked), { what, url, success: 302 }, now())
    throw refusal ?? new GitHubError("answer", `GitHub (${url}) does not say where ${what} is`)
  }
  asked.destroy()
  const stored = await answerOf(placeOf(location, what), {})
  if (stored.statusCode === 200) return stored
  stored.destroy()
  throw new GitHubError("answer", `the place where GitHub keeps ${what} answered HTTP ${stored.statusCode}: try again`)
}

function placeOf(location: string, what: string): URL {
  const place = parseUrl(location)
  if (place === null) throw new GitHubError("answer", `GitHub does not say where ${what} is`)
  return place
}

async function answerOf(
  url: URL,
  { authorization, version }: { readonly authorization?: string; readonly version?: string },
): Promise<IncomingMessage> {
  try {
    const call = await open({ method: "GET", url, timeoutMs: TIMEOUT_MS })
    call.setHeader("user-agent", userAgent())
    if (authorization !== undefined) call.setHeader("authorization", authorization)
    if (version !== undefined) call.setHeader("x-github-api-version", version)
    // Between two pieces of the answer, too.
    call.on("timeout", () => call.destroy(new Error("timeout")))
    return await new Promise((resolve, reject) => {
      call.on("response", resolve).on("error", reject).end()
    })
  } catch (thrown) {
    const reason = thrown instanceof Error && thrown.message === "timeout" ? "timeout" : "unreachable"
    // Not the address: it may be the signed one.
    throw new GitHubError(reason, `GitHub, or the place where it keeps files, ${TRANSPORT[reason]}`)
  }
}

async function replyOf(response: IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_REFUSAL_BYTES) break
    chunks.push(chunk)
  }
  const header = (name: string) => {
    const value = response.headers[name.toLowerCase()]
    return value === undefined ? null : String(value)
  }
  return { status: response.statusCode ?? 0, header, body: Buffer.concat(chunks) }
}
