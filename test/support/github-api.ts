import { createHash, generateKeyPairSync } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { faultOfAppJwt, NO_SUCH_APP } from "./github-api/app-jwt.ts"
import { type Limit, limitAnswer, rateHeaders } from "./github-api/limit.ts"
import { type Account, HostedRepository, type Installation } from "./github-api/model.ts"
import { no, type RouteAnswer, type World } from "./github-api/route.ts"
import { answerAsInstallation, ROUTES } from "./github-api/routes.ts"
import { InstallationTokens, type TokenForm } from "./github-api/tokens.ts"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"

const FIRST_INSTALLATION = 51_000_000
const VERSIONS: readonly unknown[] = [undefined, "2022-11-28"]

export interface GitHubApi {
  readonly url: string
  readonly appId: string
  /** The App's private key in both of its forms. */
  readonly key: { readonly pkcs1: string; readonly pkcs8: string }
  host(id: number, owner: Account, name: string): HostedRepository
  /** Installs the App on an account, with both permissions and on all repositories unless told otherwise. */
  install(account: Account, change?: Partial<Pick<Installation, "permissions" | "repositories">>): Installation
  uninstall(installation: Installation): void
  /** A token for all that an installation has. */
  tokenFor(installation: Installation): string
  /** Makes all tokens given so far worthless. */
  revokeTokens(): void
  /** How many tokens it gave that are good now. */
  readonly tokensAlive: number
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
  /** `opaque` when left out. */
  readonly tokens?: TokenForm
}

let keys: { readonly pkcs1: string; readonly pkcs8: string; readonly key: ReturnType<typeof makeKey> } | undefined

/**
 * Starts a stand-in for GitHub's REST API on loopback, as one GitHub App sees it.
 *
 * It refuses what the real one refuses: no `User-Agent`, a JWT that is badly signed, of another App, too long-lived or
 * from the future; tokens it did not give, or that ended; repositories outside of a token (404) and permissions that it
 * lacks (403). Repositories answer by id, and old names with a redirect. It is as generous as the real one, too: a list of
 * repositories or permissions that is empty or left out means all.
 */
