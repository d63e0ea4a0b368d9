import { type Credential, readCredentials, readLease } from "../answer.ts"
import { planEnvironment } from "../deliver/environment.ts"
import { type PlannedFile, planFiles } from "../deliver/files.ts"
import { planLogins } from "../deliver/logins.ts"
import { leaseOutputs } from "../deliver/outputs.ts"
import { placesOf } from "../deliver/plan.ts"
import { decisionLine, dropRecords, gotLine, removeFiles, revokeUndelivered, warnOfBareSecrets } from "../delivery.ts"
import { forLog } from "../escape.ts"
import { exchangeForAnswer } from "../exchange.ts"
import { type Inputs, readInputs } from "../inputs.ts"
import { IssuedRecords } from "../issued.ts"
import { StepLeases, saveFilesFolder } from "../lease.ts"
import { masksFor } from "../masks.ts"
import { startDeadline } from "../retry.ts"
import * as runner from "../runner.ts"
import { grantedSummary } from "../summary.ts"
import { type AzureCli, findAzureCli, logInAzureCli, loginLines } from "./azure-login.ts"
import { type Clouds, prepareClouds } from "./clouds.ts"
import { childEnvironment, takenAway, withoutProxyForLoopback } from "./environment.ts"
import { invalid, type RunInputs, readRunInputs } from "./inputs.ts"
import { revokeLeases } from "./leases.ts"
import { ChildOutput } from "./output.ts"
import { planCommand, type StartedFrom } from "./place.ts"
import { runProcess } from "./process.ts"

/**
 * Exchanges a subject token for credentials, runs one command with them, and revokes them when it ends. Only the command
 * gets the credentials: nothing is set for other steps. The exit code of the command is the step's.
 * @throws {ActionError} when the command could not be started. The lease is then revoked already
 */
export async function exchangeAndRun(): Promise<void> {
  const started = Date.now()
  const inputs = readInputs(runner.input)
  const deadline = startDeadline(inputs.timeoutMs)
  const wanted = readRunInputs(runner.rawInput)
  runner.requireRunnerFiles()
  // Looked for before the exchange, so that no credential is minted for a command that cannot start.
  const from = planCommand(wanted, runner.stepEnvironment(), process.platform)
  const az = wanted.logsInAzureCli ? findAzureCli(runner.stepEnvironment(), process.platform) : null

  const leases = new StepLeases(inputs)
  const answer = await exchangeForAnswer(inputs, leases, deadline)

  const folder = runner.jobFolder()
  const issued = new IssuedRecords(inputs.sweep, started)
  const { exitCode, clouds } = await prepareAndRun(answer, { inputs, wanted, from, az, folder, leases, issued })
  removeFiles(folder)
  const known = leases.all.filter(({ expiresAt }) => expiresAt !== null)
  await revokeLeases(known, leases, inputs, startDeadline(inputs.timeoutMs))
  // A renewal can still be on its way. Its lease is known when it is over.
  await clouds.settled()
  const others = leases.all.filter((lease) => !known.includes(lease))
  await revokeLeases(others, leases, inputs, startDeadline(inputs.timeoutMs))
  runner.endWith(exitCode)
}

interface Run {
  readonly inputs: Inputs
  readonly wanted: RunInputs
  readonly from: StartedFrom
  readonly az: AzureCli | null
  readonly folder: string
  readonly leases: StepLeases
  readonly issued: IssuedRecords
}

async function prepareAndRun(
  answer: unknown,
  run: Run,
): Promise<{ readonly exitCode: number; readonly clouds: Clouds }> {
  const output = new ChildOutput()
  const lease = readLease(answer)
  let clouds: Clouds | null = null
  try {
    run.leases.confirm(lease)
    const credentials = readCredentials(answer, run.inputs.grants)
    await registerSecrets(credentials)
    clouds = await prepareClouds(credentials, (grant) => exchangeAgain(grant, run), run.folder)
    if (run.az !== null && clouds.azure === null) {
      throw invalid("azure-cli", "needs a grant of Azure with `hand_over: federated-token` among the `grants`")
    }
    const environment = await prepare(credentials, clouds, run)
    run.issued.record(credentials, new Map())
    runner.setOutputs(leaseOutputs(lease))
    run.issued.delivered()
    clouds.start()
    const line = { ...run.from.command(scriptPath(run)), environment }
    if (run.az !== null && clouds.azure !== null) {
      const { credential, tokenFile } = clouds.azure
      await logInAzureCli(run.az, loginLines(credential, tokenFile), line, output)
    }
    const exitCode = await runProcess(line, output)
    await output.end()
    return { exitCode, clouds }
  } catch (thrown) {
    // A renewal that is under way must not write into the folder any more.
    clouds?.close()
    removeFiles(run.folder)
    dropRecords(run.issued)
    await revokeUndelivered(lease.id, run.inputs, run.leases, startDeadline(run.inputs.timeoutMs))
    throw thrown
  } finally {
    clouds?.close()
  }
}

