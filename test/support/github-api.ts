import { createHash, generateKeyPairSync, randomBytes } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { faultOfAppJwt } from "./github-api/app-jwt.ts"
import { type Account, HostedRepository, type Installation, type IssuedToken } from "./github-api/model.ts"
import { answerAsInstallation, ROUTES, type RouteAnswer, refusal, type World } from "./github-api/routes.ts"
import { RequestLog } from "./request-log.ts"
import { type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"

const TOKEN_MS = 60 * 60_000
const HOURLY_REQUESTS = 5_000
const VERSIONS: readonly unknown[] = [undefined, "2022-11-28"]

/** GitHub's ways to ask for patience. `unsaid`: a secondary limit that only the message tells of. */
export type Limit =
  | { readonly kind: "primary"; readonly status: 403 | 429; readonly resetInSeconds: number }
  | { readonly kind: "secondary"; readonly status: 403 | 429; readonly retryAfterSeconds: number }
  | { readonly kind: "unsaid" }

export interface GitHubApi {
  readonly url: string
  readonly appId: string
  /** The App's private key in both of its forms. */
  readonly key: { readonly pkcs1: string; readonly pkcs8: string }
  host(id: number, owner: Account, name: string): HostedRepository
  /** Installs the App on an account, with both permissions and on all repositories unless told otherwise. */
  install(account: Account, change?: Partial<Pick<Installation, "permissions" | "repositories">>): Installation
  uninstall(installation: Installation): void
  /** Makes all tokens given so far worthless. */
  revokeTokens(): void
  /** Answers whatever is asked below `path` with this; `null` ends that. */
  override(path: RegExp, answer: RouteAnswer | null): void
  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. */
  fail(how: Misbehaviour | null, times?: number): void
  /** Asks for patience, whatever is asked. `null` ends it. */
  limit(limit: Limit | null): void
  /** What was asked, in order, for example `GET /repositories/41/git/ref/heads/main 304`. No token is in it. */
  readonly requests: readonly string[]
  /** Every bearer that it was shown and every token that it gave: what may stand nowhere else. */
  readonly credentials: readonly string[]
  /** @throws when anything was asked that no client of the App has a reason to ask. */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

export interface GitHubApiOptions {
  /** GitHub's clock. */
  readonly now?: () => Date
}

let keys: { readonly pkcs1: string; readonly pkcs8: string; readonly key: ReturnType<typeof makeKey> } | undefined

/**
 * Starts a stand-in for GitHub's REST API on loopback, as one GitHub App sees it.
 *
 * It refuses what the real one refuses: no `User-Agent`, a JWT that is badly signed, of another App, too long-lived or
 * from the future; tokens it did not give, or that ended; repositories outside of a token (404) and permissions that it
 * lacks (403). It answers by id, and old names with a redirect.
 */
export async function startGitHubApi({ now = () => new Date() }: GitHubApiOptions = {}): Promise<GitHubApi> {
  const log = new RequestLog("the GitHub API stand-in")
  keys ??= pemOf(makeKey())
  const { key, ...pem } = keys
  const appId = "730001"
  const repositories: HostedRepository[] = []
  const installations: Installation[] = []
  const tokens = new Map<string, IssuedToken>()
  const credentials = new Set<string>()
  const overrides = new Map<string, { readonly path: RegExp; readonly answer: RouteAnswer }>()
  let failure: { readonly how: Misbehaviour; left: number } | null = null
  let limit: Limit | null = null
  let used = 0

  const server = await startServer(
    (request, response) => serve(request, response),
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )
  const world: World = {
    url: server.url,
    appId,
    repositories,
    installations,
    issue(token) {
      const text = `ghs_${randomBytes(27).toString("base64url").replace(/[-_]/g, "x")}`
      const expiresAt = new Date(Math.floor((now().getTime() + TOKEN_MS) / 1000) * 1000)
      tokens.set(text, { ...token, expiresAt: expiresAt.getTime() })
      credentials.add(text)
      return { token: text, expiresAt }
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`
    const answer = answerTo(request, await readBody(request))
    if (answer === null) {
      log.unexpected(`${line} 404`)
      send(response, refusal(404, "Not Found"), undefined)
      return
    }
    if (failure) {
      const { how } = failure
      failure.left -= 1
      if (failure.left <= 0) failure = null
      log.note(`${line} (${how})`)
      return misbehave(response, how, { type: "application/json; charset=utf-8", body: JSON.stringify(answer.body) })
    }
    const status = send(response, answer, request.headers["if-none-match"])
    log.note(`${line} ${status}`)
  }

  /** Null when no client has a reason to ask that. */
  function answerTo(request: IncomingMessage, body: string | null): RouteAnswer | null {
    const path = request.url ?? "/"
    if (!request.headers["user-agent"]) {
      return refusal(
        403,
        "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
      )
    }
    if (!VERSIONS.includes(request.headers["x-github-api-version"]))
      return refusal(400, "That API version is not supported.")
    const moved = movedName(path)
    if (moved) return moved
    const route = ROUTES.find((each) => each.method === request.method && each.path.test(path))
    if (!route) return null
    if (limit) return refusal(limit.kind === "unsaid" ? 403 : limit.status, LIMIT_MESSAGES[limit.kind])
    const parts = (route.path.exec(path) ?? []).slice(1).map(decodeURIComponent)
    const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? ""
    if (bearer !== "") credentials.add(bearer)
    const overridden = [...overrides.values()].find((each) => each.path.test(path))
    if (route.as === "app") {
      const fault = faultOfAppJwt(bearer, appId, key.privateKey, Math.floor(now().getTime() / 1000))
      if (fault !== null) return refusal(401, fault)
      return overridden?.answer ?? route.answer(parts, world, parse(body)) ?? refusal(404, "Not Found")
    }
    const token = tokens.get(bearer)
    if (!token || token.expiresAt <= now().getTime()) return refusal(401, "Bad credentials")
    return overridden?.answer ?? answerAsInstallation(route, parts, token, world) ?? refusal(404, "Not Found")
  }

  /** A repository's former name leads to its id. */
  function movedName(path: string): RouteAnswer | null {
    const [, login, name, rest = ""] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? []
    const repository = repositories.find(({ owner }) => owner.login === login)
    if (!repository || name === repository.name) return null
    const location = `${server.url}/repositories/${repository.id}${rest}`
    return { status: 301, body: { message: "Moved Permanently", url: location }, location }
  }

  function send(response: ServerResponse, answer: RouteAnswer, ifNoneMatch: string | undefined): number {
    const body = JSON.stringify(answer.body)
    const etag = `W/"${createHash("sha256").update(body).digest("hex")}"`
    const isKnown = answer.status === 200 && ifNoneMatch === etag
    // What was not sent again is not counted either.
    if (!isKnown) used += 1
    const status = isKnown ? 304 : answer.status
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "x-github-media-type": "github.v3; format=json",
      ...(answer.status === 200 ? { etag, "cache-control": "private, max-age=60, s-maxage=60" } : {}),
      ...(answer.location === undefined ? {} : { location: answer.location }),
      ...rateHeaders(),
    })
    response.end(isKnown ? undefined : body)
    return status
  }

  function rateHeaders(): Record<string, string> {
    const isPrimary = limit?.kind === "primary"
    const resetIn = limit?.kind === "primary" ? limit.resetInSeconds : 3600
    return {
      "x-ratelimit-limit": String(HOURLY_REQUESTS),
      "x-ratelimit-remaining": String(isPrimary ? 0 : HOURLY_REQUESTS - used),
      "x-ratelimit-used": String(isPrimary ? HOURLY_REQUESTS : used),
      "x-ratelimit-reset": String(Math.floor(now().getTime() / 1000) + resetIn),
      "x-ratelimit-resource": "core",
      ...(limit?.kind === "secondary" ? { "retry-after": String(limit.retryAfterSeconds) } : {}),
    }
  }

  return {
    url: server.url,
    appId,
    key: pem,
    host(id, owner, name) {
      const repository = new HostedRepository(id, owner, name)
      repositories.push(repository)
      return repository
    },
    install(account, change = {}) {
      const installation: Installation = {
        id: 51_000_000 + installations.length,
        account,
        permissions: { contents: "read", actions: "read" },
        repositories: "all",
        suspendedAt: null,
        ...change,
      }
      installations.push(installation)
      return installation
    },
    uninstall(installation) {
      installations.splice(installations.indexOf(installation), 1)
      for (const [text, token] of tokens) if (token.installation === installation) tokens.delete(text)
    },
    revokeTokens: () => void tokens.clear(),
    override(path, answer) {
      if (answer === null) overrides.delete(path.source)
      else overrides.set(path.source, { path, answer })
    },
    fail(how, times = Number.POSITIVE_INFINITY) {
      failure = how === null ? null : { how, left: times }
    },
    limit(next) {
      limit = next
    },
    requests: log.entries,
    get credentials() {
      return [...credentials]
    },
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

const LIMIT_MESSAGES: Readonly<Record<Limit["kind"], string>> = {
  primary: "API rate limit exceeded for installation ID 51000000.",
  secondary: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
  unsaid: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
}

function parse(body: string | null): unknown {
  try {
    return JSON.parse(body ?? "")
  } catch {
    return null
  }
}

const makeKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 })

function pemOf(key: ReturnType<typeof makeKey>) {
  const pkcs1 = key.privateKey.export({ type: "pkcs1", format: "pem" }).toString()
  const pkcs8 = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  return { pkcs1, pkcs8, key }
}

export type { GitFile, GitFiles } from "./github-api/git.ts"
export type { Account, EnvironmentSettings, HostedRepository, Installation } from "./github-api/model.ts"
