import { changedRuns } from "../../analysis/used/changed-runs.ts"
import { Runs } from "../../analysis/used/runs.ts"
import type { CliIo } from "../../cli/io.ts"
import { RecordFault } from "../../cli/record/lines.ts"
import { eachRecord } from "../../cli/record/source.ts"
import { ActionError } from "../failure.ts"
import type { ReviewInputs } from "./inputs.ts"
import type { AskRecord } from "./review.ts"

/** How far back the record is read. */
const WINDOW_MS = 30 * 86_400_000

/**
 * Asks the broker's record which jobs of the last 30 days the change would refuse or newly allow, with this job's own OIDC token.
 *
 * Not for a fork: the answer names repositories and runs, and stands in a comment that the fork's author can read.
 */
export function recordOf(record: ReviewInputs["record"], isFork: boolean, io: CliIo): AskRecord {
  return async (before, after) => {
    if (record === null) return null
    if (isFork) return "The record is not read for a pull request from a fork: it names repositories and runs."
    const window = { since: new Date(io.now().getTime() - WINDOW_MS).toISOString(), until: null }
    const runs = new Runs([before, after])
    try {
      const place = { from: record.broker, options: { grant: record.grant, source: "github" } }
      await eachRecord(place, window, io, (one) => runs.add(one))
    } catch (error) {
      if (!(error instanceof ActionError || error instanceof RecordFault)) throw error
      return `The record of ${record.broker} cannot be read: ${error.message}`
    }
    return changedRuns(before, after, runs)
  }
}
