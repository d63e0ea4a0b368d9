import { impossible, misused } from "../arguments.ts"
import { counted, findingLine, printJson } from "../format.ts"
import { connectGitHub, type GitHub, part } from "../github/api.ts"
import { GitHubError } from "../github/github-error.ts"
import { parseRepository } from "../github/names.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { eachRecord, unreadable } from "../record/source.ts"
import { windowOf } from "../record/window.ts"
import { shellWord } from "../shell-word.ts"
import { filesOn, repositoryNamed, storedIn } from "./survey/github-source.ts"
import { type Deletion, deletionsOf } from "./verify/deletions.ts"
import { Followed, type Standing, standingsOf } from "./verify/follow.ts"

/** `daypass migrate verify`. */
export async function run({ options, positionals }: Arguments, io: CliIo): Promise<number> {
  const { record, json } = options
  const text = (value: string | boolean | undefined) => (typeof value === "string" && value !== "" ? value : undefined)
  const [target = ""] = positionals
  const repository = parseRepository(target)
  if (repository === null) return misused("the repository must be OWNER/REPO")
  if (typeof record !== "string" || record === "") return misused("migrate verify needs --record")
  const window = windowOf(options, io.now())
  if (typeof window === "string") return misused(window)
  const folder = text(options["policies"]) ?? "policies"
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)
  if (!loaded.result.ok) {
    for (const finding of findingsOf(loaded)) io.err(inert(findingLine(folder, finding)))
    return EXIT.no
  }
  const environment = text(options["environment"]) ?? null
  const followed = new Followed(loaded.result.value, loaded.inputs, target, environment)
  if (followed.replaced.length === 0)
    return impossible(`no policy of ${target} says what it is in place of: run daypass migrate apply first`, io)
  try {
    await eachRecord({ from: record, options }, window, io, (one) => followed.add(one))
  } catch (error) {
    return unreadable(error, io)
  }
  const standings = standingsOf(followed)
  const ready = standings.filter(({ waiting }) => waiting.length === 0)
  const deleted = options["delete"] === true ? await remove(repository, environment, ready, io) : null
  if (typeof deleted === "string") return impossible(deleted, io)
  if (json === true)
    printJson({ ok: ready.length === standings.length, secrets: standings, deleted: deleted ?? [] }, io)
  else for (const line of linesOf(standings, deleted, target, environment)) io.out(inert(line))
  const isDone = ready.length === standings.length && (deleted ?? []).every(({ kept }) => kept === null)
  return isDone ? EXIT.ok : EXIT.no
}

function linesOf(
  standings: readonly Standing[],
  deleted: readonly Deletion[] | null,
  repository: string,
  environment: string | null,
): readonly string[] {
  const lines = standings.flatMap(({ secret, used, waiting }) => [
    `${secret}: ${waiting.length === 0 ? "used by every workflow" : `${counted(waiting.length, "workflow")} to wait for`}`,
    ...used.map(
      ({ workflow, grant, exchanges, last }) =>
        `  ${workflow} got ${grant} ${counted(exchanges, "time")}, last on ${last.slice(0, 10)}`,
    ),
    ...waiting.map(({ workflow, grant }) => `  ${workflow} has not got ${grant} yet`),
    ...(waiting.length === 0 && deleted === null ? commandsFor(secret, repository, environment) : []),
  ])
  return [
    ...lines,
    ...(deleted ?? []).map(({ secret, where, kept }) =>
      kept === null ? `deleted ${secret} of ${where}` : `kept ${secret}: ${kept}`,
    ),
  ]
}

/** GitHub knows where the secret is, and this command does not ask it: both places are named. */
function commandsFor(secret: string, repository: string, environment: string | null): readonly string[] {
  const plain = `gh secret delete ${secret} --repo ${repository}`
  const own =
    environment === null ? [] : [`  delete it, if it is the environment's: ${plain} --env ${shellWord(environment)}`]
  return [
    ...own,
    `  delete it, if it is the repository's:  ${plain}`,
    "  Revoke the old value where it was issued, too: it still works there.",
  ]
}

/** Deletes what nothing names any more. A text says why nothing could be asked. */
async function remove(
  { owner, name }: { readonly owner: string; readonly name: string },
  environment: string | null,
  ready: readonly Standing[],
  io: CliIo,
): Promise<readonly Deletion[] | string> {
  const connected = connectGitHub(io)
  if (!connected.ok) return connected.fault
  const github = connected.value
  try {
    const repository = await repositoryNamed(github, owner, name)
    const { stored, unseen } = await storedIn(github, repository)
    const { files, unread } = await filesOn(github, repository)
    const found = deletionsOf({
      ready: ready.map(({ secret }) => secret),
      stored,
      files,
      unread: [...unread, ...unseen],
      environment,
    })
    for (const one of found) if (one.kept === null) await removeOne(github, `${owner}/${name}`, one)
    return found
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error
    return error.message
  }
}

async function removeOne(github: GitHub, repository: string, { secret, where, environment }: Deletion): Promise<void> {
  const [owner = "", name = ""] = repository.split("/")
  const repo = `/repos/${part(owner)}/${part(name)}`
  const path = environment === null ? "/actions/secrets" : `/environments/${part(environment)}/secrets`
  await github.call({
    what: `the secret ${secret} of ${where}`,
    method: "DELETE",
    path: `${repo}${path}/${part(secret)}`,
    success: 204,
  })
}
