import type { GitEntry, GitObjects } from "./git.ts"
import type { Comment, JobToken, Pull, PullsWorld } from "./pull-requests.ts"
import { no, type RouteAnswer, yes } from "./route.ts"

type Sent = Readonly<Record<string, unknown>>
export type PullAnswer = RouteAnswer & { readonly headers?: Readonly<Record<string, string>> }

interface Route {
  readonly method: string
  readonly path: RegExp
  /** As GitHub names it in `x-accepted-github-permissions`. */
  readonly needs: string
  answer(parts: readonly string[], sent: Sent, token: JobToken, query: URLSearchParams): PullAnswer | null
}

const MAX_BODY = 65_536
const MAX_OUTPUT = 65_535
const MAX_ANNOTATIONS = 50
const LEVELS: readonly unknown[] = ["notice", "warning", "failure"]
const CONCLUSIONS: readonly unknown[] = ["success", "neutral", "failure", "action_required"]

/** Every route that a review has a reason to ask for. */
export class PullRoutes {
  readonly #world: PullsWorld
  readonly #routes: readonly Route[]
  #ids = 9_000

  constructor(world: PullsWorld) {
    this.#world = world
    this.#routes = this.#all()
  }

  /** Null when no review has a reason to ask that. */
  answer(method: string, url: string, sent: Sent, token: JobToken): PullAnswer | null {
    const { pathname, searchParams } = new URL(url, "http://github.invalid")
    if (pathname === "/graphql") return method === "POST" ? this.#graphql(String(sent["query"]), token) : null
    const prefix = `/repos/${this.#world.repository.fullName}`
    if (!pathname.startsWith(`${prefix}/`)) return null
    const path = pathname.slice(prefix.length)
    const route = this.#routes.find((each) => each.method === method && each.path.test(path))
    if (route === undefined) return null
    if (!route.needs.split("; ").some((need) => holds(token, need))) {
      const refused = no(403, "Resource not accessible by integration")
      return { ...refused, headers: { "x-accepted-github-permissions": route.needs } }
    }
    const parts = (route.path.exec(path) ?? []).slice(1)
    return route.answer(parts, sent, token, searchParams) ?? no(404, "Not Found")
  }

