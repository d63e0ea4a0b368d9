import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { actCase } from "./act-case.ts"
import { installActionlint } from "./actionlint/install.ts"
import { actionlintCase } from "./actionlint-case.ts"
import { awsProfileCase } from "./aws-profile-case.ts"
import { installGoClients, installNodeClients } from "./clients/install.ts"
import { clientsCase } from "./clients-case.ts"
import { federatedCase } from "./federated-case.ts"
import { installLoginClients, loginsCase } from "./logins-case.ts"
import { motoCase } from "./moto-case.ts"
import { installNodes } from "./nodes.ts"
import { openbaoCase } from "./openbao-case.ts"
import { packageCase } from "./package-case.ts"
import { runCase } from "./run-case.ts"
import { runCloudsCase } from "./run-clouds-case.ts"
import { sopsCase } from "./sops-case.ts"
import { storesCase } from "./stores-case.ts"
import { installAge, installPostgres, installTools } from "./tools.ts"
import { zizmorCase } from "./zizmor-case.ts"

/** Runs one check and counts it. Never throws: a check that does is one that failed. */
export type Check = (name: string, body: () => void | Promise<void>) => Promise<void>

const CASES = {
  moto: motoCase,
  "moto's stores": storesCase,
  openbao: openbaoCase,
  act: actCase,
  sops: sopsCase,
  zizmor: zizmorCase,
  actionlint: actionlintCase,
  "vendors' clients": clientsCase,
  // Each waits for most of its time, for the end of what its clients hold.
  "clients in `run`": (programs: string, check: Check) =>
    Promise.all([runCase, runCloudsCase, federatedCase].map((one) => one(programs, check))),
  "logins of tools": loginsCase,
  "the profile of an AWS grant": awsProfileCase,
  "the package on older Nodes": packageCase,
}

/** Installs all that the cases need, so that it can be done while something else runs. */
async function install(): Promise<string> {
  console.log(
    "installing moto, OpenBao, act, sops, zizmor, actionlint, vendors' clients and older Nodes (once a version), PostgreSQL, age, git, curl, skopeo and kubectl where they are missing",
  )
  const [programs] = await Promise.all([
    installTools().then(async (programs) => {
      await installGoClients(programs)
      await installActionlint(programs)
      return programs
    }),
    // apt-get works for one caller at a time.
    installPostgres().then(installAge).then(installLoginClients),
    installNodes(),
    installNodeClients(),
  ])
  return programs
}

/** `npm run test:interop`: Daypass against servers, clients and runtimes that other people wrote. Fails, and never skips, without them. */
async function run(): Promise<boolean> {
  let passed = 0
  let failed = 0
  const check: Check = async (name, body) => {
    try {
      await body()
      passed += 1
      console.log(`  ok      ${name}`)
    } catch (error) {
      failed += 1
      console.log(`  FAILED  ${name}\n${indent(error)}`)
    }
  }
  const programs = await install()
  for (const [name, interop] of Object.entries(CASES)) {
    console.log(`\n${name}`)
    try {
      await interop(programs, check)
    } catch (error) {
      await check("the case ran to its end", () => Promise.reject(error))
    }
  }
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0
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
  if (process.argv.includes("--install")) await install()
  else process.exitCode = (await run()) ? 0 : 1
} catch (error) {
  console.log(`${indent(error)}\n\n0 passed, 1 failed`)
  process.exitCode = 1
}
