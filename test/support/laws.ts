// How many cases the properties try. Every run of the tests tries a share of them, with a new seed each time;
// `npm run test:deep` tries all. A property that fails prints its seed and path: `fc.assert(..., { seed, path })` repeats it.
import fc from "fast-check"
import { inject, TestRunner } from "vitest"

declare module "vitest" {
  interface ProvidedContext {
    /** Which part of a property's cases is tried, of 1. */
    readonly share: number
  }
  interface TaskMeta {
    /** How many cases each property of a test has tried. */
    tried?: number[]
  }
}

/** A property tries at least this many cases, or all of them where it has fewer. */
const LEAST_CASES = 20
/** What comes this often on average comes at least once: missing it has a chance of e^-25. */
const CERTAIN = 25
/** What fast-check tries when a property does not say how many cases it has. */
const DEFAULT_CASES = 100

/** How many of a property's cases this run tries. */
export const runs = (cases: number): number =>
  Math.min(cases, Math.max(LEAST_CASES, Math.ceil(cases * inject("share"))))

/**
 * The fewest times that this run must meet what all of a property's cases meet at least `mean` times on average: six
 * standard deviations below, so that no seed fails by bad luck. Zero where so few cases prove nothing; the deep run does.
 */
export function fewest(mean: number, cases: number): number {
  const here = (mean * runs(cases)) / cases
  return Math.max(here < CERTAIN ? 0 : 1, Math.floor(here - 6 * Math.sqrt(here)))
}

/** Notes what a property has tried for the report at the end of a run, and fails as fast-check itself would. */
function report<Values>(details: fc.RunDetails<Values>): void {
  const test = TestRunner.getCurrentTest()
  if (test !== undefined) test.meta.tried = [...(test.meta.tried ?? []), details.numRuns]
  if (!details.failed) return
  throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance })
}

fc.configureGlobal({
  numRuns: runs(DEFAULT_CASES),
  reporter: report,
})
