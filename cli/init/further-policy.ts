import { existsSync } from "node:fs"
import { join } from "node:path"
import { visible } from "../../broker/core/policy/faults.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { PolicyFault } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { complain, impossible, misused, reasonOf } from "../arguments.ts"
import { counted, type Finding, type Format, findingLine, formatOf, printJson, printReport } from "../format.ts"
import { apiUrl, BAD_API_URL, connectGitHub } from "../github/api.ts"
import { isBranch, issuerOf, parseRepository } from "../github/names.ts"
import { askRepository, type RepositoryFacts } from "../github/repository.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { loadPolicies } from "../policies.ts"
import { type NewFile, type Plan, planFor } from "./plan.ts"

const ID = /^[1-9][0-9]{0,19}$/
const CONNECTION = /^[a-z][a-z0-9-]{0,63}$/
const MAX_ENVIRONMENT_CHARACTERS = 255

/** The request, read from valid arguments. */
interface Request {
  readonly format: Format
  readonly repository: { readonly owner: string; readonly name: string }
  readonly environment: string | undefined
  readonly folder: string
  readonly connection: string | undefined
  /** Undefined: GitHub is asked for them. */
  readonly ids: Pick<RepositoryFacts, "id" | "ownerId" | "branch"> | undefined
}

/** `daypass init OWNER/REPO`: one more policy, in one go. */
export async function writeFurtherPolicy(given: Arguments, io: CliIo): Promise<number> {
  const request = readRequest(given)
  const { folder, environment, connection } = request
  const api = apiUrl(io.env)
  if (api === null) return impossible(BAD_API_URL, io)
  const loaded = existsSync(folder) ? loadPolicies(folder) : null
  if (typeof loaded === "string") return impossible(loaded, io)
  const facts = await factsOf(request, io)
  if (!facts.ok) return withoutIds(request, facts.fault, io)

  const plan = planFor(loaded, facts.value, { environment, connection, issuer: issuerOf(api) })
  if (!plan.ok) return await refuse(request, plan.fault, io)
  const written = await write(folder, plan.value.files, io)
  if (!written.ok) return written.fault
  await report(request, facts.value, plan.value, io)
  return EXIT.ok
}

function readRequest(given: Arguments): Request {
  const format = formatOf(given.options)
  const [text = ""] = given.positionals
  const repository = parseRepository(text)
  if (repository === null)
    return misused(
      "the repository must be OWNER/REPO, of letters, digits, dashes and underscores, with dots in REPO only",
    )

  const option = (name: string) => {
    const value = given.options[name]
    return typeof value === "string" ? value : undefined
  }
  const environment = option("environment")
  if (environment !== undefined && !isEnvironment(environment)) {
    return misused(
      `--environment must have 1 to ${MAX_ENVIRONMENT_CHARACTERS} visible characters, without a space at either end`,
    )
  }
  const connection = option("connection")
  if (connection !== undefined && !CONNECTION.test(connection)) {
    return misused(
      "--connection must start with a lower-case letter, followed by lower-case letters, digits and dashes",
    )
  }
  const ids = idsIn({
    "repository-id": option("repository-id"),
    "owner-id": option("owner-id"),
    branch: option("branch"),
  })
  return { format, repository, environment, folder: option("dir") || "policies", connection, ids }
}

/** What GitHub need not be asked for; undefined when it must. @throws {Misuse} for a part of it */
export function idsIn(
  options: { readonly [name in "repository-id" | "owner-id" | "branch"]?: string | undefined },
): Request["ids"] {
  const { "repository-id": id, "owner-id": ownerId, branch } = options
  for (const one of [id, ownerId])
    if (one !== undefined && !ID.test(one)) return misused("an id must be a number, such as 41")
  if (branch !== undefined && !isBranch(branch)) return misused("--branch must be the name of a branch, such as main")
  if ((id === undefined) !== (ownerId === undefined) || (id === undefined && branch !== undefined)) {
    return misused("give --repository-id and --owner-id together; --branch needs both")
  }
  return id === undefined || ownerId === undefined ? undefined : { id, ownerId, branch: branch ?? "main" }
}

