import { resolve } from "node:path"
import { impossible, misused, readArguments } from "../arguments.ts"
import { type CliIo, EXIT } from "../io.ts"
import { OPERATOR_OPTIONS, OPERATOR_USAGE } from "../operate/options.ts"
import type { Remedies } from "../secrets/remedy.ts"
import type { Git } from "./git.ts"
import { SCAN_FORMATS, type ScanFormat } from "./print.ts"
import type { Scan, Searched } from "./scan-secrets.ts"

const USAGE = `Usage: daypass scan [PATH...] [--format text|json|sarif|github] [--policies DIR] [--strict]
       daypass scan --staged | --history [...]
       daypass scan --report FILE [...]
       daypass scan --issued [PATH...] [--strict] [--json]
       daypass scan --run ID --repository OWNER/REPO --broker URL [--revoke] [--delete-log] [--strict] [--json]

Looks for secrets, and says for each what takes its place: a role, a grant, or the command that puts a new value into a
store. Prints places and names, and never a value.

Without one of the options below, it searches the PATHs, or the current directory: files and folders, tar and ZIP archives
and saved images. What git ignores is left out, but for a file that is named.

  --staged         what the next commit would bring; for a hook before the commit
  --history        all that branches, tags and stashes of this repository have ever had
  --report FILE    no search: what gitleaks (JSON), trufflehog (JSON lines) or another scanner (SARIF 2.1.0) has found;
                   - for standard input
  --issued         the values that the Daypass steps of this job have issued: in files that changed since, in files of
                   tools, in summaries, and inside the PATHs. For a later step of the same job
  --run ID         the values that the broker gave to a finished run, in the run's logs, which GitHub gives to $GITHUB_TOKEN
                   or $GH_TOKEN (actions: read). The broker is asked for hashes alone, with the right audit.read
    --repository OWNER/REPO   whose run it is; in a job, its own
    --revoke                  ends the leases whose values are in the logs (leases.revoke)
    --delete-log              deletes the logs of the run if a value is in them (actions: write)

  --policies DIR   a policy folder, whose connections say which stores there are; by default policies, if it is there
  --format, --json how to print: text, json, sarif for code scanning, github for annotations
  --strict         exit with 1 also if something could not be searched to its end
With --run:
${OPERATOR_USAGE}
Exit codes: 0 nothing found, 1 found, 2 the arguments are wrong, or the search is not possible.`

const OPTIONS = {
  ...OPERATOR_OPTIONS,
  run: { type: "string" },
  repository: { type: "string" },
  revoke: { type: "boolean" },
  "delete-log": { type: "boolean" },
  staged: { type: "boolean" },
  history: { type: "boolean" },
  report: { type: "string" },
  issued: { type: "boolean" },
  policies: { type: "string" },
  format: { type: "string" },
  json: { type: "boolean" },
  strict: { type: "boolean" },
} as const

const MODES = ["staged", "history", "report", "issued", "run"] as const
const OF_RUN = ["repository", "revoke", "delete-log", ...Object.keys(OPERATOR_OPTIONS)]

/** `daypass scan`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const { options, positionals } = read
  const chosen = MODES.filter((mode) => options[mode] !== undefined)
  if (chosen.length > 1) return misused(`--${chosen[0]} and --${chosen[1]} exclude each other`, USAGE, io)
  const [mode] = chosen
  const [isJson, isStrict] = [options["json"] === true, options["strict"] === true]
  const alien = mode === "run" ? undefined : OF_RUN.find((name) => options[name] !== undefined)
  if (alien !== undefined) return misused(`--${alien} belongs to --run`, USAGE, io)
  if ((mode === "issued" || mode === "run") && (options["format"] ?? options["policies"]) !== undefined)
    return misused(`--${mode} prints text or --json, and takes no --policies`, USAGE, io)
  if (mode === "issued") return (await import("./issued.ts")).scanIssued(positionals, { isJson, isStrict }, io)
  if (mode !== undefined && positionals.length > 0) return misused(`--${mode} takes no PATH`, USAGE, io)
  if (mode === "run") return await runOf(options, { isJson, isStrict }, io)
  const format = (isJson ? "json" : (options["format"] ?? "text")) as ScanFormat
  if (!SCAN_FORMATS.includes(format) || (isJson && (options["format"] ?? "json") !== "json"))
    return misused(`--format must be one of ${SCAN_FORMATS.join(", ")}, and --json means json`, USAGE, io)

  const searched = await search(mode, positionals, String(options["report"] ?? ""), io)
  if (typeof searched === "string") return impossible(searched, io)
  const remedies = await remediesOf(searched, options["policies"], io)
  if (typeof remedies === "string") return impossible(remedies, io)
  const { printSearched } = await import("./print.ts")
  await printSearched(searched, remedies, format, io)
  return searched.hits.length > 0 || (isStrict && searched.unreadCount > 0) ? EXIT.no : EXIT.ok
}

async function runOf(
  options: Readonly<Record<string, string | boolean | undefined>>,
  how: { readonly isJson: boolean; readonly isStrict: boolean },
  io: CliIo,
): Promise<number> {
  const [id, repository] = [String(options["run"]), String(options["repository"] ?? io.env["GITHUB_REPOSITORY"] ?? "")]
  if (!/^[1-9][0-9]{0,18}$/.test(id)) return misused("--run is the id of a run: a number", USAGE, io)
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) return misused("--repository is OWNER/REPO", USAGE, io)
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
  const scan = new Scan((texts) => io.err(`${texts} texts searched ...`))
  try {
    if (mode === undefined) {
      const missing = await (await import("./files.ts")).scanPaths(paths.length === 0 ? ["."] : paths, scan, io)
      return missing === null ? scan.searched() : `there is no ${missing}`
    }
    await searchGit(mode, scan, new Git(io.cwd, io.env), io)
    return scan.searched()
  } catch (thrown) {
    if (thrown instanceof GitError) return thrown.message
    throw thrown
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

const DEFAULT_FOLDER = "policies"

/** Policies are loaded only when there is something to say. A sentence when a folder that was named cannot be used. */
async function remediesOf(
  { hits }: Searched,
  folder: string | boolean | undefined,
  io: CliIo,
): Promise<Remedies | string> {
  const { Remedies } = await import("../secrets/remedy.ts")
  const named = typeof folder === "string" ? folder : null
  if (hits.length === 0 && named === null) return new Remedies([], DEFAULT_FOLDER)
  const { loadPolicies } = await import("../policies.ts")
  const loaded = loadPolicies(resolve(io.cwd, named ?? DEFAULT_FOLDER))
  if (typeof loaded !== "string" && loaded.result.ok)
    return new Remedies([...loaded.result.value.organisation.connections.values()], named ?? DEFAULT_FOLDER)
  if (named === null) return new Remedies([], DEFAULT_FOLDER)
  return typeof loaded === "string" ? loaded : `the folder ${named} has errors: run daypass check ${named}`
}
