import type { IncomingMessage, ServerResponse } from "node:http"
import { RequestLog } from "../request-log.ts"
import { Failures, type LoopbackServer, type Misbehaviour, misbehave, readBody, startServer } from "../servers.ts"
import type { GitFiles } from "./git.ts"
import { type Limit, limitAnswer, rateHeaders } from "./limit.ts"
import { HostedRepository } from "./model.ts"
import { type PullAnswer, PullRoutes } from "./pull-routes.ts"
import { no } from "./route.ts"

export interface Comment {
  readonly id: number
  body: string
  readonly login: string
}

export interface CheckRun {
  readonly id: number
  readonly name: string
  readonly headSha: string
  readonly conclusion: string
  output: { readonly title: string; readonly summary: string }
  readonly annotations: { readonly path: string; readonly start_line: number; readonly annotation_level: string }[]
}

/** What a job's token, or that of an App, may do. */
export interface JobToken {
  readonly permissions: Readonly<Record<string, "read" | "write">>
  readonly login: string
  /** A job's own token sees no team, whatever it may do. */
  readonly seesTeams: boolean
}

/** A pull request that tests open and push to. */
export class Pull {
  readonly number: number
  readonly author: string
  readonly headRepositoryId: number | null
  state = "open"
  base = "main"
  headSha = ""
  /** Null until GitHub has tried. */
  mergeable: boolean | null = true
  mergeSha: string | null = null
  readonly comments: Comment[] = []
  readonly askedTeams: string[] = []
  readonly askedPeople: string[] = []

  constructor(number: number, author: string, headRepositoryId: number | null) {
    this.number = number
    this.author = author
    this.headRepositoryId = headRepositoryId
  }

  /** The payload of the event that a push of these commits starts. */
  event(repository: HostedRepository): object {
    const head = { sha: this.headSha, repo: this.headRepositoryId === null ? null : { id: this.headRepositoryId } }
    const base = { sha: repository.branches.get(this.base), ref: this.base, repo: { id: repository.id } }
    return {
      action: "synchronize",
      pull_request: { number: this.number, head, base, user: { login: this.author } },
      repository: { id: repository.id, full_name: repository.fullName, default_branch: repository.defaultBranch },
    }
  }
}

export interface PullsWorld {
  readonly repository: HostedRepository
  readonly pulls: Map<number, Pull>
  readonly checks: CheckRun[]
  /** Commit -> its parents. */
  readonly parents: Map<string, readonly string[]>
  /** Teams of the organisation by slug, and whether each has a role in the repository. */
  readonly teams: Map<string, boolean>
  readonly people: Set<string>
}

export interface PullRequestsApi extends PullsWorld {
  readonly url: string
  /** A token; a job's own with the permissions that the docs name, unless told otherwise. */
  token(change?: Partial<JobToken>): string
  open(
    files: { readonly base: GitFiles; readonly head: GitFiles },
    change?: { fork?: boolean | "gone"; author?: string },
  ): Pull
  /** Pushes to the head. `merged`: what a merge gives, where the base branch has changed meanwhile. */
  push(pull: Pull, head: GitFiles, merged?: GitFiles): void
  /** Commits to a branch of the repository itself, on top of `onto`. */
  commitTo(branch: string, files: GitFiles, onto?: string): void
  fail(how: Misbehaviour | null, times?: number): void
  limit(limit: Limit | null): void
  readonly requests: readonly string[]
  assertClean(): void
  close(): Promise<void>
}

const JOB: JobToken = {
  permissions: { contents: "read", pull_requests: "write", checks: "write" },
  login: "github-actions[bot]",
  seesTeams: false,
}

/**
 * Starts a stand-in for GitHub's REST and GraphQL API, as a job that reviews a pull request sees it: with trees, blobs, comments, checks
 * and reviewers. It refuses what the real one refuses: tokens that it did not give (401), what a token may not do (403), more than 50
 * annotations in a call or a text that is too long (422), teams that the token cannot see (422).
 */
export async function startPullRequests(): Promise<PullRequestsApi> {
  const log = new RequestLog("the stand-in for pull requests")
  const repository = new HostedRepository(77, { login: "acme", id: 9001 }, "policies")
  const world: PullsWorld = {
    repository,
    pulls: new Map(),
    checks: [],
    parents: new Map(),
    teams: new Map([["security", true]]),
    people: new Set(["octocat", "hubot"]),
  }
  const routes = new PullRoutes(world)
  const tokens = new Map<string, JobToken>()
  const failures = new Failures<Misbehaviour>()
  let limit: Limit | null = null
  let used = 0

  const server: LoopbackServer = await startServer(serve, (fault) => log.unexpected(`a fault: ${String(fault)}`))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`
    const answer = answerTo(request, (await readBody(request)) ?? "")
    if (answer === null) log.unexpected(`${line} 404`)
    const { status, body, headers = {} }: PullAnswer = answer ?? no(404, "Not Found")
    used += 1
    const how = failures.take()
    const json = JSON.stringify(body)
    if (how !== null) {
      log.note(`${line} (${how})`)
      return misbehave(response, how, { type: "application/json; charset=utf-8", body: json })
    }
    log.note(`${line} ${status}`)
    const type = { "content-type": "application/json; charset=utf-8" }
    response.writeHead(status, { ...type, ...rateHeaders(limit, used, new Date()), ...headers }).end(json)
  }

  function answerTo(request: IncomingMessage, body: string): PullAnswer | null {
    const { authorization = "", "user-agent": agent = "", "x-github-api-version": version } = request.headers
    if (agent === "") return no(403, "Request forbidden by administrative rules.")
    if (version !== "2022-11-28") return no(400, "That API version is not supported.")
    const [, text = ""] = /^(?:bearer|token) (\S+)$/i.exec(authorization) ?? []
    const token = tokens.get(text)
    if (token === undefined) return no(401, "Bad credentials")
    if (limit !== null) return limitAnswer(limit)
    const sent: unknown = body === "" ? {} : JSON.parse(body)
    return routes.answer(request.method ?? "", request.url ?? "", sent as Record<string, unknown>, token)
  }

  const commit = (files: GitFiles, parents: readonly string[]) => {
    const sha = repository.objects.commit(files, `Commit ${world.parents.size}`)
    world.parents.set(sha, parents)
    return sha
  }
  const push = (pull: Pull, head: GitFiles, merged = head) => {
    const base = repository.branches.get(pull.base) ?? ""
    pull.headSha = commit(head, [base])
    pull.mergeSha = commit(merged, [base, pull.headSha])
  }
  return {
    ...world,
    url: server.url,
    token(change = {}) {
      const text = `ghs_${crypto.randomUUID().replaceAll("-", "")}`
      tokens.set(text, { ...JOB, ...change })
      return text
    },
    open({ base, head }, { fork = false, author = "octocat" } = {}) {
      const pull = new Pull(world.pulls.size + 1, author, fork === "gone" ? null : fork ? 4242 : repository.id)
      world.pulls.set(pull.number, pull)
      repository.branches.set("main", commit(base, []))
      push(pull, head)
      return pull
    },
    push,
    commitTo(branch, files, onto) {
      const before = repository.branches.get(onto ?? branch)
      repository.branches.set(branch, commit(files, before === undefined ? [] : [before]))
    },
    fail: (how, times) => failures.set(how, times),
    limit(next) {
      limit = next
    },
    requests: log.entries,
    assertClean: () => log.assertClean(),
    close: () => server.close(),
  }
}
