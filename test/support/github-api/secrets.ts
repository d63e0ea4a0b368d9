import type { IncomingMessage, ServerResponse } from "node:http"
import { RequestLog } from "../request-log.ts"
import { readBody, startServer } from "../servers.ts"
import { GIT_ROUTES, GitData } from "./git-data.ts"
import { type Limit, limitAnswer, rateHeaders } from "./limit.ts"
import type { HostedRepository } from "./model.ts"
import { no, type RouteAnswer, yes } from "./route.ts"

export interface HostedSecret {
  readonly name: string
  readonly created_at: string
  readonly updated_at: string
}

/** What a person's fine-grained token may do: `{ contents: "write" }`. Names are those of GitHub's permissions. */
export type Permissions = Readonly<Record<string, "read" | "write">>

/** A repository with its secrets, as its administrators see it. */
export class SecretRepository extends GitData {
  readonly actions: HostedSecret[] = []
  readonly shared: HostedSecret[] = []
  readonly dependabot: HostedSecret[] = []
  readonly codespaces: HostedSecret[] = []
  readonly environments = new Map<string, HostedSecret[]>()
  archived = false
  /** The token may not see it. */
  hidden = false
}

export interface SecretsApi {
  readonly url: string
  readonly token: string
  permissions: Permissions
  host(repository: HostedRepository): SecretRepository
  readonly organisation: HostedSecret[]
  /** How many things a page has, whatever is asked for. */
  pageSize: number
  /** After so many more requests, the hour's are used up. Null: never. */
  limitAfter: number | null
  readonly requests: readonly string[]
  assertClean(): void
  close(): Promise<void>
}

export type Sent = Readonly<Record<string, unknown>>
export interface SecretRoute {
  readonly method: string
  readonly path: RegExp
  /** As `x-accepted-github-permissions` has it: `secrets=read`. */
  readonly needs: string
  answer(repository: SecretRepository, parts: readonly string[], sent: Sent, query: URLSearchParams): RouteAnswer | null
}

const listOf = (secrets: readonly HostedSecret[]) => yes({ total_count: secrets.length, secrets })

const lists = (
  [
    ["/actions/secrets", "secrets=read", ({ actions }: SecretRepository) => actions],
    ["/actions/organization-secrets", "secrets=read", ({ shared }: SecretRepository) => shared],
    ["/dependabot/secrets", "dependabot_secrets=read", ({ dependabot }: SecretRepository) => dependabot],
    ["/codespaces/secrets", "codespaces_secrets=read", ({ codespaces }: SecretRepository) => codespaces],
  ] as const
).map(
  ([path, needs, of]): SecretRoute => ({
    method: "GET",
    path: new RegExp(`^${path}$`),
    needs,
    answer: (repository) => listOf(of(repository)),
  }),
)

const remove = (secrets: HostedSecret[] | undefined, name = ""): RouteAnswer | null => {
  const index = secrets?.findIndex((one) => one.name === name) ?? -1
  if (index < 0) return null
  secrets?.splice(index, 1)
  return { status: 204, body: undefined }
}

const ROUTES: readonly SecretRoute[] = [
  ...lists,
  ...GIT_ROUTES,
  {
    method: "GET",
    path: /^$/,
    needs: "metadata=read",
    answer: ({ repository: { id, name, fullName, owner, defaultBranch }, archived }) =>
      yes({ id, name, full_name: fullName, owner, default_branch: defaultBranch, archived, private: true }),
  },
  {
    method: "GET",
    path: /^\/environments$/,
    needs: "actions=read",
    answer: ({ environments }) =>
      yes({ total_count: environments.size, environments: [...environments.keys()].map((name) => ({ name })) }),
  },
  {
    method: "GET",
    path: /^\/environments\/([^/]+)\/secrets$/,
    needs: "environments=read",
    answer({ environments }, [name = ""]) {
      const found = environments.get(name)
      return found ? listOf(found) : null
    },
  },
  {
    method: "DELETE",
    path: /^\/environments\/([^/]+)\/secrets\/([^/]+)$/,
    needs: "environments=write",
    answer: ({ environments }, [name = "", secret]) => remove(environments.get(name), secret),
  },
  {
    method: "DELETE",
    path: /^\/actions\/secrets\/([^/]+)$/,
    needs: "secrets=write",
    answer: ({ actions }, [secret]) => remove(actions, secret),
  },
]

/**
 * Starts a stand-in for GitHub's REST API, as a person with a fine-grained token sees it: secrets, environments, files, branches and
 * pull requests. It refuses what the real one refuses: other tokens (401), permissions that the token lacks (403, with the header that
 * names them), what the token cannot see (404), names that are taken (422).
 */
