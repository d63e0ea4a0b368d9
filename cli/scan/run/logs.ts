import * as z from "zod"
import { Source } from "../../../action/sweep/archive.ts"
import { Budget, reasonOf, type UnreadReason } from "../../../action/sweep/budget.ts"
import { Reader } from "../../../action/sweep/reader.ts"
import { type GitHub, part } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import { readAs } from "../../github/read-as.ts"
import type { Fingerprints, Issued } from "./fingerprints.ts"
import { type FoundInLog, LogSearch } from "./log-search.ts"

/** A run of GitHub Actions. */
export interface Run {
  readonly repository: string
  readonly id: string
}

/** A value in the log of a job. `job` and `step` are untrusted. */
export interface LoggedValue {
  readonly issued: Issued
  readonly attempt: number
  readonly job: string
  /** Null where GitHub has only the log of the whole job. */
  readonly step: string | null
  readonly line: number
  readonly form: string
}

export interface SearchedLogs {
  readonly found: readonly LoggedValue[]
  readonly attempts: number
  readonly lines: number
  /** Logs that are gone, or could not be read to their ends. */
  readonly unread: readonly string[]
}

/** A job writes its log for six hours at most. */
const MAX_UNPACKED_BYTES = 16 * 1024 ** 3
const SEARCH_MS = 30 * 60_000
const MAX_ATTEMPTS = 1_000

const runSchema = z.object({ status: z.string(), run_attempt: z.int().min(1).max(MAX_ATTEMPTS) })

/** @throws {GitHubError}; {Error} with a sentence when the run is not over */
export async function searchLogs(run: Run, github: GitHub, fingerprints: Fingerprints): Promise<SearchedLogs> {
  const attempts = await attemptsOf(run, github)
  const search = new LogSearch(fingerprints)
  const budget = new Budget(SEARCH_MS, MAX_UNPACKED_BYTES)
  const [found, unread]: [LoggedValue[], string[]] = [[], []]
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const note = (path: string, reason: UnreadReason | "gone") => unread.push(`${path} (${reason})`)
    const reader = new Reader<FoundInLog>(search, {
      found: (values, { inside }) => {
        const { job, step } = logOf(inside.at(-1) ?? "")
        for (const { issued, line, form } of values) found.push({ issued, attempt, job, step, line, form })
      },
      unread: note,
    })
    const name = `the logs of attempt ${attempt}`
    try {
      const bytes = await github.download({
        what: `${name} of run ${run.id}`,
        path: `${pathOf(run)}/attempts/${attempt}/logs`,
      })
      await reader.stream(new Source(bytes), { path: name, inside: [], depth: 0, budget })
    } catch (thrown) {
      if (thrown instanceof GitHubError && thrown.reason !== "absent") throw thrown
      note(name, thrown instanceof GitHubError ? "gone" : reasonOf(thrown))
    }
  }
  const { searched, cut } = search.lines
  if (cut > 0) unread.push(`the ends of ${cut} lines (size)`)
  return { found: perStep(found), attempts, lines: searched, unread }
}

/** Deletes all logs of a run, of all attempts. @throws {GitHubError} */
export async function deleteLogs(run: Run, github: GitHub): Promise<void> {
  await github.call({ what: `the logs of run ${run.id}`, method: "DELETE", path: `${pathOf(run)}/logs`, success: 204 })
}

/** A run that goes on has no logs yet. */
export class RunGoesOn extends Error {}

/** @throws {GitHubError | RunGoesOn} */
async function attemptsOf(run: Run, github: GitHub): Promise<number> {
  const what = `the run ${run.id} of ${run.repository}`
  const { status, run_attempt: attempts } = readAs(runSchema, await github.call({ what, path: pathOf(run) }), what)
  if (status !== "completed") throw new RunGoesOn(`the run ${run.id} goes on: GitHub has its logs when it is over`)
  return attempts
}

function pathOf({ repository, id }: Run): string {
  const [owner = "", name = ""] = repository.split("/")
  return `/repos/${part(owner)}/${part(name)}/actions/runs/${part(id)}`
}

/** `build/3_Deploy.txt` is of a step, `0_build.txt` of all steps of a job. */
function logOf(entry: string): { readonly job: string; readonly step: string | null } {
  const [, job, step] = /^(?:.*\/)?([^/]+)\/(?:\d+_)?([^/]+)\.txt$/.exec(entry) ?? []
  if (job !== undefined && step !== undefined) return { job, step }
  return { job: /^(?:\d+_)?(.+)\.txt$/.exec(entry)?.[1] ?? entry, step: null }
}

/** What is in the log of a step is in that of its job, too. */
function perStep(found: readonly LoggedValue[]): readonly LoggedValue[] {
  const keyOf = ({ issued: { lease, grant, name }, attempt, job }: LoggedValue) =>
    JSON.stringify([lease, grant, name, attempt, job])
  const inSteps = new Set(found.filter(({ step }) => step !== null).map(keyOf))
  return found.filter((one) => one.step !== null || !inSteps.has(keyOf(one)))
}
