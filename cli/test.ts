import { type Coverage, coveragePercent } from "../analysis/policy-tests/coverage.ts"
import type { PolicyTest } from "../analysis/policy-tests/model.ts"
import { readPolicyTests } from "../analysis/policy-tests/read.ts"
import { type PolicyTestReport, type PolicyTestResult, runPolicyTests } from "../analysis/policy-tests/run.ts"
import { ORGANISATION_FILE } from "../broker/core/policy/load.ts"
import type { PolicySet } from "../broker/core/policy/model.ts"
import { identityIn } from "../broker/issuers/families.ts"
import { impossible, misused } from "./arguments.ts"
import { counted, type Finding, formatOf, printJson, printReport } from "./format.ts"
import { type Arguments, type CliIo, EXIT } from "./io.ts"
import { findingsOf, loadPolicies } from "./policies.ts"

/** The options that change which tests run and when the command fails. */
interface Wishes {
  readonly filter: string | null
  readonly minCoverage: number | null
}

/** `daypass test`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [folder = ""] = given.positionals
  const wishes = wishesOf(given.options)
  if (typeof wishes === "string") return misused(wishes)
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)

  const set = loaded.result.ok ? loaded.result.value : null
  const tests = readPolicyTests(loaded.inputs, set)
  const faults = [
    ...findingsOf(loaded).filter(({ severity }) => severity === "error"),
    ...(tests.ok ? [] : tests.fault).map((fault): Finding => ({ severity: "error", ...fault })),
  ]
  const outcome = set === null || !tests.ok || faults.length > 0 ? notRun(faults) : outcomeOf(set, tests.value, wishes)
  if (format === "json") printJson(jsonOf(outcome), io)
  else await printReport({ tool: "test", folder, ...outcome }, format, io)
  return outcome.ok ? EXIT.ok : EXIT.no
}

function wishesOf(options: Readonly<Record<string, string | boolean | undefined>>): Wishes | string {
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

interface Outcome {
  readonly ok: boolean
  readonly results: readonly PolicyTestResult[]
  /** Null when no tests, or not all tests, ran. */
  readonly coverage: Coverage | null
  readonly findings: readonly Finding[]
  readonly summary: string
}

function notRun(findings: readonly Finding[]): Outcome {
  const summary = `${counted(findings.length, "error")}: no test ran.`
  return { ok: false, results: [], coverage: null, findings, summary }
}

function outcomeOf(set: PolicySet, all: readonly PolicyTest[], { filter, minCoverage }: Wishes): Outcome {
  const tests = filter === null ? all : all.filter(({ file, name }) => file.includes(filter) || name.includes(filter))
  if (tests.length === 0) return notRun([noTests(filter)])
  const { results, coverage }: PolicyTestReport = runPolicyTests(set, tests, identityIn)
  const failed = results.filter(({ passed }) => !passed)
  const said = `${counted(results.length, "test")}: ${results.length - failed.length} passed, ${failed.length} failed.`
  const findings = failed.map(failureOf)
  if (filter !== null) return { ok: failed.length === 0, results, coverage: null, findings, summary: said }

  const enough = minCoverage === null || coveragePercent(coverage) >= minCoverage
  const wanted = enough ? "" : ` --min-coverage requires ${minCoverage}%.`
  return {
    ok: failed.length === 0 && enough,
    results,
    coverage,
    findings: [...findings, ...untested(coverage)],
    summary: `${said} ${sumOf(coverage)}${wanted}`,
  }
}

/** Reported as an error: a pipeline that runs no test must not pass. */
function noTests(filter: string | null): Finding {
  const message =
    filter === null
      ? "The folder has no policy test. Write one into a file *.test.yaml beside the policies."
      : `No policy test has ${JSON.stringify(filter)} in its name or file.`
  return { severity: "error", code: "tests_missing", file: ORGANISATION_FILE, line: 1, column: 1, message }
}

function failureOf({ test, failures, decided }: PolicyTestResult): Finding {
  const { name, file, line, column } = test
  const message = `${JSON.stringify(name)} fails. ${[...failures, ...decided.reasons].join(" ")}`
  return { severity: "error", code: "test_failed", file, line, column, message }
}

function untested({ rules, grants }: Coverage): Finding[] {
  const notice = (code: string, { file, line }: Pick<Finding, "file" | "line">, message: string): Finding => {
    return { severity: "notice", code, file, line, column: 1, message }
  }
  return [
    ...rules
      .filter(({ exercised }) => !exercised)
      .map((rule) => {
        const what = rule.kind === "allow" ? "gets a grant by the allow rule" : "is refused by the deny rule"
        return notice("rule_untested", rule, `No test ${what} ${JSON.stringify(rule.name)}.`)
      }),
    ...grants
      .filter(({ granted }) => !granted)
      .map((grant) => notice("grant_untested", grant, `No test gets the grant ${grant.name}.`)),
  ].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

function sumOf(coverage: Coverage): string {
  const { rules, grants } = coverage
  const exercised = rules.filter((rule) => rule.exercised).length
  const granted = grants.filter((grant) => grant.granted).length
  return `Exercised: ${exercised} of ${counted(rules.length, "rule")} (${coveragePercent(coverage)}%). Granted: ${granted} of ${counted(grants.length, "grant")}.`
}

/** For programs; in snake_case, like the wire. */
function jsonOf({ ok, results, coverage, findings }: Outcome): object {
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
