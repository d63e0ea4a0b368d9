// `npm run bench [-- SECTION...] [--long] [--pictures] [--json]`: the budgets, each as a ratio in one run. Ends with 1 when
// one is exceeded or a section failed, with 2 for wrong arguments. See docs/benchmarks.md.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { writeFlowPolicies } from "../flow/policies.ts"
import { measureSteps } from "./action.ts"
import { measureAnswers } from "./answers.ts"
import { measureAudit } from "./audit.ts"
import { measureBundles } from "./bundles.ts"
import { measureCheck } from "./check.ts"
import { measureCommandLine } from "./command-line.ts"
import { measureConcurrency } from "./concurrency.ts"
import { measureCores } from "./cores.ts"
import { measureDecide } from "./decide.ts"
import { measureExchanges } from "./exchanges.ts"
import { measurePolicies } from "./folder.ts"
import { measureFollowing } from "./following.ts"
import { measureGithub } from "./github.ts"
import { measureIsolate } from "./isolate.ts"
import { startLoadGenerator } from "./load.ts"
import { measureManyRepositories } from "./many-repositories.ts"
import { measureMemory } from "./memory.ts"
import { measureOpenbao } from "./openbao.ts"
import { pictureOf } from "./picture.ts"
import { measurePostgres } from "./postgres.ts"
import { measureRecord } from "./record.ts"
import { printed } from "./report.ts"
import { type Bench, isKept, type Section } from "./section.ts"
import { measureStart } from "./start.ts"
import { measureSweep } from "./sweep.ts"
import { startLoadIssuer } from "./tokens.ts"
import { measureWorkerd } from "./workerd.ts"

/** `long`: only with `--long`. `asked`: only when it is named, because it needs programs that this project does not bring. */
interface Chapter {
  readonly measure: (bench: Bench) => Promise<Section>
  readonly when?: "long" | "asked"
}

/** In the order in which they run. A new section is one line. */
const SECTIONS: Readonly<Record<string, Chapter>> = {
  exchange: { measure: measureExchanges },
  workerd: { measure: measureWorkerd },
  concurrency: { measure: measureConcurrency },
  cores: { measure: measureCores },
  github: { measure: measureGithub },
  openbao: { measure: measureOpenbao, when: "asked" },
  postgres: { measure: measurePostgres, when: "asked" },
  decide: { measure: measureDecide },
  policies: { measure: measurePolicies },
  start: { measure: measureStart },
  check: { measure: measureCheck },
  audit: { measure: measureAudit },
  record: { measure: measureRecord },
  following: { measure: measureFollowing, when: "long" },
  answers: { measure: measureAnswers },
  action: { measure: measureSteps },
  "command-line": { measure: measureCommandLine },
  bundles: { measure: measureBundles },
  isolate: { measure: measureIsolate },
  sweep: { measure: measureSweep, when: "long" },
  memory: { measure: measureMemory, when: "long" },
  repositories: { measure: measureManyRepositories, when: "long" },
}

const PICTURES = fileURLToPath(new URL("../../docs/images", import.meta.url))
const { options, names } = read()
const say = (text: string) => void (options.json || process.stderr.write(`${text}\n`))

const done: Record<string, Section> = {}
const failed: Record<string, string> = {}
for (const name of names) {
  say(`${name} ...`)
  const startedAt = performance.now()
  try {
    done[name] = await run(name)
    for (const curve of options.pictures ? (done[name].curves ?? []) : []) {
      mkdirSync(PICTURES, { recursive: true })
      writeFileSync(join(PICTURES, `${curve.file}.svg`), pictureOf(curve))
    }
  } catch (fault) {
    failed[name] = fault instanceof Error ? fault.message : String(fault)
  }
  say(`  ${Math.round((performance.now() - startedAt) / 1000)} s`)
}
console.log(options.json ? JSON.stringify({ sections: done, failed }, null, 2) : printed(done, failed))
const rows = Object.values(done).flatMap((section) => section.rows ?? [])
process.exitCode = rows.every(isKept) && Object.keys(failed).length === 0 ? 0 : 1

/** Each section has an issuer, policies and a load generator of its own: it meets nothing of the sections before. */
async function run(name: string): Promise<Section> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-bench-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const issuer = await startLoadIssuer()
  ends.defer(() => issuer.close())
  const load = startLoadGenerator()
  ends.defer(() => load.close())
  const policies = join(folder, "flow-policies")
  writeFlowPolicies(policies, { issuer: issuer.issuer, sts: "http://127.0.0.1:9" })
  // One repository makes all exchanges here, far beyond what any repository does.
  appendFileSync(
    join(policies, "daypass.yaml"),
    'limits: [{ when: { repository: "acme/*" }, exchanges_per_minute: 100000, open_leases: 1000000 }]\n',
  )
  const chapter = SECTIONS[name]
  if (!chapter) throw new Error(`no section ${name}`)
  return await chapter.measure({ ends, folder, issuer, policies, load, long: options.long })
}

function read() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        long: { type: "boolean", default: false },
        pictures: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    })
    const unknown = positionals.find((name) => !Object.hasOwn(SECTIONS, name))
    if (unknown !== undefined) throw new Error(`there is no section ${unknown}`)
    const chosen = Object.keys(SECTIONS).filter((name) =>
      positionals.length > 0 ? positionals.includes(name) : isUsual(name, values.long),
    )
    return { options: values, names: chosen }
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault)
    process.stderr.write(
      `${why}\nnpm run bench [-- SECTION...] [--long] [--pictures] [--json]\nSections: ${Object.keys(SECTIONS).join(", ")}\n`,
    )
    process.exit(2)
  }
}

function isUsual(name: string, long: boolean): boolean {
  const when = SECTIONS[name]?.when
  return when === undefined || (when === "long" && long)
}
