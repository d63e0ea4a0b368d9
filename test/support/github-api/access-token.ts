import { repositoryBody } from "./bodies.ts"
import { covers, type HostedRepository, type Installation } from "./model.ts"
import { no, type RouteAnswer, type World, yes } from "./route.ts"

const KNOWN_KEYS: readonly string[] = ["repositories", "repository_ids", "permissions"]
const MAX_REPOSITORIES = 500
/** Each level holds those before it. */
const LEVELS: readonly unknown[] = ["read", "write", "admin"]

const NOT_GRANTED = "The permissions requested are not granted to this installation."
const NOT_REACHED =
  "There is at least one repository that does not exist or is not accessible to the parent installation."

/** `POST /app/installations/ID/access_tokens`: a token, or GitHub's refusal. An empty list is no list, as GitHub has it. */
export function giveToken(installation: Installation, world: World, body: object): RouteAnswer {
  if (installation.suspendedAt !== null) return no(403, "This installation has been suspended")
  const asked = body as Readonly<Record<string, unknown>>
  const unknown = Object.keys(asked).find((key) => !KNOWN_KEYS.includes(key))
  if (unknown !== undefined) return no(422, `Invalid request.\n\n"${unknown}" is not a permitted key.`)
  const { repositories: names, repository_ids: ids, permissions } = asked
  if (!isListOf(names, (name) => typeof name === "string") || !isListOf(ids, Number.isInteger))
    return no(422, "Invalid request.")
  if (permissions !== undefined && !isLevels(permissions)) return no(422, "Invalid request.")
  const chosenIds = (ids ?? []) as readonly number[]
  const chosenNames = ((names ?? []) as readonly string[]).map((name) => name.toLowerCase())
  if (chosenIds.length > MAX_REPOSITORIES || chosenNames.length > MAX_REPOSITORIES) return no(422, "Invalid request.")

  const wanted = isLevels(permissions) && Object.keys(permissions).length > 0 ? permissions : installation.permissions
  if (!Object.entries(wanted).every(([name, level]) => has(installation, name, level))) return no(422, NOT_GRANTED)

  const owned = world.repositories.filter(
    ({ id, owner }) => owner.id === installation.account.id && covers(installation.repositories, id),
  )
  const isChosen = ({ id, name }: HostedRepository) =>
    chosenIds.includes(id) || chosenNames.includes(name.toLowerCase())
  const isThere =
    chosenIds.every((id) => owned.some((repository) => repository.id === id)) &&
    chosenNames.every((name) => owned.some((repository) => repository.name.toLowerCase() === name))
  if (!isThere) return no(422, NOT_REACHED)

  const isAll = chosenIds.length + chosenNames.length === 0
  const chosen = owned.filter(isChosen)
  const given = { metadata: "read", ...wanted }
  const reach = isAll ? "all" : chosen.map(({ id }) => id)
  const { token, expiresAt } = world.issue({ installation, repositories: reach, permissions: given })
  const listed = isAll ? {} : { repositories: chosen.map((each) => repositoryBody(each, world.url)) }
  const end = expiresAt.toISOString().replace(/\.[0-9]+Z$/, "Z")
  const selection = isAll ? "all" : "selected"
  return yes({ token, expires_at: end, permissions: given, repository_selection: selection, ...listed }, 201)
}

const isListOf = (value: unknown, isMember: (member: unknown) => boolean) =>
  value === undefined || (Array.isArray(value) && value.every(isMember))

const isLevels = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((level) => LEVELS.includes(level))

/** Every installation can read metadata, and nothing can write it. */
function has({ permissions }: Installation, name: string, level: string): boolean {
  const held = name === "metadata" ? "read" : Object.hasOwn(permissions, name) ? permissions[name] : undefined
  return held !== undefined && LEVELS.indexOf(level) <= LEVELS.indexOf(held)
}
