import { type Credential, readLease } from "../answer.ts"
import { besideKeys } from "../clouds/aws.ts"
import { ownerFile, type PlannedFile } from "../deliver/files.ts"
import { planLogins } from "../deliver/logins.ts"
import { leaseOutputs } from "../deliver/outputs.ts"
import { receive } from "../deliver/receive.ts"
import { say } from "../deliver/say.ts"
import { removeFiles, undo } from "../deliver/undo.ts"
import { forLog } from "../escape.ts"
import { exchangeForAnswer } from "../exchange.ts"
import { type Inputs, invalid, readInputs } from "../inputs.ts"
import { IssuedRecords } from "../issued.ts"
import { jobFolder, pathIn, writeJobFiles } from "../job-folder.ts"
import { StepLeases, saveFilesFolder } from "../lease.ts"
import { startDeadline } from "../retry.ts"
import * as runner from "../runner.ts"
import { type AzureCli, findAzureCli, logInAzureCli, loginLines } from "./azure-login.ts"
import { type Clouds, prepareClouds } from "./clouds.ts"
import { childEnvironment, takenAway, withoutProxyForLoopback } from "./environment.ts"
import { readRunInputs } from "./inputs.ts"
import { revokeLeases } from "./leases.ts"
import { ChildOutput } from "./output.ts"
import { planCommand, type StartedFrom } from "./place.ts"
import { runProcess } from "./process.ts"
import { toFiles, toVariables } from "./values.ts"

/** A command, and how it gets its credentials. */
export interface Wanted {
  readonly from: StartedFrom
  /** Azure's command line, to be logged in before the command; null when it is not wanted. */
  readonly az: AzureCli | null
  readonly passesIdToken: boolean
  /** Names, in capitals, of further variables that do not reach the command. */
  readonly withheld: ReadonlySet<string>
  /** True when values go to files, and only paths and public values to variables. */
  readonly asFiles: boolean
  /** Where the command's output goes; null for this process's own streams. */
  readonly output: ChildOutput | null
}

/** What a command runs with. */
interface Run {
  readonly inputs: Inputs
  readonly wanted: Wanted
  readonly leases: StepLeases
  readonly issued: IssuedRecords
  readonly folder: string
  readonly script: string
}

/**
 * The step with the input `run`. The exit code of the command is the step's.
 * @throws {ActionError} when the command could not be started. The lease is then revoked already
 */
export async function exchangeAndRun(): Promise<void> {
  const started = Date.now()
  const inputs = readInputs(runner.input)
  const command = readRunInputs(runner.rawInput)
  runner.requireRunnerFiles()
  const environment = runner.stepEnvironment()
  const from = planCommand(command, environment, process.platform)
  const wanted: Wanted = {
    from,
    az: command.logsInAzureCli ? findAzureCli(environment, process.platform) : null,
    passesIdToken: command.passesIdToken,
    withheld: new Set(),
    asFiles: false,
    output: new ChildOutput(),
  }
  runner.endWith(await runWithCredentials(inputs, wanted, { leases: new StepLeases(inputs), started }))
}

/**
 * Exchanges a subject token for credentials, runs one command with them, and revokes them when it ends. Only the command
 * gets the credentials: nothing is set for other steps. Resolves to the exit code of the command.
 *
 * All that the command needs was looked for already, so that no credential is minted for one that cannot start.
 * @param begun when this process began, in milliseconds since 1970, and its leases
 * @throws {ActionError} when the command could not be started. The lease is then revoked already
 */
export async function runWithCredentials(
  inputs: Inputs,
  wanted: Wanted,
  { leases, started }: { readonly leases: StepLeases; readonly started: number },
): Promise<number> {
  const deadline = startDeadline(inputs.timeoutMs)
  const folder = jobFolder()
  const script = pathIn(folder, `script${wanted.from.script?.extension ?? ""}`)
  const issued = new IssuedRecords(inputs.sweep, started)
  const run = { inputs, wanted, leases, issued, folder, script }
  const answer = await exchangeForAnswer(inputs, leases, deadline, () => void issued.prepare())
  const { exitCode, clouds } = await runWithAnswer(answer, run)
  removeFiles(folder)
  await revokeAll(run, clouds)
  return exitCode
}

