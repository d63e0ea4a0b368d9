import type { Reporter, TestModule } from "vitest/node"

const SHOWN = 10

/** Tells which files took longest and how many tests passed and failed; after a deep run, what each property has tried too. */
export default class RunReporter implements Reporter {
  readonly #laws: boolean

  constructor({ laws = false }: { readonly laws?: boolean } = {}) {
    this.#laws = laws
  }

  onTestRunEnd(modules: readonly TestModule[], faults: readonly unknown[]): void {
    if (this.#laws) console.log(lawsOf(modules))
    console.log(slowestOf(modules))
    const count = (state: "passed" | "failed") =>
      modules.reduce((sum, { children }) => sum + [...children.allTests(state)].length, 0)
    // A file that cannot be read, and an error outside of any test, have no test that failed.
    const broken = modules.filter((module) => module.errors().length > 0).length
    console.log(`\n${count("passed")} passed, ${count("failed") + broken + faults.length} failed`)
  }
}

function slowestOf(modules: readonly TestModule[]): string {
  const timed = modules.map((module) => {
    const { collectDuration, setupDuration, duration } = module.diagnostic()
    return { name: module.relativeModuleId, seconds: (collectDuration + setupDuration + duration) / 1000 }
  })
  const slowest = timed.toSorted((a, b) => b.seconds - a.seconds).slice(0, SHOWN)
  return [
    "\nThe slowest files",
    ...slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${name}`),
  ].join("\n")
}

function lawsOf(modules: readonly TestModule[]): string {
  const laws = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => ({
      name: `${module.relativeModuleId} > ${test.fullName}`,
      tried: test.meta().tried,
    })),
  )
  const lines = laws.flatMap(({ name, tried }) =>
    tried === undefined ? [] : [`${String(tried.reduce((sum, cases) => sum + cases, 0)).padStart(8)}  ${name}`],
  )
  return ["\nCases that each property has tried", ...lines].join("\n")
}
