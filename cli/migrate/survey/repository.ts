import { parse as parseDotenv } from "dotenv"
import { textOfUtf8 } from "../../../broker/core/utf8.ts"
import { isStatic, type Kind } from "../kinds.ts"
import { type RepositoryFile, readWorkflow, type WorkflowFile } from "../workflow/read.ts"
import { hasJobs, jobsOf, narrowest, type SecretUse, secretUsesOf, type Workflows } from "../workflow/secret-uses.ts"
import type { DotenvFile, ReportedUse, StoredSecret, SurveyedRepository, SurveyedSecret } from "./model.ts"

/** The files of a repository that matter to a survey. */
export interface RepositoryFiles {
  readonly name: string
  readonly files: readonly RepositoryFile[]
  /** Sentences about what could not be read. */
  readonly unread: readonly string[]
}

const WORKFLOW = /^\.github\/workflows\/[^/]+\.ya?ml$/
const ACTION = /^(?:(.+)\/)?action\.ya?ml$/
/** Samples have no values that count. */
const DOTENV = /(?:^|\/)(?:\.env(?:\.[A-Za-z0-9_-]+)?|[A-Za-z0-9_-]+\.env)$/
const NO_DOTENV = /\.(?:example|sample|template|dist|defaults?)$|\.sops\.env$/

/** Whether a survey reads the file with this path. */
export const isOfInterest = (path: string): boolean => WORKFLOW.test(path) || ACTION.test(path) || isDotenv(path)
const isDotenv = (path: string) => DOTENV.test(path) && !NO_DOTENV.test(path)

/** Reads the workflows and actions among files; with the sentences about those that cannot be read. */
export function readWorkflows(files: readonly RepositoryFile[]): Workflows & { readonly faults: readonly string[] } {
  const faults: string[] = []
  const workflows: WorkflowFile[] = []
  const actions = new Map<string, WorkflowFile>()
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const isWorkflow = WORKFLOW.test(file.path)
    if (!isWorkflow && !ACTION.test(file.path)) continue
    const read = readWorkflow(file)
    if (typeof read === "string") faults.push(`${file.path} ${read}`)
    else if (isWorkflow && !hasJobs(read)) faults.push(`${file.path} has no jobs, so it is no workflow`)
    else if (isWorkflow) workflows.push(read)
    else actions.set(ACTION.exec(file.path)?.[1] ?? "", read)
  }
  return { workflows, actions, faults }
}

/** What a repository keeps, what its workflows use, and what each becomes. `stored` null: GitHub was not asked. */
export function surveyRepository(
  { name, files, unread }: RepositoryFiles,
  stored: readonly StoredSecret[] | null,
): SurveyedRepository {
  const read = readWorkflows(files)
  const uses = read.workflows.flatMap((file) => secretUsesOf(file, read))
  const open = uses.filter(({ secret }) => secret === null)
  const names = new Set([
    ...uses.flatMap(({ secret }) => secret ?? []),
    ...(stored ?? []).map((one) => one.name.toUpperCase()),
  ])
  const secrets = [...names].sort().map((secret) => secretOf(secret, uses, stored ?? [], open.length > 0))
  const kinds = new Map(secrets.map((secret) => [secret.name, secret.becomes]))
  const jobs = read.workflows.flatMap((file) => jobsOf(file).map((job) => ({ file, job })))
  const without = jobs.filter(
    ({ file, job }) =>
      !uses.some((use) => use.file === file.path && (use.job === null || use.job === job) && isStaticUse(use, kinds)),
  )
  return {
    name,
    jobs: jobs.length,
    jobs_without: without.length,
    secrets,
    open_uses: open.map(reported),
    dotenv: dotenvOf(files),
    not_seen: [...unread, ...read.faults],
  }
}

/** A job that is handed all secrets has static ones. */
function isStaticUse({ secret }: SecretUse, kinds: ReadonlyMap<string, SurveyedSecret["becomes"]>): boolean {
  const becomes = secret === null ? "store" : kinds.get(secret)
  return becomes !== undefined && becomes !== "unused" && becomes !== "unknown" && isStatic(becomes)
}

function secretOf(
  name: string,
  all: readonly SecretUse[],
  stored: readonly StoredSecret[],
  isOpen: boolean,
): SurveyedSecret {
  const uses = all.filter(({ secret }) => secret === name)
  const kept = stored.filter((one) => one.name.toUpperCase() === name).map(({ name: _, ...where }) => where)
  const kind: Kind | null = narrowest(uses.map((use) => use.kind))
  return { name, kept, uses: uses.map(reported), becomes: kind ?? (isOpen ? "unknown" : "unused") }
}

const reported = ({ file, line, job, how }: SecretUse): ReportedUse => ({ file, line, job, how })

/** Names alone: the values are not kept. */
function dotenvOf(files: readonly RepositoryFile[]): readonly DotenvFile[] {
  return files
    .filter(({ path }) => isDotenv(path))
    .flatMap(({ path, bytes }) => {
      const text = textOfUtf8(bytes)
      const names =
        text === null ? [] : Object.entries(parseDotenv(text)).flatMap(([key, value]) => (value === "" ? [] : key))
      return names.length === 0 ? [] : [{ path, names: names.sort() }]
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}
