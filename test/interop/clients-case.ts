import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { type ActionRun, runAction } from "../support/runner.ts"
import { toolsJob, trustBroker, vendorSecrets, writeToolsFolder } from "../support/vendor-world.ts"
import { startAwsClients } from "./clients/aws.ts"
import { startAzureClients } from "./clients/azure.ts"
import { startConjurClients } from "./clients/conjur.ts"
import { startDopplerClients } from "./clients/doppler.ts"
import { startGitHubClients } from "./clients/github.ts"
import { startGoogleClients } from "./clients/google.ts"
import { startInfisicalClients } from "./clients/infisical.ts"
import { installGoClients, installNodeClients } from "./clients/install.ts"
import { startOnePasswordClients } from "./clients/one-password.ts"
import { makeCertificate } from "./clients/tls-front.ts"
import { startVaultClients } from "./clients/vault.ts"
import { type ClientVendor, type Job, type Told, tokenGrant } from "./clients/vendor.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const STARTS = [
  startAwsClients,
  startAzureClients,
  startGoogleClients,
  startGitHubClients,
  startVaultClients,
  startConjurClients,
  startDopplerClients,
  startInfisicalClients,
  startOnePasswordClients,
]
/** For refusals: a good identity token whose audience is none of the vendors. */
const OTHER = { grants: { "clients-other": tokenGrant("https://other.clients.example", "OTHER_JWT") } }
/** It only ends what hangs. */
const PROGRAM_TIMEOUT_MS = 120_000

/**
 * Vendors' own clients use the stand-ins with what the built action and the real broker delivered, by the variables that it
 * set. Wrong tokens and foreign secrets must end in the client's own errors. A stand-in that a client cannot use is a fault of
 * the stand-in.
 *
 * SOPS has a case of its own. Of 1Password's clients, this one is for Connect; the newer SDKs call 1Password's cloud only.
 */
export async function clientsCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-clients-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [nodeClients, goClients] = [await installNodeClients(), await installGoClients(programs)]
  const certificate = await makeCertificate(programs, folder)
  const vendors: ClientVendor[] = []
  for (const start of STARTS) vendors.push(ends.adopt(await start({ certificate }), (vendor) => vendor.close()))
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const policies = join(folder, "policies")
  writePolicies(policies, github.issuer, vendors)
  const broker = await startNodeBroker({ policies, settings: vendorSecrets(vendors) })
  ends.defer(async () => void (await broker.stop()))
  await trustBroker(vendors, broker.url)

  const ci = github.job(toolsJob("4001"))
  const step = {
    inputs: { broker: broker.url, grants: [...vendors, OTHER].flatMap(({ grants }) => Object.keys(grants)).join() },
    idToken: { url: ci.requestUrl, requestToken: ci.requestToken },
    temp: join(folder, "temp"),
  }
  const main = await runAction({ ...step, entry: "main" })
  if (main.exitCode !== 0) throw new Error(`nothing was delivered:\n${main.log}`)
  const job = jobOf(main, { folder, programs, nodeClients, goClients })
  // Most of the time goes into starting the clients.
  await Promise.all(
    vendors.map((vendor) => check(`${vendor.name}: its clients ran to their end`, () => vendor.use(job, check))),
  )
  const post = await runAction({ ...step, entry: "post", state: main.state })
  if (post.exitCode !== 0) throw new Error(`nothing was taken back:\n${post.log}`)
  for (const vendor of vendors) await vendor.useAfter?.(job, check)
  for (const vendor of vendors)
    await check(`${vendor.name}: the stand-in knew all that was asked`, () => vendor.assertClean())
}

/** Runs programs with what the step delivered as their environment, and nothing of this process's own. */
function jobOf(
  run: ActionRun,
  paths: Readonly<Record<"folder" | "programs" | "nodeClients" | "goClients", string>>,
): Job {
  const tell = async (program: string, args: readonly string[], more = {}): Promise<Told> => {
    // Every job has a home. Conjur's client looks there for a configuration.
    const env = { HOME: paths.folder, ...run.env, ...more }
    const options = { cwd: paths.folder, env, timeoutMs: PROGRAM_TIMEOUT_MS }
    const { exitCode, output } = await runCommand(program, args, options)
    // Clients write warnings, too.
    const told = output.split("\n").findLast((line) => line.startsWith("{"))
    if (exitCode !== 0 || told === undefined) throw new Error(`${args[0]} ended with ${exitCode}:\n${output}`)
    return JSON.parse(told) as Told
  }
  return {
    run,
    folder: paths.folder,
    node: (program, settings, more) =>
      tell(process.execPath, [join(paths.nodeClients, `${program}.mjs`), JSON.stringify(settings)], more),
    python: (program, settings, more) =>
      tell(join(paths.programs, "python"), [join(paths.nodeClients, `${program}.py`), JSON.stringify(settings)], more),
    go: (client, settings, more) => tell(paths.goClients, [client, JSON.stringify(settings)], more),
  }
}

function writePolicies(folder: string, issuer: string, vendors: readonly ClientVendor[]): void {
  const audiences = [...vendors, OTHER]
    .flatMap(({ grants }) => Object.values(grants) as { readonly audience?: string }[])
    .flatMap(({ audience }) => audience ?? [])
  const tokens = { provider: "identity-token", audiences }
  writeToolsFolder(folder, issuer, [...vendors, { ...OTHER, connections: { tokens } }])
}
