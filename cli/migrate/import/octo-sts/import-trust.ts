import { basename, join } from "node:path"
import { loadPolicySet, type PolicyInput } from "../../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../../../broker/core/result.ts"
import { PROVIDERS } from "../../../../broker/providers/index.ts"
import { complain, impossible, misused, reasonOf } from "../../../arguments.ts"
import { findingLine } from "../../../format.ts"
import { connectGitHub, type GitHub } from "../../../github/api.ts"
import { parseRepository } from "../../../github/names.ts"
import { askRepository, type RepositoryFacts } from "../../../github/repository.ts"
import { inert } from "../../../inert.ts"
import { type CliIo, EXIT } from "../../../io.ts"
import { findingsOf, loadPolicies } from "../../../policies.ts"
import { grantName } from "../../plan/offers.ts"
import { readTrust, type TrustedJobs, type TrustPolicy } from "./trust-policy.ts"

/** The files of one trust policy: path in the folder, and text. */
interface Carried {
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly notes: readonly string[]
}

/** Turns trust policies of octo-sts into policies. Each is carried over as a whole, or not at all. */
export async function importTrust(
  paths: readonly string[],
  { repository, folder }: { readonly repository: string | undefined; readonly folder: string },
  io: CliIo,
): Promise<number> {
  const target = parseRepository(repository ?? "")
  if (target === null) return misused("name the repository that has the trust policies: --repository OWNER/REPO")
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)
  if (!loaded.result.ok) {
    for (const finding of findingsOf(loaded)) io.err(inert(findingLine(folder, finding)))
    return EXIT.no
  }
  const github = connectGitHub(io)
  if (!github.ok) return impossible(github.fault, io)
  const facts = new Facts(github.value)
  const own = await facts.of(target.owner, target.name)
  if (!own.ok) return impossible(own.fault, io)

  let isWhole = true
  let inputs: readonly PolicyInput[] = loaded.inputs
  for (const path of paths) {
    const carried = await carry(path, { set: loaded.result.value, inputs, own: own.value, facts }, io)
    const fault = carried.ok ? await write(carried.value, folder, inputs, io) : carried.fault
    if (fault !== null) {
      isWhole = false
      io.err(inert(`${path}${fault}`))
      continue
    }
    if (!carried.ok) continue
    inputs = withFiles(inputs, carried.value)
    for (const note of carried.value.notes) io.out(inert(`Note: ${path}: ${note}.`))
  }
  if (!isWhole) complain("what is listed above was not carried over, and nothing was written for it", io)
  return isWhole ? EXIT.ok : EXIT.no
}

interface World {
  readonly set: PolicySet
  readonly inputs: readonly PolicyInput[]
  /** The repository that has the trust policies. */
  readonly own: RepositoryFacts
  readonly facts: Facts
}

/** The fault follows the file's path: `:LINE: sentence`. */
async function carry(path: string, world: World, io: CliIo): Promise<Result<Carried, string>> {
  let bytes: Uint8Array
  try {
    bytes = await io.readFile(path)
  } catch (error) {
    return fail(`: cannot be read (${reasonOf(error)})`)
  }
  const read = readTrust(bytes)
  if (!read.ok) return fail(`:${read.fault.line}: ${read.fault.message}`)
  const trust = read.value
  const { set, own, facts } = world
  const issuer = [...set.organisation.issuers.values()].find(
    ({ url, family }) => url === trust.issuer && family === "github-actions",
  )
  if (issuer === undefined) return fail(": its issuer is no issuer of GitHub Actions in daypass.yaml")
  const connection = [...set.organisation.connections.values()].find(
    ({ provider, settings }) => provider === "github" && ownerIn(settings)?.toLowerCase() === own.owner.toLowerCase(),
  )
  if (connection === undefined) return fail(`: daypass.yaml has no github connection of the owner ${own.owner}`)
  const reached = await repositoriesOf(trust, own, facts)
  if (!reached.ok) return reached
  const identity = basename(path).replace(/\.sts\.ya?ml$/, "")
  // It stands in a comment of the policy, which a line break would end.
  if (!/^[A-Za-z0-9_. -]+$/.test(identity))
    return fail(": its name has other characters than letters, digits and _ . -")
  const grant = grantName(`${own.name}-${identity}`.replace(/[^A-Za-z0-9]+/g, "_"))
  const files: { path: string; text: string }[] = []
  for (const [index, jobs] of trust.jobs.entries()) {
    const caller = await facts.of(jobs.owner, jobs.name)
    if (!caller.ok) return fail(`: ${caller.fault}`)
    if (jobs.id !== null && jobs.id !== caller.value.id)
      return fail(`: ${jobs.owner}/${jobs.name} has the id ${caller.value.id} now, and not ${jobs.id}`)
    if (![...issuer.owners.values()].includes(caller.value.ownerId))
      return fail(
        `: daypass.yaml does not list the owner ${caller.value.owner}. Add ${caller.value.owner}: "${caller.value.ownerId}" to the owners of ${issuer.name}`,
      )
    const suffix = index === 0 ? "" : `-${index + 1}`
    files.push({
      path: `${caller.value.owner}/${caller.value.name.replace(/^\.+/, "_")}/octo-sts-${grant}${suffix}.yaml`,
      text: textOf({
        jobs,
        caller: caller.value,
        own,
        identity,
        connection: connection.name,
        reached: reached.value,
        permissions: trust.permissions,
        grant: grant + suffix,
        issuer: set.organisation.issuers.size > 1 ? issuer.name : null,
      }),
    })
  }
  return ok({ files, notes: trust.notes })
}