export async function startGitHubApi(options: GitHubApiOptions = {}): Promise<GitHubApi> {
  const { now = () => new Date(), tokens: form = "opaque" } = options
  const log = new RequestLog("the GitHub API stand-in")
  keys ??= pemOf(makeKey())
  const { key, ...pem } = keys
  const appId = "730001"
  const repositories: HostedRepository[] = []
  const installations: Installation[] = []
  const tokens = new InstallationTokens(form, () => now().getTime())
  const credentials = new Set<string>()
  const overrides = new Map<string, { readonly path: RegExp; readonly answer: RouteAnswer }>()
  const failures = new Failures<Misbehaviour>()
  let limit: Limit | null = null
  let used = 0
  let installed = 0

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
      const issued = tokens.issue(token)
      credentials.add(issued.token)
      return issued
    },
    revoke: (text) => tokens.revoke(text),
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`
    const answer = answerTo(request, await readBody(request))
    if (answer === null) {
      log.unexpected(`${line} 404`)
      send(response, no(404, "Not Found"), undefined)
      return
    }
    const how = failures.take()
    if (how !== null) {
      log.note(`${line} (${how})`)
      return misbehave(response, how, {
        type: "application/json; charset=utf-8",
        body: JSON.stringify(answer.body ?? null),
      })
    }
    const status = send(response, answer, request.headers["if-none-match"])
    log.note(`${line} ${status}`)
  }

  /** Null when no client has a reason to ask that. */
  function answerTo(request: IncomingMessage, body: string | null): RouteAnswer | null {
    const path = request.url ?? "/"
    if (!request.headers["user-agent"]) {
      return no(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
    }
    if (!VERSIONS.includes(request.headers["x-github-api-version"]))
      return no(400, "That API version is not supported.")
    const moved = movedName(path)
    if (moved) return moved
    const byId = withIds(path)
    const route = ROUTES.find((each) => each.method === request.method && each.path.test(byId))
    if (!route) return null
    if (limit) return limitAnswer(limit)
    const parts = (route.path.exec(byId) ?? []).slice(1).map(decodeURIComponent)
    // GitHub takes the scheme in any case, and `token` for tokens; for a JWT only `bearer`.
    const [, scheme = "", bearer = ""] = /^(bearer|token) (\S+)$/i.exec(request.headers.authorization ?? "") ?? []
    if (bearer !== "") credentials.add(bearer)
    const overridden = [...overrides.values()].find((each) => each.path.test(path))
    if (route.as === "app") {
      const jwt = scheme.toLowerCase() === "bearer" ? bearer : ""
      const fault = faultOfAppJwt(jwt, appId, key.privateKey, Math.floor(now().getTime() / 1000))
      if (fault !== null) return no(fault === NO_SUCH_APP ? 404 : 401, fault)
      const sent = parse(body)
      if (sent === null) return no(400, "Problems parsing JSON")
      return overridden?.answer ?? route.answer(parts, world, sent) ?? no(404, "Not Found")
    }
    const token = tokens.find(bearer)
    if (!token) return no(401, "Bad credentials")
    if (route.as === "token") {
      if (token.installation.suspendedAt !== null) return no(403, "This installation has been suspended")
      return overridden?.answer ?? route.answer(bearer, world)
    }
    return overridden?.answer ?? answerAsInstallation(route, parts, token, world) ?? no(404, "Not Found")
  }

  /** A repository's former name leads to its id. */
  function movedName(path: string): RouteAnswer | null {
    const [, login, name, rest = ""] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? []
    const repository = repositories.find(
      ({ owner, formerNames }) => owner.login === login && name !== undefined && formerNames.has(name),
    )
    if (!repository || hostedAs(login, name)) return null
    const location = `${server.url}/repositories/${repository.id}${rest}`
    return { status: 301, body: { message: "Moved Permanently", url: location }, location }
  }

  /** A path by a repository's name of now, in any case, as the path by its id. */
  function withIds(path: string): string {
    const [, login, name, rest = ""] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? []
    const repository = hostedAs(login, name)
    return repository ? `/repositories/${repository.id}${rest}` : path
  }

  function hostedAs(login = "", name = ""): HostedRepository | undefined {
    const wanted = `${login}/${name}`.toLowerCase()
    return repositories.find(({ fullName }) => fullName.toLowerCase() === wanted)
  }

  function send(response: ServerResponse, answer: RouteAnswer, ifNoneMatch: string | undefined): number {
    const body = answer.body === undefined ? "" : JSON.stringify(answer.body)
    const etag = `W/"${createHash("sha256").update(body).digest("hex")}"`
    const isKnown = answer.status === 200 && ifNoneMatch === etag
    // What was not sent again is not counted either.
    if (!isKnown) used += 1
    const status = isKnown ? 304 : answer.status
    response.writeHead(status, {
      ...(body === "" ? {} : { "content-type": "application/json; charset=utf-8" }),
      "x-github-media-type": "github.v3; format=json",
      ...(answer.status === 200 ? { etag, "cache-control": "private, max-age=60, s-maxage=60" } : {}),
      ...(answer.location === undefined ? {} : { location: answer.location }),
      ...(answer.needed === undefined ? {} : { "x-accepted-github-permissions": answer.needed }),
      ...rateHeaders(limit, used, now()),
    })
    response.end(isKnown ? undefined : body)
    return status
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
        id: FIRST_INSTALLATION + installed++,
        account,
        permissions: { contents: "read", actions: "read" },
        repositories: "all",
        suspendedAt: null,
        ...change,
      }
      installations.push(installation)
      return installation
    },
    tokenFor: (installation) =>
      world.issue({ installation, repositories: installation.repositories, permissions: installation.permissions })
        .token,
    uninstall(installation) {
      installations.splice(installations.indexOf(installation), 1)
      tokens.forgetInstallation(installation)
    },
    revokeTokens: () => tokens.revokeAll(),
    get tokensAlive() {
      return tokens.alive
    },
    override(path, answer) {
      if (answer === null) overrides.delete(path.source)
      else overrides.set(path.source, { path, answer })
    },
    fail: (how, times) => failures.set(how, times),
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

/** The JSON object of a body, empty for none: who sends none asks for all. Null for anything else, which GitHub refuses. */
function parse(body: string | null): object | null {
  try {
    const sent: unknown = body === "" ? {} : JSON.parse(body ?? "")
    return typeof sent === "object" && !Array.isArray(sent) ? sent : null
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
export type { Limit } from "./github-api/limit.ts"
export type { Account, EnvironmentSettings, HostedRepository, Installation, Review } from "./github-api/model.ts"
export { type Delivery, deliver, leakDelivery } from "./github-api/webhook.ts"
