import { giveToken } from "./access-token.ts"
import { alertBody, appBody, environmentBody, installationBody, repositoryBody, reviewBody } from "./bodies.ts"
import { covers, type HostedRepository, type Installation, type IssuedToken } from "./model.ts"
import { no, type Route, type RouteAnswer, type World, yes } from "./route.ts"
import { RUN_LOG_ROUTES } from "./run-logs.ts"

const EMPTY = no(409, "Git Repository is empty.")

/** Every route that a client of this stand-in has a reason to ask for. */
export const ROUTES: readonly Route[] = [
  {
    as: "app",
    method: "GET",
    path: /^\/app$/,
    answer: (_, world) => yes(appBody({ id: world.appId, url: world.url })),
  },
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
    method: "GET",
    path: /^\/(?:users|orgs)\/([^/]+)\/installation$/,
    answer([login = ""], world) {
      // Names of accounts, too, are the same in any case; and what is found here may be an organisation.
      const found = world.installations.find(({ account }) => account.login.toLowerCase() === login.toLowerCase())
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
    as: "token",
    method: "DELETE",
    path: /^\/installation\/token$/,
    answer(token, world) {
      world.revoke(token)
      return { status: 204, body: undefined }
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
  {
    as: "installation",
    method: "GET",
    permission: "actions",
    path: /^\/repositories\/([0-9]+)\/actions\/runs\/([0-9]+)\/approvals$/,
    answer([, run = ""], repository, world) {
      const reviews = repository.runs.get(run)
      return reviews ? yes(reviews.map((review) => reviewBody(review, world.url))) : null
    },
  },
  {
    as: "installation",
    method: "GET",
    permission: "secret_scanning_alerts",
    path: /^\/repositories\/([0-9]+)\/secret-scanning\/alerts\/([0-9]+)$/,
    answer([, number], repository, world) {
      const alert = repository.alerts.get(Number(number))
      return alert
        ? yes({ ...alertBody(Number(number), alert, repository, world.url), secret: alert.secret, state: "open" })
        : null
    },
  },
  ...RUN_LOG_ROUTES,
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
  const has = token.permissions[route.permission]
  const isEnough = route.method === "GET" ? has !== undefined : has === "write" || has === "admin"
  if (route.permission !== "metadata" && !isEnough) {
    const needed = `${route.permission}=${route.method === "GET" ? "read" : "write"}`
    return { ...no(403, "Resource not accessible by integration"), needed }
  }
  return route.answer(parts, repository, world)
}

const isEmpty = (repository: HostedRepository) => repository.branches.size === 0

function installationOn(id: number, { repositories, installations }: World): Installation | undefined {
  const repository = repositories.find((each) => each.id === id)
  return installations.find((each) => each.account.id === repository?.owner.id && covers(each.repositories, id))
}
