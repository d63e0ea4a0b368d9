import { ActionError } from "../../../action/failure.ts"
import { impossible } from "../../arguments.ts"
import { searchBroker } from "../../audit/search/from-broker.ts"
import { linesOfLeases, stateOf } from "../../audit/search/print.ts"
import { type Revoked, revokeLeases } from "../../audit/search/revoke.ts"
import type { Options } from "../../exec/options.ts"
import { report } from "../../exec/report.ts"
import { counted, printJson } from "../../format.ts"
import { connectGitHub, type GitHub } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import { inert } from "../../inert.ts"
import { type CliIo, EXIT } from "../../io.ts"
import { type OperatorClient, openOperator } from "../../operate/client.ts"
import { operatorOptions } from "../../operate/options.ts"
import { Fingerprints } from "./fingerprints.ts"
import { deleteLogs, type LoggedValue, type Run, RunGoesOn, type SearchedLogs, searchLogs } from "./logs.ts"

export interface RunWanted {
  readonly run: Run
  readonly options: Options
  readonly isJson: boolean
  readonly isStrict: boolean
  readonly revokes: boolean
  readonly deletesLog: boolean
}

/**
 * Looks through the logs of a finished run for what the broker gave to it. The logs come to this machine alone: the broker is
 * asked for the run's record, which has hashes, and gets no word of a log.
 */
export async function scanRun(wanted: RunWanted, io: CliIo): Promise<number> {
  const github = connectGitHub(io)
  if (!github.ok) return impossible(github.fault, io)
  try {
    return await searched(wanted, github.value, await openOperator(operatorOptions(wanted.options), io), io)
  } catch (thrown) {
    if (thrown instanceof ActionError) {
      report(thrown)
      return EXIT.usage
    }
    if (thrown instanceof GitHubError || thrown instanceof RunGoesOn) return impossible(thrown.message, io)
    throw thrown
  }
}

async function searched(wanted: RunWanted, github: GitHub, client: OperatorClient, io: CliIo): Promise<number> {
  const { run, isStrict } = wanted
  const asked = { terms: { run: run.id, unit: run.repository }, limit: Number.POSITIVE_INFINITY }
  const records: Parameters<Parameters<typeof searchBroker>[2]>[0][] = []
  const window = { since: null, until: null }
  const { search, archived } = await searchBroker(client, { ...asked, window }, (record) => void records.push(record))
  const fingerprints = new Fingerprints(records)
  if (fingerprints.size === 0) return impossible(nothingToLookFor(run, records.length, archived), io)
  const logs = await searchLogs(run, github, fingerprints)
  const leaked = new Set(logs.found.map(({ issued }) => issued.lease))
  const leases = search.leases.filter(({ lease }) => leaked.has(lease))
  const reason = `found in the log of run ${run.id} of ${run.repository}`
  const isFound = logs.found.length > 0
  // First, so that what can be used by readers of the log ends before anything else can fail.
  const revoked = wanted.revokes && isFound ? await revokeLeases(client, { leases }, reason, io) : null
  const isToDelete = wanted.deletesLog && isFound
  const undeleted = isToDelete ? await whyUndeleted(run, github) : null
  const done: Done = {
    logs,
    unknown: fingerprints.unknown,
    archived,
    revoked,
    isDeleted: isToDelete && undeleted === null,
  }
  if (wanted.isJson)
    printJson(
      jsonOf(
        done,
        leases.map((lease) => ({ ...lease, state: stateOf(lease, io.now()) })),
      ),
      io,
    )
  else {
    for (const line of linesOf(done)) io.out(inert(line))
    for (const line of linesOfLeases(leases, io.now())) io.out(inert(line))
    for (const line of linesOfDone(done)) io.out(inert(line))
  }
  if (undeleted !== null) impossible(undeleted, io)
  return isFound || (isStrict && logs.unread.length + fingerprints.unknown.length > 0) ? EXIT.no : EXIT.ok
}

/** Null when the logs are deleted. What was found is printed in any case. */
async function whyUndeleted(run: Run, github: GitHub): Promise<string | null> {
  try {
    await deleteLogs(run, github)
    return null
  } catch (thrown) {
    if (thrown instanceof GitHubError) return thrown.message
    throw thrown
  }
}

interface Done {
  readonly logs: SearchedLogs
  readonly unknown: readonly string[]
  readonly archived: number
  readonly revoked: Revoked | null
  readonly isDeleted: boolean
}

function nothingToLookFor({ id, repository }: Run, records: number, archived: number): string {
  if (archived > 0) return `the record of run ${id} has left the broker's ledgers, and its logs are probably gone, too`
  if (records === 0) return `the broker has no record of run ${id} of ${repository} that this grant may read`
  return `nothing that the broker gave to run ${id} has a fingerprint: only tokens that were minted for the run have one`
}

const placeOf = ({ attempt, job, step, line }: LoggedValue): string =>
  `attempt ${attempt}, job ${job}${step === null ? "" : `, step ${step}`}, line ${line}`

function linesOf({ logs, unknown, archived }: Done): readonly string[] {
  return [
    ...logs.found.map((one) => {
      const { issued, form } = one
      const what = issued.isId ? `the public id ${issued.name}` : `the value ${issued.name}`
      return `${placeOf(one)}: ${what} of ${issued.grant}${form === "" ? "" : ` (${form})`}, lease ${issued.lease}`
    }),
    ...logs.unread.map((path) => `not searched: ${path}`),
    ...(unknown.length === 0 ? [] : [`not looked for, because the record has no fingerprint: ${unknown.join(", ")}`]),
    ...(archived === 0 ? [] : [`not looked for: ${counted(archived, "record")} that left the broker's ledgers`]),
    `${logs.found.length === 0 ? "no value" : counted(logs.found.length, "value")} of the run in ${counted(logs.lines, "line")} of ${counted(logs.attempts, "attempt")}.`,
  ]
}

function linesOfDone({ revoked, isDeleted }: Done): readonly string[] {
  return [
    ...(revoked === null ? [] : [`${counted(revoked.revoking, "lease is", "leases are")} being revoked`]),
    ...(revoked === null || revoked.expiring.leases === 0
      ? []
      : [`what cannot be revoked expires by ${revoked.expiring.until}`]),
    ...(isDeleted ? ["The logs of all attempts are deleted. Who has read them before still has them."] : []),
  ]
}

const jsonOf = ({ logs, unknown, archived, revoked, isDeleted }: Done, leases: readonly object[]) => ({
  found: logs.found.map(({ issued, ...place }) => ({ ...place, ...issued })),
  leases,
  ...{ lines: logs.lines, attempts: logs.attempts, unread: logs.unread, unknown, archived },
  ...(revoked === null ? {} : { revoked }),
  logs_deleted: isDeleted,
})
