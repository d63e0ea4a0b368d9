import { reportFailure } from "./report.ts"
import { exchangeAndRun } from "./run/run.ts"

/** The act of a step with the input `run`. Never rejects: a failure is reported and fails the step. */
export async function run(): Promise<void> {
  await exchangeAndRun().catch(reportFailure)
}