const ownerIn = (settings: unknown): string | undefined =>
  typeof settings === "object" && settings !== null && "owner" in settings ? String(settings.owner) : undefined

/** The repositories of the token, with their ids. */
async function repositoriesOf(
  trust: TrustPolicy,
  own: RepositoryFacts,
  facts: Facts,
): Promise<Result<readonly RepositoryFacts[], string>> {
  if (trust.repositories === null)
    return own.name === ".github"
      ? fail(": without repositories, its token reaches all repositories of the App: name the ones that are needed")
      : ok([own])
  if (trust.repositories.length === 0)
    return fail(": an empty list of repositories means all of them: name the ones that are needed")
  const found: RepositoryFacts[] = []
  for (const name of trust.repositories) {
    const one = await facts.of(own.owner, name)
    if (!one.ok) return fail(`: ${one.fault}`)
    found.push(one.value)
  }
  return ok(found)
}

interface Parts {
  readonly jobs: TrustedJobs
  readonly caller: RepositoryFacts
  readonly own: RepositoryFacts
  readonly identity: string
  readonly connection: string
  readonly reached: readonly RepositoryFacts[]
  readonly permissions: Readonly<Record<string, string>>
  readonly grant: string
  readonly issuer: string | null
}

function textOf({ jobs, caller, own, identity, connection, reached, permissions, grant, issuer }: Parts): string {
  const conditions = Object.entries(jobs.when).map(
    ([claim, patterns]) => `      ${claim}: [${patterns.map((one) => JSON.stringify(one)).join(", ")}]`,
  )
  return [
    `# From octo-sts: the identity ${identity} of ${own.owner}/${own.name}.`,
    "version: 1",
    ...(issuer === null ? [] : [`issuer: ${issuer}`]),
    `repository: ${caller.owner}/${caller.name} # for people`,
    `repository_id: "${caller.id}" # decides`,
    ...(jobs.environment === null ? [] : [`environment: ${JSON.stringify(jobs.environment)}`]),
    "allow:",
    `  - name: ${JSON.stringify(`${identity} of ${own.owner}/${own.name}`)}`,
    ...(conditions.length === 0 ? [] : ["    when:", ...conditions]),
    `    grants: [${grant}]`,
    "grants:",
    `  ${grant}:`,
    `    connection: ${connection}`,
    `    repositories: [${reached.map(({ name }) => JSON.stringify(name)).join(", ")}]`,
    `    repository_ids: [${reached.map(({ id }) => JSON.stringify(id)).join(", ")}]`,
    `    permissions: { ${Object.entries(permissions)
      .map(([name, level]) => `${name}: ${level}`)
      .join(", ")} }`,
    "    ttl: 1h",
    "",
  ].join("\n")
}

/** Writes the files of a trust policy if the folder loads with them; null when all are there. */
async function write(
  carried: Carried,
  folder: string,
  inputs: readonly PolicyInput[],
  io: CliIo,
): Promise<string | null> {
  const changed = carried.files.find(({ path, text }) =>
    inputs.some((input) => input.path === path && new TextDecoder().decode(input.bytes) !== text),
  )
  if (changed !== undefined) return `: ${changed.path} exists already with another text, and is never overwritten`
  const together = loadPolicySet(withFiles(inputs, carried), PROVIDERS)
  if (!together.ok) return `: ${together.fault[0]?.message ?? "the folder would not load"}`
  for (const { path, text } of carried.files) {
    if (inputs.some((input) => input.path === path)) {
      io.out(inert(`${join(folder, path)} is there already`))
      continue
    }
    try {
      await io.createFile(join(folder, path), text)
    } catch (error) {
      return `: ${path} cannot be written (${reasonOf(error)})`
    }
    io.out(inert(`wrote ${join(folder, path)}`))
  }
  return null
}

const withFiles = (inputs: readonly PolicyInput[], { files }: Carried): readonly PolicyInput[] => [
  ...inputs.filter(({ path }) => !files.some((file) => file.path === path)),
  ...files.map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) })),
]

/** Ids of repositories, each asked for once. */
class Facts {
  readonly #github: GitHub
  readonly #known = new Map<string, Result<RepositoryFacts, string>>()

  constructor(github: GitHub) {
    this.#github = github
  }

  async of(owner: string, name: string): Promise<Result<RepositoryFacts, string>> {
    const key = `${owner}/${name}`.toLowerCase()
    const known =
      this.#known.get(key) ??
      (parseRepository(`${owner}/${name}`) === null
        ? fail(`${owner}/${name} is no repository`)
        : await askRepository(this.#github, { owner, name }))
    this.#known.set(key, known)
    return known
  }
}
