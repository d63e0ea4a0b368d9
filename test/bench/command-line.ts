import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildCli } from "../../cli/build.ts"
import { runNode } from "../support/packaged.ts"
import { atMost, type Section } from "./section.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const POLICIES = join(ROOT, "examples/control-repository/policies")
const RUNS = 21

const COMMANDS = {
  /** Node with nothing to do. */
  bare_ms: null,
  version_ms: ["--version"],
  help_ms: ["check", "--help"],
  /** All that one of the largest commands needs, and three small policies. */
  start_ms: ["check", POLICIES],
  diff_ms: ["diff", POLICIES, POLICIES],
} as const

type Name = keyof typeof COMMANDS

/** 150 ms where Node itself takes 40. */
const START_BUDGET = 3.75

export async function measureCommandLine(): Promise<Section> {
  const times = await startTimes()
  return {
    rows: [atMost("command line, built: start against bare node", times.start_ms / times.bare_ms, START_BUDGET)],
    figures: times,
  }
}

/**
 * Builds the command line as the package has it, and starts it with its cache of compiled code filled. Milliseconds from
 * spawn to exit, the best of runs that take turns: whatever else the machine does can only add to a start.
 */
async function startTimes(): Promise<Readonly<Record<Name, number>>> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-bench-cli-"))
  try {
    mkdirSync(join(folder, "cli"))
    for (const file of ["package.json", "cli/bin.js"]) cpSync(join(ROOT, file), join(folder, file))
    await buildCli(join(folder, "cli/dist"))
    const bin = join(folder, "cli/bin.js")
    const times: Record<Name, number[]> = { bare_ms: [], version_ms: [], help_ms: [], start_ms: [], diff_ms: [] }
    const env = { HOME: folder, XDG_CACHE_HOME: folder }
    for (let run = 0; run <= RUNS; run++) {
      for (const [name, args] of Object.entries(COMMANDS) as [Name, readonly string[] | null][]) {
        const from = performance.now()
        const { code, err } = await runNode(process.execPath, args ? [bin, ...args] : ["--eval", "0"], {
          cwd: folder,
          env,
        })
        const took = performance.now() - from
        if (code !== 0) throw new Error(`the command line ended with ${code}: ${err}`)
        // The first run fills the cache.
        if (run > 0) times[name].push(took)
      }
    }
    const best = (name: Name) => Math.min(...times[name])
    return {
      bare_ms: best("bare_ms"),
      version_ms: best("version_ms"),
      start_ms: best("start_ms"),
      help_ms: best("help_ms"),
      diff_ms: best("diff_ms"),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
