import { coveragePercent } from "../analysis/policy-tests/coverage.ts"
import { impossible, misused } from "./arguments.ts"
import { formatOf, printJson, printReport } from "./format.ts"
import { type Arguments, type CliIo, EXIT } from "./io.ts"
import { loadPolicies } from "./policies.ts"
import { type TestReport, type TestWishes, testFolder } from "./reports/test.ts"

/** `daypass test`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [folder = ""] = given.positionals
  const wishes = wishesOf(given.options)
  if (typeof wishes === "string") return misused(wishes)
  const loaded = loadPolicies(folder, io)
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
