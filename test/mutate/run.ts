import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { LEAST_PERCENT, ROOM_VARIABLE, ROOMS, type Room } from "./rooms.ts"

const HERE = fileURLToPath(new URL(".", import.meta.url))
const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const CACHE = join(ROOT, "node_modules/.cache/daypass-mutate")

/**
 * Asks again only about what changed in a room or in its tests since the last such run. What changed elsewhere, such as in
 * what tests share, goes unseen, so that it is for working on a room and not for a score.
 */
const INCREMENTAL = "--incremental"

/** The part of the mutation testing report schema that is read here. */
interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>
}

interface Mutant {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status:
    | "Killed"
    | "Timeout"
    | "Survived"
    | "NoCoverage"
    | "CompileError"
    | "RuntimeError"
    | "Ignored"
    | "Pending"
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

/**
 * `npm run mutate [-- [--incremental] ROOM...]`: whether the tests near each room notice nine of ten changes to its code, or
 * more.
 */
function run(args: readonly string[]): boolean {
  const incremental = args.includes(INCREMENTAL)
  const named = args.filter((arg) => arg !== INCREMENTAL)
  const names = named.length > 0 ? named : Object.keys(ROOMS)
  const rooms = names.map((name) => {
    const room = ROOMS[name]
    if (!room) throw new Error(`there is no room ${name} here: name some of ${Object.keys(ROOMS).join(", ")}`)
    return [name, room] as const
  })
  const program = installTool()
  const sandboxes = mkdtempSync(join(tmpdir(), "daypass-mutate-"))
  process.once("exit", () => rmSync(sandboxes, { recursive: true, force: true }))
  const lines = rooms.map(([name, room]) => {
    const { files } = mutate(name, room, { program, sandboxes, incremental })
    const mutants = Object.entries(files).flatMap(([file, { mutants }]) =>
      mutants.map((mutant) => ({ ...mutant, file })),
    )
    const survivors = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage")
    console.log(`\n${name}: what no test noticed`)
    for (const { file, location, mutatorName, replacement = "" } of survivors) {
      const { line, column } = location.start
      console.log(`  ${file}:${line}:${column} ${mutatorName}: ${replacement.replace(/\s+/g, " ").slice(0, 100)}`)
    }
    return { name, ...scoreOf(mutants) }
  })
  console.log("\nroom      mutants  noticed   score")
  for (const { name, all, noticed, percent } of lines) {
    const verdict = percent >= LEAST_PERCENT ? "" : `  below ${LEAST_PERCENT} %`
    console.log(
      `${name.padEnd(10)}${String(all).padStart(7)}${String(noticed).padStart(9)}${percent.toFixed(1).padStart(7)} %${verdict}`,
    )
  }
  return lines.every(({ percent }) => percent >= LEAST_PERCENT)
}

/** A mutant that did not run, or that did not compile, says nothing about the tests. None at all is no score. */
function scoreOf(mutants: readonly Mutant[]) {
  const noticed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length
  const survived = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage").length
  const all = noticed + survived
  return { all, noticed, percent: all === 0 ? 0 : (100 * noticed) / all }
}

interface Tool {
  readonly program: string
  /** Where it copies the project to, to change it there. */
  readonly sandboxes: string
  readonly incremental: boolean
}

function mutate(name: string, { mutate, tests }: Room, tool: Tool): Report {
  console.log(`\n${name}: ${mutate.join(", ")} against ${tests.join(", ")}`)
  const [report, options] = [join(CACHE, `${name}.json`), join(CACHE, `${name}.options.json`)]
  rmSync(report, { force: true })
  writeFileSync(options, JSON.stringify(optionsOf(name, mutate, report, tool)))
  const { status } = spawnSync(process.execPath, [tool.program, "run", options], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, [ROOM_VARIABLE]: name },
  })
  if (status !== 0) throw new Error(`the mutation tester failed in ${name}: see above`)
  return JSON.parse(readFileSync(report, "utf8")) as Report
}

function optionsOf(name: string, mutate: readonly string[], report: string, tool: Tool) {
  return {
    mutate,
    plugins: ["@stryker-mutator/vitest-runner"],
    testRunner: "vitest",
    vitest: { configFile: "test/mutate/vitest.config.ts", related: false },
    coverageAnalysis: "perTest",
    concurrency: 2,
    // Long on purpose: a mutant on a busy machine must not pass for one that hangs, which counts as noticed.
    timeoutMS: 60_000,
    incremental: tool.incremental,
    incrementalFile: join(CACHE, `${name}.incremental.json`),
    tempDirName: tool.sandboxes,
    cleanTempDir: "always",
    // The tester would rewrite tsconfig.json through an API that TypeScript 7 does not have. The tests here need no such file.
    tsconfigFile: "none",
    disableTypeChecks: false,
    ignorePatterns: ["action/dist", "cli/dist", "docs"],
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: report },
    allowConsoleColors: false,
  }
}

/**
 * Installs the mutation tester into a folder of its own, once a version of its lock, and answers with its program. Below
 * `node_modules`, where it finds the project's own vitest.
 */
function installTool(): string {
  const files = ["package.json", "package-lock.json", ".npmrc"]
  const hash = createHash("sha256")
  for (const file of files) hash.update(readFileSync(join(HERE, file)))
  const folder = join(CACHE, hash.digest("hex").slice(0, 16))
  const program = join(folder, "node_modules/@stryker-mutator/core/bin/stryker.js")
  const finished = join(folder, "installed")
  if (existsSync(finished)) return program
  console.log("installing the mutation tester (once a version)")
  rmSync(CACHE, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const file of files) copyFileSync(join(HERE, file), join(folder, file))
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: "inherit",
  })
  if (status !== 0) throw new Error(`npm ci failed in ${folder}: see above`)
  writeFileSync(finished, "")
  return program
}

try {
  process.exitCode = run(process.argv.slice(2)) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