/** Plans everything, writes the files, and says what was delivered. Returns the environment of the command. */
async function prepare(
  received: readonly Credential[],
  clouds: Clouds,
  run: Run,
): Promise<Readonly<Record<string, string>>> {
  const { files, credentials } = planFiles(clouds.rest, run.folder)
  const delivered = planEnvironment(credentials.filter(({ values }) => values.length > 0))
  clouds.refuseRivals(delivered)
  const step = runner.stepEnvironment()
  const logins = await planLogins(received, { folder: run.folder, environment: step, variables: delivered })

  const script: PlannedFile = { path: scriptPath(run), bytes: Buffer.from(run.from.fileText), mode: 0o600 }
  saveFilesFolder(run.folder)
  runner.writeJobFiles(run.folder, [...files, ...logins.files, ...clouds.files, script])

  const without = new Set([...clouds.taken, ...rivalsOf(delivered)])
  const set = new Map([...logins.variables, ...clouds.variables])
  for (const note of logins.notes) runner.info(note)
  for (const warning of logins.warnings) runner.warn(warning)
  logDelivery(received, run.inputs.ttl, takenAway(step, without))
  runner.appendSummary(
    grantedSummary(received, placesOf(received.map(shownBy(clouds)), { toEnvironment: true, toOutputs: false }), {
      isForCommand: true,
      ttl: run.inputs.ttl,
    }),
  )
  const environment = childEnvironment(step, { set, without, passesIdToken: run.wanted.passesIdToken })
  return clouds.hasEndpoint ? withoutProxyForLoopback(environment) : environment
}

/** A new exchange for one grant. Its lease is saved before it is asked for, and revoked when the command ends. */
async function exchangeAgain(grant: string, { inputs, leases, issued }: Run): Promise<Credential> {
  // The jobs of a matrix renew when their own credentials end: they need no spread.
  const again = { ...inputs, grants: [grant], parallelJobs: 1 }
  const answer = await exchangeForAnswer(again, leases, startDeadline(inputs.timeoutMs))
  leases.confirm(readLease(answer))
  const renewed = readCredentials(answer, [grant])
  await registerSecrets(renewed)
  issued.record(renewed, new Map())
  const [credential] = renewed
  if (credential === undefined) throw new Error("unreachable: exactly one credential was read")
  return credential
}

async function registerSecrets(credentials: readonly Credential[]): Promise<void> {
  const values = credentials.flatMap((credential) => credential.values)
  await runner.registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))
  warnOfBareSecrets(credentials)
}

/** For the summary: what the command fetches arrives in the variables that lead to it. */
function shownBy(clouds: Clouds): (credential: Credential) => Credential {
  return (credential) => {
    const names = clouds.shownVariables(credential)
    if (names === null) return credential
    return { ...credential, values: names.map((env) => ({ name: env, value: "", secret: false, env })) }
  }
}

/** A key without a session token is never used with the session token of another one. */
function rivalsOf(delivered: ReadonlyMap<string, string>): readonly string[] {
  const isKey = delivered.has("AWS_ACCESS_KEY_ID") && !delivered.has("AWS_SESSION_TOKEN")
  return isKey ? ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] : []
}

function logDelivery(credentials: readonly Credential[], ttl: string | undefined, taken: readonly string[]): void {
  for (const credential of credentials) runner.info(gotLine(credential, ttl, " for the command"))
  runner.debug(() => credentials.map(decisionLine))
  if (taken.length === 0) return
  runner.info(
    `These variables of the job are not passed to the command: ${taken.map((name) => forLog(name)).join(", ")}.`,
  )
}

const scriptPath = ({ folder, from }: Run) => runner.pathIn(folder, `script${from.extension}`)
