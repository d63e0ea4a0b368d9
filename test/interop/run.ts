import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { actCase } from "./act-case.ts"
import { installActionlint } from "./actionlint/install.ts"
import { actionlintCase } from "./actionlint-case.ts"
import { awsProfileCase } from "./aws-profile-case.ts"
import { ciTemplatesCase } from "./ci-templates-case.ts"
import { installGoClients, installNodeClients } from "./clients/install.ts"
import { clientsCase } from "./clients-case.ts"
import { consoleCase } from "./console-case.ts"
import { federatedCase } from "./federated-case.ts"
import { discardGoBuilds } from "./go-build.ts"
import { hooksCase } from "./hooks-case.ts"
import { installLoginClients, loginsCase } from "./logins-case.ts"
import { migrateCase } from "./migrate-case.ts"
import { motoCase } from "./moto-case.ts"
import { installNodes } from "./nodes.ts"
import { openbaoCase } from "./openbao-case.ts"
import { packageCase } from "./package-case.ts"
import { pagesCase } from "./pages-case.ts"
import { installBrowser, peopleCase } from "./people-case.ts"
import { postgresCase } from "./postgres-case.ts"
import { promtoolCase } from "./promtool-case.ts"
import { runCase } from "./run-case.ts"
import { runCloudsCase } from "./run-clouds-case.ts"
import { siteCase } from "./site-case.ts"
import { sopsCase } from "./sops-case.ts"
import { storesCase } from "./stores-case.ts"
import {
  installAge,
  installPgBouncer,
  installPostgres,
  installPromtool,
  installSystemTool,
  installTools,
} from "./tools.ts"
import { walkCase } from "./walk-case.ts"
import { installWitness } from "./witness/install.ts"
import { witnessCase } from "./witness-case.ts"
import { zizmorCase } from "./zizmor-case.ts"

/** Runs one check and counts it. Never throws: a check that does is one that failed. */
export type Check = (name: string, body: () => void | Promise<void>) => Promise<void>

type Case = (programs: string, check: Check) => Promise<unknown>

/** The longest first: one that began last would run alone on one core. */
const CASES: Readonly<Record<string, Case>> = {
  postgres: postgresCase,
  console: consoleCase,
  "logins of tools": loginsCase,
  sops: sopsCase,
  openbao: openbaoCase,
  // Each waits for most of its time, for the end of what its clients hold.
  "clients in `run`": (programs, check) =>
    Promise.all([runCase, runCloudsCase, federatedCase].map((one) => one(programs, check))),
  "moto's stores": storesCase,
  "the package on older Nodes": packageCase,
  moto: motoCase,
  migrate: migrateCase,
  people: peopleCase,
  act: actCase,
  "vendors' clients": clientsCase,
  "the profile of an AWS grant": awsProfileCase,
  "templates for CIs": ciTemplatesCase,
  "a witness of the log": witnessCase,
  "managers of hooks": hooksCase,
  "the first walk": walkCase,
  promtool: promtoolCase,
  zizmor: zizmorCase,
  "pages of operators": pagesCase,
  actionlint: actionlintCase,
}

/**
 * Run only when they are named, and by the workflow that publishes the site: it takes a minute of processor time to build, and what
 * breaks in it harms no broker and no job. They install what they need themselves.
 */
const APART: Readonly<Record<string, Case>> = {
  "the site of the docs": (programs, check) => installBrowser().then(() => siteCase(programs, check)),
}

/** How many cases run side by side: most of their time, they wait for programs that start. */
const LANES = 2

/** Installs all that the cases need, so that it can be done while something else runs. */
async function install(): Promise<string> {
  console.log(
    "installing moto, OpenBao, act, sops, pre-commit, zizmor, actionlint, a witness, vendors' clients and older Nodes (once a version), PostgreSQL, PgBouncer, age, promtool, git, curl, skopeo, kubectl and Chromium where they are missing",
  )
  const [programs] = await Promise.all([
    installTools().then(async (programs) => {
      await installGoClients(programs)
      await installActionlint(programs)
      await installWitness(programs)
      discardGoBuilds()
      return programs
    }),
    // apt-get works for one caller at a time.
    installPostgres()
      .then(installPgBouncer)
      .then(installAge)
      .then(installLoginClients)
      .then(installBrowser)
      .then(installPromtool)
      .then(() => installSystemTool("sqlite3", "sqlite3")),
    installNodes(),
    installNodeClients(),
  ])
  return programs
}

/**
 * `npm run test:interop [-- CASE...]`: Daypass against servers, clients and runtimes that other people wrote. All cases but those
 * apart, or those that are named. Fails, and never skips, without what it needs.
 */
async function run(names: readonly string[]): Promise<boolean> {
  const all = { ...CASES, ...APART }
  const unknown = names.find((name) => !Object.hasOwn(all, name))
  if (unknown !== undefined) throw new Error(`there is no case ${unknown}: ${Object.keys(all).join(", ")}`)
  let passed = 0
  let failed = 0
  const waiting = Object.entries(names.length === 0 ? CASES : all).filter(
    ([name]) => names.length === 0 || names.includes(name),
  )
  const programs = waiting.every(([name]) => Object.hasOwn(APART, name)) ? "" : await install()
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, interop] = next
      const started = performance.now()
      const { lines, oks } = await told(interop, programs)
      passed += oks.filter(Boolean).length
      failed += oks.filter((ok) => !ok).length
      // Whole: the lines of cases that run side by side would mix.
      console.log([`\n${name}, ${((performance.now() - started) / 1000).toFixed(1)} s`, ...lines].join("\n"))
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0
}

/** All checks of one case: what it says, and whether each held. */
async function told(interop: Case, programs: string): Promise<{ lines: readonly string[]; oks: readonly boolean[] }> {
  const lines: string[] = []
  const oks: boolean[] = []
  const check: Check = async (name, body) => {
    try {
      await body()
      oks.push(true)
      lines.push(`  ok      ${name}`)
    } catch (error) {
      oks.push(false)
      lines.push(`  FAILED  ${name}\n${indent(error)}`)
    }
  }
  try {
    await interop(programs, check)
  } catch (error) {
    await check("the case ran to its end", () => Promise.reject(error))
  }
  return { lines, oks }
}

const indent = (error: unknown) =>
  (error instanceof Error ? (error.stack ?? error.message) : String(error)).replace(/^/gm, "          ")

/** Whatever ends this run, its files go with it; what it started watches for the same exit. */
function leaveNothingBehind(): void {
  const folder = mkdtempSync(join(tmpdir(), "daypass-interop-"))
  // PostgreSQL, which refuses to run as root, must get through to a folder of its own in there.
  chmodSync(folder, 0o711)
  process.env["TMPDIR"] = folder
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  process.once("SIGINT", () => process.exit(130))
  process.once("SIGTERM", () => process.exit(143))
}

leaveNothingBehind()
try {
  const { values, positionals } = parseArgs({ options: { install: { type: "boolean" } }, allowPositionals: true })
  if (values.install) await install()
  else process.exitCode = (await run(positionals)) ? 0 : 1
} catch (error) {
  console.log(`${indent(error)}\n\n0 passed, 1 failed`)
  process.exitCode = 1
}