  #all(): readonly Route[] {
    const { repository, parents, pulls, checks } = this.#world
    const { objects } = repository
    const pullOf = (number: string | undefined) => pulls.get(Number(number))
    return [
      {
        method: "GET",
        path: /^\/pulls\/([0-9]+)$/,
        needs: "pull_requests=read",
        answer([number]) {
          const pull = pullOf(number)
          return pull ? yes(pullBody(pull)) : null
        },
      },
      {
        method: "GET",
        path: /^\/git\/commits\/([0-9a-f]{40})$/,
        needs: "contents=read",
        answer([sha = ""]) {
          const before = parents.get(sha)
          return before ? yes({ sha, parents: before.map((each) => ({ sha: each })) }) : null
        },
      },
      {
        method: "GET",
        path: /^\/git\/ref\/heads(?:\/|%2F)(.+)$/,
        needs: "contents=read",
        answer([name = ""]) {
          const sha = repository.branches.get(decodeURIComponent(name))
          return sha === undefined ? null : yes({ ref: `refs/heads/${name}`, object: { type: "commit", sha } })
        },
      },
      {
        method: "GET",
        path: /^\/compare\/([0-9a-f]{40})\.\.\.([0-9a-f]{40})$/,
        needs: "contents=read",
        answer([base = "", head = ""]) {
          if (!parents.has(base) || !parents.has(head)) return null
          const [above, below] = [isBelow(parents, base, head), isBelow(parents, head, base)]
          return yes({
            status: base === head ? "identical" : above ? "ahead" : below ? "behind" : "diverged",
            commits: [],
          })
        },
      },
      {
        method: "GET",
        path: /^\/git\/trees\/([0-9a-f]{40})$/,
        needs: "contents=read",
        answer([sha = ""], _sent, _token, query) {
          const tree = objects.tree(sha)
          if (!tree) return null
          const { truncatesTrees: truncated } = repository
          // Any value of `recursive` means yes, `0` as well.
          const entries = query.has("recursive") ? recursively(objects, tree.entries, "") : tree.entries
          return yes({ sha: tree.sha, tree: truncated ? entries.slice(0, 1) : entries, truncated })
        },
      },
      {
        method: "GET",
        path: /^\/git\/blobs\/([0-9a-f]{40})$/,
        needs: "contents=read",
        answer([sha = ""]) {
          const bytes = objects.blob(sha)
          return bytes ? yes({ sha, size: bytes.length, content: bytes.toString("base64"), encoding: "base64" }) : null
        },
      },
      {
        method: "GET",
        path: /^\/issues\/([0-9]+)\/comments$/,
        needs: "issues=read; pull_requests=read",
        answer([number], _sent, _token, query) {
          const size = Math.min(100, Number(query.get("per_page") ?? 30))
          const from = (Number(query.get("page") ?? 1) - 1) * size
          return yes((pullOf(number)?.comments ?? []).slice(from, from + size).map(commentBody))
        },
      },
      {
        method: "POST",
        path: /^\/issues\/([0-9]+)\/comments$/,
        needs: "issues=write; pull_requests=write",
        answer: ([number], { body }, { login }) => {
          const refused = refusalOfBody(body)
          if (refused) return refused
          const comment = { id: this.#id(), body: String(body), login }
          pullOf(number)?.comments.push(comment)
          return yes(commentBody(comment), 201)
        },
      },
      {
        method: "PATCH",
        path: /^\/issues\/comments\/([0-9]+)$/,
        needs: "issues=write; pull_requests=write",
        answer([id], { body }) {
          const comment = [...pulls.values()].flatMap((pull) => pull.comments).find((each) => each.id === Number(id))
          if (!comment) return null
          const refused = refusalOfBody(body)
          if (refused) return refused
          comment.body = String(body)
          return yes(commentBody(comment))
        },
      },
      {
        method: "POST",
        path: /^\/check-runs$/,
        needs: "checks=write",
        answer: (_, { name, head_sha: headSha, status, conclusion, output }) => {
          const refused = refusalOfOutput(output)
          if (refused) return refused
          if (typeof name !== "string" || typeof headSha !== "string" || !parents.has(headSha))
            return no(422, `No commit found for SHA: ${String(headSha)}`)
          if (status !== "completed" || !CONCLUSIONS.includes(conclusion)) return no(422, "Invalid request.")
          const { title, summary, annotations } = output as Output
          const check = { id: this.#id(), name, headSha, conclusion: String(conclusion), output: { title, summary } }
          checks.push({ ...check, annotations: [...annotations] })
          return yes({ id: check.id, name, head_sha: headSha, status, conclusion }, 201)
        },
      },
      {
        method: "PATCH",
        path: /^\/check-runs\/([0-9]+)$/,
        needs: "checks=write",
        answer([id], { output }) {
          const check = checks.find((each) => each.id === Number(id))
          if (!check) return null
          const refused = refusalOfOutput(output)
          if (refused) return refused
          check.annotations.push(...(output as Output).annotations)
          return yes({ id: check.id })
        },
      },
      {
        method: "GET",
        path: /^\/pulls\/([0-9]+)\/requested_reviewers$/,
        needs: "pull_requests=read",
        answer([number], _sent, { seesTeams }) {
          const { askedPeople = [], askedTeams = [] } = pullOf(number) ?? {}
          const teams = seesTeams ? askedTeams : []
          return yes({ users: askedPeople.map((login) => ({ login })), teams: teams.map((slug) => ({ slug })) })
        },
      },
      {
        method: "POST",
        path: /^\/pulls\/([0-9]+)\/requested_reviewers$/,
        needs: "pull_requests=write",
        answer: ([number], sent, token) => this.#ask(pullOf(number), sent, token),
      },
    ]
  }

  #ask(pull: Pull | undefined, sent: Sent, token: JobToken): PullAnswer | null {
    if (!pull) return null
    const { team_reviewers: teams = [], reviewers: people = [] } = sent as {
      team_reviewers?: string[]
      reviewers?: string[]
    }
    const known = this.#world.teams
    if (teams.some((slug) => known.has(slug)) && !token.seesTeams)
      return no(422, "Could not resolve to a node with the global id of 'T_kwDOABCD'.")
    if (teams.some((slug) => known.get(slug) !== true))
      return no(
        422,
        "Reviews may only be requested from collaborators. One or more of the teams you specified is not a collaborator of the acme/policies repository.",
      )
    if (people.includes(pull.author)) return no(422, "Review cannot be requested from pull request author.")
    if (people.some((login) => !this.#world.people.has(login)))
      return no(
        422,
        "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the acme/policies repository.",
      )
    pull.askedTeams.push(...teams)
    pull.askedPeople.push(...people)
    return yes(pullBody(pull), 201)
  }

  /** The two queries of a review, and nothing else of GraphQL. */
  #graphql(query: string, token: JobToken): PullAnswer {
    if (query === "query { viewer { login } }") return yes({ data: { viewer: { login: token.login } } })
    const { repository } = this.#world
    const { owner, name, objects } = repository
    const [, fields] =
      new RegExp(
        `^query \\{ repository\\(owner: "${owner.login}", name: "${name}"\\) \\{ ((?:b[0-9]+: object\\(oid: "[0-9a-f]{40}"\\) \\{ \\.\\.\\. on Blob \\{ text \\} \\} ?)+) \\} \\}$`,
      ).exec(query) ?? []
    if (fields === undefined) return yes({ errors: [{ type: "undefinedField", message: "Parse error" }] })
    if (!holds(token, "contents=read"))
      return yes({
        data: { repository: null },
        errors: [{ type: "FORBIDDEN", message: "Resource not accessible by integration" }],
      })
    const found = [...fields.matchAll(/(b[0-9]+): object\(oid: "([0-9a-f]{40})"\)/g)].map(
      ([, field = "", sha = ""]) => {
        const bytes = objects.blob(sha)
        // A binary file has no text, and bytes that are no UTF-8 are replaced.
        return [field, bytes === undefined ? null : { text: bytes.includes(0) ? null : bytes.toString("utf8") }]
      },
    )
    return yes({ data: { repository: Object.fromEntries(found) } })
  }

  #id(): number {
    this.#ids += 1
    return this.#ids
  }
}

