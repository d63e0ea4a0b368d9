import { type Credential, readCredentials, readLease } from "../answer.ts"
import { planEnvironment } from "../deliver/environment.ts"
import { type PlannedFile, planFiles } from "../deliver/files.ts"
import { leaseOutputs } from "../deliver/outputs.ts"
import { decisionLine, gotLine, removeFiles, revokeUndelivered, warnOfBareSecrets } from "../delivery.ts"
import { forLog } from "../escape.ts"
import { exchangeForAnswer } from "../exchange.ts"
import { type Inputs, readInputs } from "../inputs.ts"
import { StepLeases, saveFilesFolder } from "../lease.ts"
import { masksFor } from "../masks.ts"
import { startDeadline } from "../retry.ts"
import * as runner from "../runner.ts"
import { grantedSummary } from "../summary.ts"
import { type AwsEndpoint, serveSessions } from "./aws-endpoint.ts"
import { RenewedSession, readSession, SESSION_VALUES, type Session } from "./aws-session.ts"
import { planAws, REPLACED, RIVALS } from "./aws-variables.ts"
import { childEnvironment, refuseRivals, takenAway } from "./environment.ts"
import { type RunInputs, readRunInputs } from "./inputs.ts"
import { revokeLeases } from "./leases.ts"
import { ChildOutput } from "./output.ts"
import { planCommand, type StartedFrom } from "./place.ts"
import { runProcess } from "./process.ts"

/** Everything that the command gets, and what must be ended after it. */
interface Prepared {
  readonly environment: Readonly<Record<string, string>>
  readonly sessions: readonly RenewedSession[]
  readonly endpoint: AwsEndpoint | null
}

/**
 * Exchanges a subject token for credentials, runs one command with them, and revokes them when it ends. Only the command
 * gets the credentials: nothing is set for other steps. The exit code of the command is the step's.
 * @throws {ActionError} when the command could not be started. The lease is then revoked already
 */
export async function exchangeAndRun(): Promise<void> {
  const inputs = readInputs(runner.input)
  const deadline = startDeadline(inputs.timeoutMs)
  const wanted = readRunInputs(runner.rawInput)
  runner.requireRunnerFiles()
  // Looked for before the exchange, so that no credential is minted for a command that cannot start.
  const from = planCommand(wanted, runner.stepEnvironment(), process.platform)

  const leases = new StepLeases(inputs)
  const answer = await exchangeForAnswer(inputs, leases, deadline)

  const folder = runner.jobFolder()
  const { exitCode, sessions } = await prepareAndRun(answer, { inputs, wanted, from, folder, leases })
  removeFiles(folder)
  const known = leases.all.filter(({ expiresAt }) => expiresAt !== null)
  await revokeLeases(known, leases, inputs, startDeadline(inputs.timeoutMs))
  // A renewal can still be on its way. Its lease is known when it is over.
  await Promise.all(sessions.map((session) => session.settled()))
  const others = leases.all.filter((lease) => !known.includes(lease))
  await revokeLeases(others, leases, inputs, startDeadline(inputs.timeoutMs))
  runner.endWith(exitCode)
}

interface Run {
  readonly inputs: Inputs
  readonly wanted: RunInputs
  readonly from: StartedFrom
  readonly folder: string
  readonly leases: StepLeases
}

async function prepareAndRun(
  answer: unknown,
  run: Run,
): Promise<{ readonly exitCode: number; readonly sessions: readonly RenewedSession[] }> {
  const output = new ChildOutput()
  const lease = readLease(answer)
  let prepared: Prepared | null = null
  try {
    run.leases.confirm(lease)
    const credentials = readCredentials(answer, run.inputs.grants)
    await registerSecrets(credentials)
    prepared = await prepare(credentials, run)
    runner.setOutputs(leaseOutputs(lease))
    const { environment } = prepared
    const exitCode = await runProcess({ ...run.from.command(scriptPath(run)), environment }, output)
    await output.end()
    return { exitCode, sessions: prepared.sessions }
  } catch (thrown) {
    removeFiles(run.folder)
    await revokeUndelivered(lease.id, run.inputs, run.leases, startDeadline(run.inputs.timeoutMs))
    throw thrown
  } finally {
    prepared?.endpoint?.close()
  }
}

