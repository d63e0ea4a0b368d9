import { setTimeout as sleep } from "node:timers/promises"
import { getOctokit } from "@actions/github"
import type { HttpResponse } from "../../broker/ports/http.ts"
import { GitHubError, TRANSPORT } from "../../cli/github/github-error.ts"
import { refusalOf } from "../../cli/github/refusal.ts"

const API_VERSION = "2022-11-28"
const TIMEOUT_MS = 30_000
/** A question that GitHub could not answer just now is asked again. What writes is not: it could be written twice. */
const ATTEMPTS = 3
const PAUSE_MS = 1_000
/** The most that GitHub lists in one answer. */
const PAGE = 100

/** One call about the repository, for example `GET /repos/{owner}/{repo}/pulls/7`. */
export interface Call {
  /** What it is about, as it stands in an error: "the pull request". */
  readonly what: string
  /** Each `{name}` is filled in from the parameters, encoded. `owner` and `repo` are there already. */
  readonly route: string
  readonly parameters?: Readonly<Record<string, unknown>>
  /** 200 when left out. */
  readonly success?: 200 | 201
  /** Whether it may be sent again when no answer came. Left out: what only reads. */
  readonly isRepeatable?: boolean
}

/** GitHub's API about one repository, with GitHub's own client. Everything throws {GitHubError} for a refusal. */
export interface GitHub {
  readonly owner: string
  readonly repo: string
  call(call: Call): Promise<unknown>
  /** The pages of a list, one after the other. */
  pages(call: Call): AsyncGenerator<unknown>
  graphql(what: string, query: string): Promise<unknown>
}

export interface GitHubOptions {
  readonly url: string
  readonly token: string
  /** `OWNER/REPO`. */
  readonly repository: string
  readonly now: () => Date
}

export function connectGitHub({ url, token, repository, now }: GitHubOptions): GitHub {
  const [owner = "", repo = ""] = repository.split("/")
  // A redirect would send the token to where the old name of a renamed repository leads now.
  const octokit = getOctokit(token, { baseUrl: url, userAgent: "daypass-review", request: { redirect: "manual" } })
  const optionsOf = ({ parameters = {} }: Pick<Call, "parameters">) => ({
    owner,
    repo,
    ...parameters,
    headers: { "x-github-api-version": API_VERSION },
    request: { redirect: "manual" as const, signal: AbortSignal.timeout(TIMEOUT_MS) },
  })
  const read = (call: Pick<Call, "what" | "success">, response: Answer) => {
    const refusal = refusalOf(asResponse(response), { what: call.what, url, success: call.success ?? 200 }, now())
    if (refusal !== null) throw inOurWords(refusal)
    return response.data
  }
  const ask = async <Value>(what: string, isRepeatable: boolean, send: () => Promise<Value>): Promise<Value> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send()
      } catch (error) {
        const found = faultOf(error, { what, url, success: 200 }, now())
        if (!found.isTransient || !isRepeatable || attempt === ATTEMPTS) throw found.fault
        await sleep(PAUSE_MS * attempt)
      }
    }
  }
  const answerTo = (call: Call) => {
    const send = async () => read(call, await octokit.request(call.route, optionsOf(call)))
    return ask(call.what, call.isRepeatable ?? call.route.startsWith("GET "), send)
  }
  return {
    owner,
    repo,
    call: answerTo,
    async *pages(call) {
      for (let page = 1; ; page++) {
        const { parameters } = call
        const answer = await answerTo({ ...call, parameters: { ...parameters, page, per_page: PAGE } })
        yield answer
        if (!Array.isArray(answer) || answer.length < PAGE) return
      }
    },
    graphql: (what, query) => {
      const { headers, request } = optionsOf({})
      return ask(what, true, () => octokit.graphql(query, { headers, request }))
    },
  }
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly data?: unknown
}

const asResponse = ({ status, headers, data }: Answer): HttpResponse => ({
  status,
  header: (name) => (headers[name] === undefined ? null : String(headers[name])),
  body: Buffer.from(JSON.stringify(data ?? null)),
})

/** How GraphQL, which answers 200, says what REST says by a status. */
const GRAPHQL_STATUS: Readonly<Record<string, number>> = { FORBIDDEN: 403, NOT_FOUND: 404, RATE_LIMITED: 429 }

/** What GitHub's client threw, as our own sentence. Another error is a bug, and stays what it is. */
function faultOf(error: unknown, asked: Parameters<typeof refusalOf>[1], now: Date) {
  if (!(error instanceof Error)) return { fault: error, isTransient: false }
  if (error instanceof GitHubError) return { fault: error, isTransient: false }
  if ("errors" in error && Array.isArray(error.errors) && "headers" in error) {
    const [{ type = "", message = "" } = {}] = error.errors as { type?: string; message?: string }[]
    const status = GRAPHQL_STATUS[type] ?? 502
    const headers = error.headers as Answer["headers"]
    const refusal = refusalOf(asResponse({ status, headers, data: { message } }), asked, now)
    return { fault: inOurWords(refusal ?? error), isTransient: status === 502 }
  }
  if (!("status" in error) && error.name !== "TimeoutError") return { fault: error, isTransient: false }
  const response = "response" in error ? (error.response as Answer | undefined) : undefined
  if (response !== undefined) {
    const refusal = refusalOf(asResponse(response), asked, now)
    return { fault: inOurWords(refusal ?? error), isTransient: response.status >= 500 }
  }
  const isLate = [error.name, error.cause instanceof Error ? error.cause.name : ""].includes("TimeoutError")
  const reason = isLate ? "timeout" : "unreachable"
  return { fault: new GitHubError(reason, `GitHub (${asked.url}) ${TRANSPORT[reason]}`), isTransient: !isLate }
}

/** A step has its token from an input, and not from the variables that the command line reads. */
const inOurWords = (error: Error): Error =>
  error instanceof GitHubError && error.reason === "token"
    ? new GitHubError("token", "GitHub refuses the token of the input `token`: it is wrong or has expired", error.said)
    : error