interface Output {
  readonly title: string
  readonly summary: string
  readonly annotations: readonly { path: string; start_line: number; annotation_level: string }[]
}

function holds({ permissions }: JobToken, need: string): boolean {
  const [name = "", level = ""] = need.split("=")
  const held = permissions[name]
  return held === "write" || (held === "read" && level === "read")
}

/** Whether a commit is an ancestor of another one. */
function isBelow(parents: ReadonlyMap<string, readonly string[]>, commit: string, other: string): boolean {
  return (parents.get(other) ?? []).some((parent) => parent === commit || isBelow(parents, commit, parent))
}

function recursively(objects: GitObjects, entries: readonly GitEntry[], prefix: string): GitEntry[] {
  return entries.flatMap((entry) => {
    const here = { ...entry, path: prefix + entry.path }
    if (entry.type !== "tree") return [here]
    return [here, ...recursively(objects, objects.tree(entry.sha)?.entries ?? [], `${here.path}/`)]
  })
}

const pullBody = ({ number, state, base, headSha, mergeable, mergeSha, author }: Pull) => ({
  number,
  state,
  user: { login: author },
  head: { sha: headSha },
  base: { ref: base },
  mergeable,
  merge_commit_sha: mergeSha,
})

const commentBody = ({ id, body, login }: Comment) => ({ id, body, user: { login, type: "Bot" } })

function refusalOfBody(body: unknown): PullAnswer | null {
  if (typeof body !== "string" || body.trim() === "") return no(422, "Validation Failed: body can't be blank")
  return body.length > MAX_BODY ? no(422, "Validation Failed: body is too long (maximum is 65536 characters)") : null
}

function refusalOfOutput(output: unknown): PullAnswer | null {
  const { title, summary, annotations } = (output ?? {}) as Partial<Output>
  if (typeof title !== "string" || typeof summary !== "string" || !Array.isArray(annotations))
    return no(422, "Invalid request. For 'properties/output', nil is not an object.")
  if (summary.length > MAX_OUTPUT)
    return no(422, "Invalid request. Only 65535 characters are allowed; summary is too long.")
  if (annotations.length > MAX_ANNOTATIONS) return no(422, "Invalid request. No more than 50 items are allowed.")
  const isRight = (annotations as Output["annotations"]).every(
    ({ path, start_line: line, annotation_level: level }) =>
      path !== "" && !path.startsWith("/") && Number.isInteger(line) && line > 0 && LEVELS.includes(level),
  )
  return isRight ? null : no(422, "Invalid request. Annotations are invalid.")
}
