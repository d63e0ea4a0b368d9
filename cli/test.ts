import { coveragePercent } from "../analysis/policy-tests/coverage.ts"
import { impossible, misused, readArguments } from "./arguments.ts"
import { FORMAT_OPTIONS, formatOf, printJson, printReport } from "./format.ts"
import { type CliIo, EXIT } from "./io.ts"
import { loadPolicies } from "./policies.ts"
import { type TestReport, type TestWishes, testFolder } from "./reports/test.ts"

const USAGE = `Usage: daypass test DIR [--filter TEXT] [--min-coverage N] [--format text|json|github] [--json]

Runs the policy tests of a folder (files *.test.yaml) with the broker's own code, and lists the rules that no test
exercises. --filter runs only tests whose file or name contains TEXT. With --min-coverage the command fails if tests
exercise fewer than N percent of the rules. --format github annotates the lines of a pull request; --json is --format json.
Exit codes: 0 all tests pass, 1 a test fails, coverage is too low, there is no test, or a file has errors, 2 the folder
cannot be read.`

const OPTIONS = { ...FORMAT_OPTIONS, filter: { type: "string" }, "min-coverage": { type: "string" } } as const

/** `daypass test`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [folder, ...others] = read.positionals
  if (folder === undefined || folder === "" || others.length > 0) return misused("test takes one folder", USAGE, io)
  const wishes = wishesOf(read.options)
  if (typeof wishes === "string") return misused(wishes, USAGE, io)
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)

  const outcome = testFolder(loaded, wishes)
  if (format === "json") printJson(jsonOf(outcome), io)
  else await printReport({ tool: "test", folder, ...outcome }, format, io)
  return outcome.ok ? EXIT.ok : EXIT.no
}

function wishesOf(options: Readonly<Record<string, string | boolean | undefined>>): TestWishes | string {
  const { filter, "min-coverage": least } = options
  if (filter === "") return "--filter needs a part of a test's name or file"
  if (least !== undefined && !/^(?:100|[1-9]?[0-9])$/.test(String(least))) {
    return "--min-coverage must be a whole number from 0 to 100"
  }
  if (filter !== undefined && least !== undefined)
    return "--min-coverage needs all tests, so it does not go with --filter"
  return {
    filter: typeof filter === "string" ? filter : null,
    minCoverage: least === undefined ? null : Number(least),
  }
}

/** For programs; in snake_case, like the wire. */
function jsonOf({ ok, results, coverage, findings }: TestReport): object {
  const passed = results.filter((result) => result.passed).length
  return {
    ok,
    passed,
    failed: results.length - passed,
    tests: results.map(({ test, decided, failures, ...result }) => {
      const { outcome, code, by, ttlSeconds, reasons, trace } = decided
      return {
        name: test.name,
        file: test.file,
        line: test.line,
        issuer: test.issuer,
        passed: result.passed,
        expected: test.expected.outcome,
        decision: outcome,
        code,
        by,
        ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }),
        failures,
        reasons,
        trace,
      }
    }),
    coverage: coverage && { percent: coveragePercent(coverage), ...coverage },
    findings,
  }
}