export async function startSecrets(): Promise<SecretsApi> {
  const log = new RequestLog("the stand-in for secrets")
  const repositories: SecretRepository[] = []
  const server = await startServer(serve, (fault) => log.unexpected(`a fault: ${String(fault)}`))
  const api: SecretsApi = {
    url: server.url,
    token: `github_pat_${crypto.randomUUID().replaceAll("-", "")}`,
    permissions: {},
    host(repository) {
      const hosted = new SecretRepository(repository)
      repositories.push(hosted)
      return hosted
    },
    organisation: [],
    pageSize: 100,
    limitAfter: null,
    requests: log.entries,
    assertClean: () => log.assertClean(),
    close: () => server.close(),
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`
    const limit: Limit | null = api.limitAfter === 0 ? { kind: "primary", status: 403, resetInSeconds: 600 } : null
    if (api.limitAfter !== null && api.limitAfter > 0) api.limitAfter -= 1
    const { answer, headers } = answerTo(request, (await readBody(request)) ?? "", limit)
    if (answer === null) log.unexpected(`${line} 404`)
    const { status, body } = answer ?? no(404, "Not Found")
    log.note(`${line} ${status}`)
    const type = { "content-type": "application/json; charset=utf-8" }
    response.writeHead(status, { ...type, ...rateHeaders(limit, 1, new Date()), ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }

  interface Answered {
    readonly answer: RouteAnswer | null
    readonly headers: Record<string, string>
  }

  /** The answer is null when no client has a reason to ask that. */
  function answerTo({ method = "", url = "", headers }: IncomingMessage, body: string, limit: Limit | null): Answered {
    const only = (answer: RouteAnswer | null, more: Record<string, string> = {}): Answered => ({
      answer,
      headers: more,
    })
    if (!headers["user-agent"]) return only(no(403, "Request forbidden by administrative rules."))
    if (headers["x-github-api-version"] !== "2022-11-28") return only(no(400, "That API version is not supported."))
    if (headers.authorization !== `Bearer ${api.token}`) return only(no(401, "Bad credentials"))
    if (limit !== null) return only(limitAnswer(limit))
    const { pathname, searchParams } = new URL(url, api.url)
    const needs = (wanted: string) => {
      const [name = "", level = ""] = wanted.split("=")
      const held = name === "metadata" ? "read" : api.permissions[name]
      return held === "write" || held === level
        ? null
        : only(no(403, "Resource not accessible by personal access token"), { "x-accepted-github-permissions": wanted })
    }
    if (pathname === "/orgs/acme/repos") return paged(searchParams)
    const own = /^\/orgs\/acme\/(actions|dependabot)\/secrets$/.exec(pathname)?.[1]
    if (own !== undefined)
      return (
        needs(`organization_${own === "actions" ? "" : "dependabot_"}secrets=read`) ??
        only(listOf(own === "actions" ? api.organisation : []))
      )
    if (/^\/(?:orgs|users)\/[^/]+\/repos$/.test(pathname)) return only(no(404, "Not Found"))
    const [, name = "", rest = ""] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(pathname) ?? []
    const repository = repositories.find(
      (one) => one.repository.fullName.toLowerCase() === decodeURIComponent(name).toLowerCase(),
    )
    const route = ROUTES.find((each) => each.method === method && each.path.test(rest))
    if (name === "" || route === undefined) return only(null)
    if (repository === undefined || repository.hidden) return only(no(404, "Not Found"))
    const parts = (route.path.exec(rest) ?? []).slice(1).map(decodeURIComponent)
    const sent: unknown = body === "" ? {} : JSON.parse(body)
    return (
      needs(route.needs) ?? only(route.answer(repository, parts, sent as Sent, searchParams) ?? no(404, "Not Found"))
    )
  }

  function paged(query: URLSearchParams): Answered {
    const page = Number(query.get("page") ?? 1)
    const [from, to] = [(page - 1) * api.pageSize, page * api.pageSize]
    const all = repositories.map(({ repository: { id, name, fullName, owner, defaultBranch }, archived }) => ({
      ...{ id, name, full_name: fullName, owner, default_branch: defaultBranch, archived },
    }))
    const link = to < all.length ? { link: `<${api.url}/orgs/acme/repos?page=${page + 1}>; rel="next"` } : {}
    return { answer: yes(all.slice(from, to)), headers: link as Record<string, string> }
  }

  return api
}
