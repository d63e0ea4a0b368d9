import { resolve } from "node:path"
import { impossible, misused } from "../arguments.ts"
import { OPERATOR_OPTIONS, POLICY_FOLDER } from "../commands/shared.ts"
import { formatOf } from "../format.ts"
import { parseRepository } from "../github/names.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import type { Remedies } from "../secrets/remedy.ts"
import { progressOf } from "../terminal.ts"
import type { Git } from "./git.ts"
import type { ScanFormat } from "./print.ts"
import type { Scan, Searched } from "./scan-secrets.ts"

const MODES = ["staged", "history", "report", "issued", "run"] as const
const OF_RUN = ["repository", "revoke", "delete-log", ...Object.keys(OPERATOR_OPTIONS)]

type Options = Arguments["options"]

/** `daypass scan`. */
export async function run({ options, positionals }: Arguments, io: CliIo): Promise<number> {
  const mode = modeOf(options, positionals)
  const format = formatOf<ScanFormat>(options)
  const [isJson, isStrict] = [format === "json", options["strict"] === true]
  if (mode === "issued") return (await import("./issued.ts")).scanIssued(positionals, { isJson, isStrict }, io)
  if (mode === "run") return await runOf(options, { isJson, isStrict }, io)

  const searched = await search(mode, positionals, String(options["report"] ?? ""), io)
  if (typeof searched === "string") return impossible(searched, io)
  const remedies = await remediesOf(searched, options["policies"], io)
  if (typeof remedies === "string") return impossible(remedies, io)
  const { printSearched } = await import("./print.ts")
  await printSearched(searched, remedies, format, io)
  return searched.hits.length > 0 || (isStrict && searched.unreadCount > 0) ? EXIT.no : EXIT.ok
}

/** What to search; undefined for paths. @throws {Misuse} for options that do not go together */
function modeOf(options: Options, paths: readonly string[]): (typeof MODES)[number] | undefined {
  const [mode, other] = MODES.filter((one) => options[one] !== undefined)
  if (other !== undefined) misused(`--${mode} and --${other} exclude each other`)
  const alien = mode === "run" ? undefined : OF_RUN.find((name) => options[name] !== undefined)
  if (alien !== undefined) misused(`--${alien} belongs to --run`)
  if (mode !== undefined && mode !== "issued" && paths.length > 0) misused(`--${mode} takes no PATH`)
  if (mode !== "issued" && mode !== "run") return mode
  if (!["text", "json"].includes(String(options["format"] ?? "text")) || options["policies"] !== undefined)
    misused(`--${mode} prints text or --json, and takes no --policies`)
  return mode
}

async function runOf(
  options: Options,
  how: { readonly isJson: boolean; readonly isStrict: boolean },
  io: CliIo,
): Promise<number> {
  const [id, repository] = [String(options["run"]), String(options["repository"] ?? io.env["GITHUB_REPOSITORY"] ?? "")]
  if (!/^[1-9][0-9]{0,18}$/.test(id)) misused("--run is the id of a run: a number")
  if (parseRepository(repository) === null) misused("--run needs the repository of the run: --repository OWNER/REPO")
  const [revokes, deletesLog] = [options["revoke"] === true, options["delete-log"] === true]
  const { scanRun } = await import("./run/run.ts")
  return await scanRun({ run: { repository, id }, options, revokes, deletesLog, ...how }, io)
}

/** A sentence when it is not possible. */
async function search(
  mode: "staged" | "history" | "report" | undefined,
  paths: readonly string[],
  report: string,
  io: CliIo,
): Promise<Searched | string> {
  if (mode === "report") return (await import("./reports/read.ts")).readReport(report, io)
  const { Scan } = await import("./scan-secrets.ts")
  const { Git, GitError } = await import("./git.ts")
  const progress = progressOf(io, "files searched", null)
  const scan = new Scan(progress)
  try {
    if (mode === undefined) {
      const missing = await (await import("./files.ts")).scanPaths(paths.length === 0 ? ["."] : paths, scan, io)
      return missing === null ? scan.searched() : `${missing} does not exist`
    }
    await searchGit(mode, scan, new Git(io.cwd, io.env), io)
    return scan.searched()
  } catch (thrown) {
    if (thrown instanceof GitError) return thrown.message
    throw thrown
  } finally {
    progress.end()
  }
}

/** @throws {GitError} */
async function searchGit(mode: "staged" | "history", scan: Scan, git: Git, io: CliIo): Promise<void> {
  const { historyBlobs, isShallow, stagedBlobs } = await import("./history.ts")
  if (mode === "staged") return await scan.blobs(stagedBlobs(git), git)
  if (await isShallow(git))
    io.err(
      "This clone has only a part of the history. For all of it: git fetch --unshallow (fetch-depth: 0 in a workflow).",
    )
  await scan.blobs(historyBlobs(git), git)
}

/** Policies are loaded only when there is something to say. A sentence when a folder that was named cannot be used. */
async function remediesOf(
  { hits }: Searched,
  folder: string | boolean | undefined,
  io: CliIo,
): Promise<Remedies | string> {
  const { Remedies } = await import("../secrets/remedy.ts")
  const named = typeof folder === "string" ? folder : null
  if (hits.length === 0 && named === null) return new Remedies([], POLICY_FOLDER)
  const { loadPolicies } = await import("../policies.ts")
  const loaded = loadPolicies(resolve(io.cwd, named ?? POLICY_FOLDER))
  if (typeof loaded !== "string" && loaded.result.ok)
    return new Remedies([...loaded.result.value.organisation.connections.values()], named ?? POLICY_FOLDER)
  if (named === null) return new Remedies([], POLICY_FOLDER)
  return typeof loaded === "string" ? loaded : `the folder ${named} has errors: run daypass check ${named}`
}