export const isEnvironment = (name: string) =>
  name !== "" && name.length <= MAX_ENVIRONMENT_CHARACTERS && visible(name) === name && name.trim() === name

/** Never guesses an id: the ids come from the arguments or from GitHub. */
export async function factsOf(
  { repository, ids }: Pick<Request, "repository" | "ids">,
  io: CliIo,
): Promise<Result<RepositoryFacts, string>> {
  if (ids !== undefined) return ok({ ...repository, ...ids })
  const github = connectGitHub(io)
  return github.ok ? askRepository(github.value, repository) : github
}

function withoutIds({ repository: { owner, name } }: Request, why: string, io: CliIo): number {
  complain(`${why}.`, io)
  io.err(`
A policy needs the ids of the repository and of its owner, because ids decide and names do not. These commands print
the ids and the default branch:

  gh api repos/${owner}/${name} --jq .id
  gh api repos/${owner}/${name} --jq .owner.id
  gh api repos/${owner}/${name} --jq .default_branch

Then run init again with --repository-id ID --owner-id ID, and with --branch NAME unless it is main.`)
  return EXIT.usage
}

/** Prints why nothing was written: what the new policy conflicts with. */
async function refuse({ format, folder }: Request, fault: string | readonly PolicyFault[], io: CliIo): Promise<number> {
  const findings: readonly Finding[] =
    typeof fault === "string"
      ? [{ severity: "error", code: "init_refused", file: ORGANISATION_FILE, line: 1, column: 1, message: fault }]
      : fault.map((one) => ({ severity: "error", ...one }))
  if (format === "json") printJson({ written: [], findings }, io)
  else if (format === "github") {
    await printReport({ tool: "init", folder, findings, summary: "Nothing was written." }, format, io)
  } else {
    const lines = typeof fault === "string" ? [fault] : findings.map((finding) => findingLine(folder, finding))
    for (const line of lines) io.err(inert(line))
    io.err("daypass: nothing was written")
  }
  return EXIT.no
}

/** Writes the files, the organisation file first. The fault is an exit code, after printing the reason. */
async function write(folder: string, files: readonly NewFile[], io: CliIo): Promise<Result<null, number>> {
  const paths = files.map(({ path }) => join(folder, path))
  const taken = paths.find((path) => existsSync(path))
  if (taken !== undefined) return fail(inTheWay(taken, io))
  for (const { path, text } of files) {
    const file = join(folder, path)
    try {
      await io.createFile(file, text)
    } catch (error) {
      const reason = reasonOf(error)
      return fail(reason === "EEXIST" ? inTheWay(file, io) : impossible(`${file} cannot be written (${reason})`, io))
    }
  }
  return ok(null)
}

function inTheWay(file: string, io: CliIo): number {
  complain(`${file} exists already, and init never overwrites a file`, io)
  return EXIT.no
}

async function report(
  { format, folder }: Request,
  facts: RepositoryFacts,
  { files, sub }: Plan,
  io: CliIo,
): Promise<void> {
  const { owner, name, id, ownerId, branch } = facts
  const written = files.map(({ path }) => join(folder, path))
  if (format === "json") {
    const repository = `${owner}/${name}`
    printJson({ written, repository, repository_id: id, owner_id: ownerId, default_branch: branch, sub }, io)
  } else if (format === "github") {
    const message = `Written by init. Read it, and write what the job really needs under "grants".`
    const findings = files.map(
      ({ path: file }): Finding => ({ severity: "notice", code: "file_written", file, line: 1, column: 1, message }),
    )
    await printReport(
      { tool: "init", folder, findings, summary: `${counted(files.length, "file")} written.` },
      format,
      io,
    )
  } else {
    for (const file of written) io.out(inert(`wrote ${file}`))
    io.out(`
Next: read these files, write what the job really needs under "grants", and run
  daypass check ${folder}

The broker's identity tokens for this grant will have this sub, which the trust policy of the other side must name:
  ${sub}`)
  }
}