async function runWithAnswer(
  answer: unknown,
  run: Run,
): Promise<{ readonly exitCode: number; readonly clouds: Clouds }> {
  const { inputs, leases, issued, folder } = run
  const lease = readLease(answer)
  let clouds: Clouds | null = null
  try {
    leases.confirm(lease)
    const received = await receive(answer, inputs.grants)
    clouds = await prepareClouds(received, (grant) => renew(grant, run), folder)
    if (run.wanted.az !== null && clouds.azure === null) {
      throw invalid("azure-cli", "needs a grant of Azure with `hand_over: federated-token` among the `grants`")
    }
    const delivery = await planForCommand(received, clouds, run)

    saveFilesFolder(folder)
    writeJobFiles(folder, delivery.files)
    issued.record(received, new Map())
    runner.setOutputs(leaseOutputs(lease))
    issued.delivered()
    say({ ...delivery, received, ttl: inputs.ttl, isForCommand: true })

    clouds.start()
    return { exitCode: await runCommand(delivery.environment, clouds, run), clouds }
  } catch (thrown) {
    // A renewal that is under way must not write into the folder any more.
    clouds?.close()
    await undo({ lease: lease.id, leases, home: inputs, folder, issued }, startDeadline(inputs.timeoutMs))
    throw thrown
  } finally {
    clouds?.close()
  }
}

interface CommandDelivery {
  readonly files: readonly PlannedFile[]
  readonly environment: Readonly<Record<string, string>>
  readonly places: ReadonlyMap<string, readonly string[]>
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** Plans the files and the environment of the command. Writes none. */
async function planForCommand(
  received: readonly Credential[],
  clouds: Clouds,
  { folder, script, wanted }: Run,
): Promise<CommandDelivery> {
  const rest = received.map((credential) => clouds.restOf(credential))
  const {
    files,
    variables: delivered,
    places,
    notes,
  } = wanted.asFiles ? toFiles(rest, received, folder) : toVariables(rest, folder)
  clouds.refuseRivals(delivered)
  const step = runner.stepEnvironment()
  const logins = await planLogins(received, { folder, environment: step, variables: delivered })

  const set = new Map([...logins.variables, ...clouds.variables])
  const without = new Set([...clouds.withheld, ...besideKeys(delivered), ...wanted.withheld])
  const environment = childEnvironment(step, { set, without, passesIdToken: wanted.passesIdToken })
  const text = wanted.from.script?.text
  return {
    files: [...files, ...logins.files, ...clouds.files, ...(text === undefined ? [] : [ownerFile(script, text)])],
    environment: clouds.hasEndpoint ? withoutProxyForLoopback(environment) : environment,
    places: new Map(received.map(({ grant }) => [grant, [...clouds.placesOf(grant), ...(places.get(grant) ?? [])]])),
    notes: [...notes, ...logins.notes, ...takenLines(takenAway(step, without))],
    warnings: logins.warnings,
  }
}

const takenLines = (names: readonly string[]): readonly string[] =>
  names.length === 0
    ? []
    : [`These variables of the job are not passed to the command: ${names.map((name) => forLog(name)).join(", ")}.`]

async function runCommand(
  environment: Readonly<Record<string, string>>,
  { azure }: Clouds,
  { wanted: { from, az, output }, script }: Run,
): Promise<number> {
  const line = { ...from.command(script), environment }
  if (az !== null && azure !== null) {
    await logInAzureCli(az, loginLines(azure.credential, azure.tokenFile), line, output)
  }
  const exitCode = await runProcess(line, output)
  await output?.end()
  return exitCode
}

/** A new exchange for one grant. Its lease is saved before it is asked for, and revoked when the command ends. */
async function renew(grant: string, { inputs, leases, issued }: Run): Promise<Credential> {
  // The jobs of a matrix renew when their own credentials end: they need no spread.
  const again = { ...inputs, grants: [grant], parallelJobs: 1 }
  const answer = await exchangeForAnswer(again, leases, startDeadline(inputs.timeoutMs))
  leases.confirm(readLease(answer))
  const renewed = await receive(answer, [grant])
  issued.record(renewed, new Map())
  const [credential] = renewed
  if (credential === undefined) throw new Error("unreachable: exactly one credential was read")
  return credential
}

async function revokeAll({ inputs, leases }: Run, clouds: Clouds): Promise<void> {
  const known = leases.all.filter(({ expiresAt }) => expiresAt !== null)
  await revokeLeases(known, leases, inputs, startDeadline(inputs.timeoutMs))
  // A renewal can still be on its way. Its lease is known when it is over.
  await clouds.settled()
  const others = leases.all.filter((lease) => !known.includes(lease))
  await revokeLeases(others, leases, inputs, startDeadline(inputs.timeoutMs))
}
