import { environmentBody, installationBody, repositoryBody } from "./bodies.ts"
import { covers, type HostedRepository, type Installation, type IssuedToken } from "./model.ts"

/** What the stand-in hosts. */
export interface World {
  readonly url: string
  readonly appId: string
  readonly repositories: readonly HostedRepository[]
  readonly installations: readonly Installation[]
  issue(token: Omit<IssuedToken, "expiresAt">): { readonly token: string; readonly expiresAt: Date }
}

export interface RouteAnswer {
  readonly status: number
  readonly body: unknown
  readonly location?: string
}

/** One route: as the App (`app`), or as an installation. `null` is a 404. */
type Route =
  | {
      readonly as: "app"
      readonly method: "GET" | "POST"
      readonly path: RegExp
      answer(parts: readonly string[], world: World, body: unknown): RouteAnswer | null
    }
  | {
      readonly as: "installation"
      readonly method: "GET"
      readonly path: RegExp
      readonly permission: "contents" | "actions" | "metadata"
      answer(parts: readonly string[], repository: HostedRepository, world: World): RouteAnswer | null
    }

const yes = (body: unknown, status = 200): RouteAnswer => ({ status, body })
const no = (status: number, message: string): RouteAnswer => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest", status: String(status) },
})
const EMPTY = no(409, "Git Repository is empty.")

/** Every route that a client of this stand-in has a reason to ask for. */
export const ROUTES: readonly Route[] = [
  {
    as: "app",
    method: "GET",
    path: /^\/repositories\/([0-9]+)\/installation$/,
    answer([id], world) {
      const found = installationOn(Number(id), world)
      return found ? yes(installationBody(found, { id: world.appId, url: world.url })) : null
    },
  },
  {
    as: "app",
    method: "POST",
    path: /^\/app\/installations\/([0-9]+)\/access_tokens$/,
    answer([id], world, body) {
      const installation = world.installations.find((each) => each.id === Number(id))
      return installation ? giveToken(installation, world, body) : null
    },
  },
  {
    as: "installation",
    method: "GET",
    permission: "metadata",
    path: /^\/repositories\/([0-9]+)$/,
    answer: (_, repository, world) => yes(repositoryBody(repository, world.url)),
  },
  {
    as: "installation",
    method: "GET",
    permission: "contents",
    path: /^\/repositories\/([0-9]+)\/git\/ref\/(heads|tags)\/(.+)$/,
    answer([, kind, name = ""], repository) {
      if (isEmpty(repository)) return EMPTY
      const sha = (kind === "heads" ? repository.branches : repository.tags).get(name)
      if (sha === undefined) return null
      const ref = `refs/${kind}/${name}`
      return yes({ ref, node_id: Buffer.from(ref).toString("base64"), object: { type: "commit", sha, url: `/${sha}` } })
    },
  },
  {
    as: "installation",
    method: "GET",
    permission: "contents",
    path: /^\/repositories\/([0-9]+)\/git\/trees\/(.+)$/,
    answer([, name = ""], repository) {
      if (isEmpty(repository)) return EMPTY
      // As Git takes a short name: a tag before a branch.
      const tree = repository.objects.tree(repository.tags.get(name) ?? repository.branches.get(name) ?? name)
      if (!tree) return null
      const { truncatesTrees } = repository
      return yes({ sha: tree.sha, tree: truncatesTrees ? [] : tree.entries, truncated: truncatesTrees })
    },
  },
  {
    as: "installation",
    method: "GET",
    permission: "contents",
    path: /^\/repositories\/([0-9]+)\/git\/blobs\/([0-9a-f]+)$/,
    answer([, sha = ""], repository) {
      const bytes = repository.objects.blob(sha)
      if (!bytes) return null
      const content = bytes.toString("base64").replace(/(.{60})/g, "$1\n")
      return yes({ sha, node_id: sha, size: bytes.length, url: `/${sha}`, content, encoding: "base64" })
    },
  },
  {
    as: "installation",
    method: "GET",
    permission: "actions",
    path: /^\/repositories\/([0-9]+)\/environments\/([^/]+)$/,
    answer([, name = ""], repository, world) {
      // GitHub takes names in any case for the same.
      const found = [...repository.environments].find(([each]) => each.toLowerCase() === name.toLowerCase())
      return found ? yes(environmentBody(found[0], found[1], repository, world.url)) : null
    },
  },
]

/** What an installation's token gets at a repository's route. */
export function answerAsInstallation(
  route: Extract<Route, { readonly as: "installation" }>,
  parts: readonly string[],
  token: IssuedToken,
  world: World,
): RouteAnswer | null {
  const repository = world.repositories.find(({ id }) => id === Number(parts[0]))
  const { installation } = token
  if (!repository || installation.account.id !== repository.owner.id) return null
  if (!covers(token.repositories, repository.id) || !covers(installation.repositories, repository.id)) return null
  if (installation.suspendedAt !== null) return no(403, "This installation has been suspended")
  if (route.permission !== "metadata" && token.permissions[route.permission] === undefined) {
    return no(403, "Resource not accessible by integration")
  }
  return route.answer(parts, repository, world)
}

export const refusal = no

const isEmpty = (repository: HostedRepository) => repository.branches.size === 0

function installationOn(id: number, { repositories, installations }: World): Installation | undefined {
  const repository = repositories.find((each) => each.id === id)
  return installations.find((each) => each.account.id === repository?.owner.id && covers(each.repositories, id))
}

function giveToken(installation: Installation, world: World, body: unknown): RouteAnswer {
  if (installation.suspendedAt !== null) return no(403, "This installation has been suspended")
  const asked = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {}
  const { repository_ids: ids, permissions = { ...installation.permissions } } = asked
  if (ids !== undefined && !(Array.isArray(ids) && ids.every(Number.isInteger))) return no(422, "Invalid request.")
  const wanted = Object.entries(permissions as Record<string, string>)
  if (wanted.some(([name, level]) => name !== "metadata" && installation.permissions[name] !== level)) {
    return no(422, "The permissions requested are not granted to this installation.")
  }
  const owned = world.repositories.filter(
    ({ id, owner }) => owner.id === installation.account.id && covers(installation.repositories, id),
  )
  // An empty list is no list: the token is then good for all.
  const chosen = Array.isArray(ids) && ids.length > 0 ? (ids as number[]) : null
  if (chosen?.some((id) => !owned.some((repository) => repository.id === id))) {
    return no(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    )
  }
  const given = { metadata: "read", ...(permissions as Record<string, string>) }
  const { token, expiresAt } = world.issue({ installation, repositories: chosen ?? "all", permissions: given })
  const listed = owned.filter(({ id }) => chosen?.includes(id)).map((each) => repositoryBody(each, world.url))
  return yes(
    {
      token,
      expires_at: expiresAt.toISOString().replace(/\.[0-9]+Z$/, "Z"),
      permissions: given,
      repository_selection: chosen ? "selected" : "all",
      ...(chosen ? { repositories: listed } : {}),
    },
    201,
  )
}