async function prepare(received: readonly Credential[], run: Run): Promise<Prepared> {
  const isSession = ({ format }: Credential) => format === "aws-session"
  const withSession = received.filter(isSession)
  const sessions = new Map(
    withSession.map((credential) => [credential.grant, renewedSession(credential, run)] as const),
  )
  const endpoint = sessions.size === 0 ? null : await serveSessions(sessions)
  try {
    if (endpoint !== null) await runner.registerMasks(masksFor(endpoint.authorization))
    const aws = planAws(
      withSession.map(({ grant, values }) => ({
        grant,
        region: values.find(({ name }) => name === "region")?.value ?? "",
        url: endpoint?.urlOf(grant) ?? "",
      })),
      {
        folder: runner.pathIn(run.folder, "aws"),
        authorization: endpoint?.authorization ?? "",
        node: process.execPath,
        helper: `${runner.actionFolder()}/aws-profile.js`,
      },
    )
    const { files, credentials } = planFiles(received.map(withoutSession(sessions.size > 1)), run.folder)
    const delivered = planEnvironment(credentials.filter(({ values }) => values.length > 0))
    const [first] = sessions.keys()
    if (first !== undefined) refuseRivals(delivered, new Set([...RIVALS, ...REPLACED]), first)

    const script: PlannedFile = { path: scriptPath(run), bytes: Buffer.from(run.from.fileText), mode: 0o600 }
    saveFilesFolder(run.folder)
    runner.writeJobFiles(run.folder, [...files, ...aws.files, script])

    const step = runner.stepEnvironment()
    const without = new Set(sessions.size > 0 ? [...RIVALS, ...REPLACED] : rivalsOf(delivered))
    const set = new Map([...delivered, ...aws.variables])
    logDelivery(received, run.inputs.ttl, takenAway(step, without))
    runner.appendSummary(
      grantedSummary(received.map(shownAs(aws.variables)), {
        toEnvironment: true,
        toOutputs: false,
        isForCommand: true,
        ttl: run.inputs.ttl,
      }),
    )
    const environment = childEnvironment(step, { set, without, passesIdToken: run.wanted.passesIdToken })
    return { environment, sessions: [...sessions.values()], endpoint }
  } catch (thrown) {
    endpoint?.close()
    throw thrown
  }
}

function renewedSession(credential: Credential, { inputs, leases }: Run): RenewedSession {
  const { grant } = credential
  const renew = async (): Promise<Session> => {
    // The jobs of a matrix renew when their own sessions end: they need no spread.
    const again = { ...inputs, grants: [grant], parallelJobs: 1 }
    const answer = await exchangeForAnswer(again, leases, startDeadline(inputs.timeoutMs))
    leases.confirm(readLease(answer))
    const renewed = readCredentials(answer, [grant])
    await registerSecrets(renewed)
    const [session] = renewed.map(readSession)
    if (session === undefined) throw new Error("unreachable: exactly one credential was read")
    runner.info(`Renewed ${grant}, until ${session.Expiration}.`)
    return session
  }
  return new RenewedSession(readSession(credential), renew, (failure) =>
    runner.warn(`The session of ${grant} could not be renewed yet: ${forLog(failure.message)}`),
  )
}

async function registerSecrets(credentials: readonly Credential[]): Promise<void> {
  const values = credentials.flatMap((credential) => credential.values)
  await runner.registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))
  warnOfBareSecrets(credentials)
}

/** A session's own values are fetched by the command. Regions of several sessions are in their profiles. */
function withoutSession(isOneOfSeveral: boolean): (credential: Credential) => Credential {
  return (credential) => {
    if (credential.format !== "aws-session") return credential
    const isKept = ({ name, env }: { name: string; env?: string }) =>
      !SESSION_VALUES.has(name) && env !== undefined && !isOneOfSeveral
    return { ...credential, values: credential.values.filter(isKept) }
  }
}

/** For the summary: a session arrives in the variables that lead to it. */
function shownAs(variables: ReadonlyMap<string, string>): (credential: Credential) => Credential {
  const names = [...variables.keys()].filter((name) => /^AWS_CONTAINER_|^AWS_CONFIG_FILE$/.test(name))
  return (credential) => {
    if (credential.format !== "aws-session") return credential
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
