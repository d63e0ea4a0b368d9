import { type Coverage, coveragePercent } from "../../analysis/policy-tests/coverage.ts"
import type { PolicyTest } from "../../analysis/policy-tests/model.ts"
import { readPolicyTests } from "../../analysis/policy-tests/read.ts"
import { type PolicyTestReport, type PolicyTestResult, runPolicyTests } from "../../analysis/policy-tests/run.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { identityIn } from "../../broker/issuers/families.ts"
import { counted, type Finding } from "../format.ts"
import { findingsOf, type LoadedFolder } from "../policies.ts"

/** Which tests run, and when the run fails. */
export interface TestWishes {
  readonly filter: string | null
  readonly minCoverage: number | null
}

/** What the policy tests of a folder say. */
export interface TestReport {
  readonly ok: boolean
  readonly results: readonly PolicyTestResult[]
  /** Null when no tests, or not all tests, ran. */
  readonly coverage: Coverage | null
  readonly findings: readonly Finding[]
  readonly summary: string
}

/** Runs the policy tests of a folder with the broker's own code. */
export function testFolder(loaded: LoadedFolder, wishes: TestWishes): TestReport {
  const set = loaded.result.ok ? loaded.result.value : null
  const tests = readPolicyTests(loaded.inputs, set)
  const faults = [
    ...findingsOf(loaded).filter(({ severity }) => severity === "error"),
    ...(tests.ok ? [] : tests.fault).map((fault): Finding => ({ severity: "error", ...fault })),
  ]
  return set === null || !tests.ok || faults.length > 0 ? notRun(faults) : reportOf(set, tests.value, wishes)
}

function notRun(findings: readonly Finding[]): TestReport {
  const summary = `${counted(findings.length, "error")}: no test ran.`
  return { ok: false, results: [], coverage: null, findings, summary }
}

function reportOf(set: PolicySet, all: readonly PolicyTest[], { filter, minCoverage }: TestWishes): TestReport {
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
