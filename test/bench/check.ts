import { appendFileSync, cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildCli } from "../../cli/build.ts"
import { CEILING } from "./decide.ts"
import { writePolicies } from "./folder.ts"
import { atMost, type Bench, type Section } from "./section.ts"
import { least, type Spent, spent } from "./spawned.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const MANY = 10_000
const RUNS = 3
/** 5 s where the library takes 2. */
const BUDGET = 2.5

/** Reads the same files, and parses them with the library that reads YAML here: what any tool would have to do first. */
const BARE = `
import { globSync, readFileSync } from "node:fs"
import { parseDocument } from "yaml"
const [folder] = process.argv.slice(1)
for (const file of globSync("**/*.yaml", { cwd: folder })) parseDocument(readFileSync(folder + "/" + file, "utf8")).toJS()
`

/** `daypass check`, built, of 10,000 policies below a ceiling. */
export async function measureCheck({ folder }: Pick<Bench, "folder">): Promise<Section> {
  const policies = join(folder, "policies")
  writePolicies(policies, MANY)
  appendFileSync(join(policies, "daypass.yaml"), CEILING)
  const bin = await builtCli(folder)
  const [bare, ours]: [Spent[], Spent[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    bare.push(spent(["--input-type=module", "--eval", BARE, policies], { cwd: ROOT }))
    ours.push(spent([bin, "check", policies], { env: { HOME: folder, XDG_CACHE_HOME: folder } }))
  }
  const [floor, check] = [least(bare), least(ours)]
  return {
    rows: [
      atMost("check of 10,000 policies against the YAML library's reading them", check.cpu_ms / floor.cpu_ms, BUDGET),
    ],
    figures: {
      yaml_ms: floor.ms,
      yaml_cpu_ms: floor.cpu_ms,
      check_ms: check.ms,
      check_cpu_ms: check.cpu_ms,
      check_rss_mb: check.rss_mb,
    },
  }
}

/** The command line as its package has it. */
export async function builtCli(folder: string): Promise<string> {
  mkdirSync(join(folder, "cli"), { recursive: true })
  for (const file of ["package.json", "cli/bin.js"]) cpSync(join(ROOT, file), join(folder, file))
  await buildCli(join(folder, "cli/dist"))
  return join(folder, "cli/bin.js")
}
