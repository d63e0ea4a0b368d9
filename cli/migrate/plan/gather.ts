import { existsSync } from "node:fs"
import { basename } from "node:path"
import { visible } from "../../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../../broker/core/result.ts"
import { complain, impossible, misused } from "../../arguments.ts"
import { counted, findingLine } from "../../format.ts"
import { connectGitHub, type GitHub } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import { isBranch, parseRepository } from "../../github/names.ts"
import { askRepository } from "../../github/repository.ts"
import { inert } from "../../inert.ts"
import { ACTION, askRelease } from "../../init/action-reference.ts"
import { type Arguments, type CliIo, EXIT } from "../../io.ts"
import { findingsOf, type LoadedFolder, loadPolicies } from "../../policies.ts"
import { checkoutAt } from "../survey/checkout.ts"
import { filesOn, headOf } from "../survey/github-source.ts"
import type { RepositoryFile } from "../workflow/read.ts"
import { saidBy } from "./drafts.ts"
import type { PlanFault, Wish } from "./model.ts"

/** Everything that a plan is made of. */
export interface Gathered {
  readonly wish: Wish
  readonly files: readonly RepositoryFile[]
  readonly folder: string
  readonly loaded: LoadedFolder & { readonly set: PolicySet }
  readonly json: boolean
  /** The checkout; null: the files are GitHub's. */
  readonly local: string | null
  readonly github: GitHub | null
  /** The commit that the files are of; null for a checkout. */
  readonly commit: string | null
}

/** Reads the arguments, the folder and the workflows. Returns an exit code after printing what is wrong. @throws {Misuse} */
export async function gather({ options, positionals, repeated }: Arguments, io: CliIo): Promise<Gathered | number> {
  const option = (key: string) => {
    const value = options[key]
    return typeof value === "string" && value !== "" ? value : undefined
  }
  const repository = parseRepository(positionals[0] ?? "")
  if (repository === null) return misused("the repository must be OWNER/REPO")
  const broker = option("broker") ?? io.env["DAYPASS_BROKER"]
  if (broker === undefined || !/^https?:\/\/[A-Za-z0-9.:[\]-]+$/.test(broker))
    return misused("migrate needs --broker: the broker's origin, for example https://daypass.example.com")
  const sha = option("action")
  if (sha !== undefined && !/^[0-9a-f]{40}$/.test(sha))
    return misused("--action must be a full commit SHA of forty digits")
  const said = saidBy(repeated["with"] ?? [])
  const environment = option("environment") ?? null
  if (environment !== null && (visible(environment) !== environment || environment.trim() !== environment))
    return misused("--environment must have visible characters only, without a space at either end")
  const [id, branch] = [option("repository-id"), option("branch")]
  if (id !== undefined && !/^[1-9][0-9]{0,19}$/.test(id)) return misused("an id must be a number, such as 41")
  if (branch !== undefined && !isBranch(branch)) return misused("--branch must be the name of a branch, such as main")

  const folder = option("policies") ?? "policies"
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)
  if (!loaded.result.ok)
    return faultsOf(
      folder,
      findingsOf(loaded).map((finding) => findingLine(folder, finding)),
      io,
    )

  const release = sha === undefined ? await askRelease(io) : null
  const commit = sha ?? release?.commit
  if (commit === undefined)
    return impossible(
      `github.com does not name the commit of v${io.version}, the release of this command: give the action's full commit SHA with --action`,
      io,
    )
  const local = option("local") ?? null
  const facts = await factsOf(repository, { id, branch, needsGitHub: local === null }, io)
  if (!facts.ok) return impossible(facts.fault, io)
  const files = await filesFor(local, facts.value, io)
  if (!files.ok) return impossible(files.fault, io)
  return {
    wish: {
      ...{ owner: facts.value.owner, name: facts.value.name, repositoryId: facts.value.id, branch: facts.value.branch },
      ...{ environment, broker, action: `${ACTION}@${commit}`, release: release?.tag ?? null },
      ...{ store: option("store"), locator: option("locator"), said },
    },
    files: files.value.files,
    commit: files.value.commit,
    folder,
    loaded: { ...loaded, set: loaded.result.value },
    json: options["json"] === true,
    local,
    github: facts.value.github,
  }
}

interface Known {
  readonly owner: string
  readonly name: string
  readonly id: string
  readonly branch: string
  readonly github: GitHub | null
}

/** Never guesses an id: a policy is written from it. */
async function factsOf(
  repository: { readonly owner: string; readonly name: string },
  {
    id,
    branch,
    needsGitHub,
  }: { readonly id: string | undefined; readonly branch: string | undefined; readonly needsGitHub: boolean },
  io: CliIo,
): Promise<Result<Known, string>> {
  if (!needsGitHub && id !== undefined && branch !== undefined) return ok({ ...repository, id, branch, github: null })
  const github = connectGitHub(io)
  if (!github.ok) return fail(`${github.fault}. With --local, --repository-id and --branch GitHub is not asked`)
  const facts = await askRepository(github.value, repository)
  if (!facts.ok) return facts
  if (id !== undefined && id !== facts.value.id)
    return fail(`GitHub says that ${repository.owner}/${repository.name} has the id ${facts.value.id}, and not ${id}`)
  return ok({ ...facts.value, branch: branch ?? facts.value.branch, github: github.value })
}

interface Files {
  readonly files: readonly RepositoryFile[]
  readonly commit: string | null
}

async function filesFor(local: string | null, known: Known, io: CliIo): Promise<Result<Files, string>> {
  const say = (unread: readonly string[]) => {
    for (const sentence of unread) complain(sentence, io)
  }
  if (local !== null) {
    if (!existsSync(local)) return fail(`${local} does not exist: name the root of a checkout`)
    const { files, unread } = checkoutAt(local, basename(local))
    say(unread)
    return files.length === 0
      ? fail(`${local} has no workflows: name the root of a checkout`)
      : ok({ files, commit: null })
  }
  if (known.github === null) return fail("GitHub was not asked")
  try {
    // One commit for all that is read and written: a push in the meantime is not undone.
    const commit = await headOf(known.github, known, known.branch)
    if (commit === null) return fail(`${known.owner}/${known.name} has no branch ${known.branch}`)
    const { files, unread } = await filesOn(known.github, known, commit)
    say(unread)
    return ok({ files, commit })
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error
    return fail(error.message)
  }
}

/** Prints why the folder does not load. */
function faultsOf(folder: string, lines: readonly string[], io: CliIo): number {
  for (const line of lines) io.err(inert(line))
  complain(`${counted(lines.length, "error")} in ${folder}: mend the folder first`, io)
  return EXIT.no
}

/** Prints why there is no plan. */
export function refused(fault: PlanFault, folder: string, io: CliIo): number {
  if (typeof fault === "string") return impossible(fault, io)
  const lines = fault.map((one) => findingLine(folder, { severity: "error", ...one }))
  for (const line of lines) io.err(inert(line))
  complain("the broker would not load the planned policy, so nothing was written", io)
  return EXIT.no
}
