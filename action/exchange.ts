import { randomUUID } from "node:crypto"
import { newLeaseId } from "../broker/wire/lease-id.ts"
import { type Credential, hasLogins, readCredentials, readLease, toolsOf } from "./answer.ts"
import { requestExchange } from "./broker-client.ts"
import { claimLines } from "./claims.ts"
import { planEnvironment } from "./deliver/environment.ts"
import { planFiles } from "./deliver/files.ts"
import { planLogins } from "./deliver/logins.ts"
import { leaseOutputs, planOutputs } from "./deliver/outputs.ts"
import { requireRoom } from "./deliver/room.ts"
import { forLog } from "./escape.ts"
import { ActionError, toFailure } from "./failure.ts"
import { needsGoogleFiles, withGoogleFiles } from "./federated.ts"
import { noIdTokenEndpoint, requestIdToken } from "./id-token.ts"
import { type Inputs, readInputs } from "./inputs.ts"
import { IssuedRecords } from "./issued.ts"
import { boundAudience, makeJobKey } from "./key.ts"
import { revokeLease, StepLeases, saveFilesFolder, saveKeep, saveVariables } from "./lease.ts"
import { shortened } from "./lifetime.ts"
import { isTooCommon, masksFor } from "./masks.ts"
import { type Deadline, spreadFirstCall, startDeadline, withRetries } from "./retry.ts"
import * as runner from "./runner.ts"
import { grantedSummary } from "./summary.ts"

/**
 * Exchanges a subject token for credentials and delivers them to the following steps: all of them or none. If the answer
 * or the delivery has any fault, nothing is delivered and the lease is revoked at once.
 * @throws {ActionError}
 */
export async function exchange(): Promise<void> {
  const inputs = readInputs(runner.input)
  const deadline = startDeadline(inputs.timeoutMs)
  runner.requireRunnerFiles()

  const issued = new IssuedRecords(inputs.sweep)
  const leases = new StepLeases(inputs)
  const answer = await exchangeForAnswer(inputs, leases, deadline)

  const lease = readLease(answer)
  let folder: string | null = null
  try {
    leases.confirm(lease)
    const received = readCredentials(answer, inputs.grants)
    const values = received.flatMap((credential) => credential.values)
    await runner.registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))

    const toOutputs = inputs.deliver !== "environment"
    const toEnvironment = inputs.deliver !== "outputs"
    const logsIn = toEnvironment && hasLogins(received)
    const hasFiles = logsIn || values.some(({ file }) => file) || received.some(needsGoogleFiles)
    folder = hasFiles ? runner.jobFolder() : null
    const { files, credentials } = folder === null ? { files: [], credentials: received } : plannedIn(folder, received)
    const outputs = toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease)
    const logins = await planLogins(logsIn ? received : [], {
      folder,
      environment: runner.stepEnvironment(),
      variables: toEnvironment ? planEnvironment(credentials) : new Map<string, string>(),
    })
    const { variables } = logins
    requireRoom(credentials, variables, runner.surroundings())

    if (folder !== null) {
      saveFilesFolder(folder)
      runner.writeJobFiles(folder, [...files, ...logins.files])
    }
    issued.record(received, variables)
    saveVariables(secretVariables(credentials, variables))
    runner.setOutputs(outputs)
    runner.setVariables(variables)
    issued.delivered()
    if (inputs.keep) saveKeep()
    for (const credential of credentials) runner.info(gotLine(credential, inputs.ttl))
    for (const note of logins.notes) runner.info(note)
    for (const warning of logins.warnings) runner.warn(warning)
    for (const credential of received.filter(needsGoogleFiles)) runner.info(shortLoginLine(credential))
    if (inputs.keep) runner.info(keptLine(lease.expiresAt))
    warnOfBareSecrets(received)
    runner.debug(() => credentials.map(decisionLine))
    runner.appendSummary(grantedSummary(credentials, { toOutputs, toEnvironment, ...inputs }))
  } catch (thrown) {
    if (folder !== null) removeFiles(folder)
    dropRecords(issued)
    await revokeUndelivered(lease.id, inputs, leases, deadline)
    throw thrown
  }
}

const plannedIn = (folder: string, received: readonly Credential[]) =>
  planFiles(
    received.map((credential) => withGoogleFiles(credential, folder)),
    folder,
  )

const shortLoginLine = ({ grant }: Credential) =>
  `Tools can log in with ${grant} until then, which is five minutes at most. For a longer job, use the input \`run\`, which renews it.`

/**
 * Each attempt requests a new subject token, and asks for a new lease: the broker accepts both once, even if its answer gets
 * lost. The lease of an attempt without an answer stays saved: the post step revokes what was minted for it, if anything was.
 */
export async function exchangeForAnswer(inputs: Inputs, leases: StepLeases, deadline: Deadline): Promise<unknown> {
  const endpoint = runner.idTokenEndpoint()
  if (endpoint === null) throw noIdTokenEndpoint(runner.jobFacts())
  await spreadFirstCall(inputs.parallelJobs, deadline)
  const key = makeJobKey()
  const audience = boundAudience(inputs.audience, key.thumbprint)
  const request = { grants: inputs.grants, ...(inputs.ttl !== undefined && { ttl: inputs.ttl }), key: key.publicJwk }
  const sealed = await withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await runner.registerMasks([token])
    runner.debug(() => claimLines(token))
    const lease = newLeaseId(new Date(), randomUUID())
    leases.ask(lease)
    try {
      return await requestExchange(inputs.broker, token, { ...request, lease }, deadline.attemptMs())
    } catch (thrown) {
      if (thrown instanceof ActionError && !thrown.undecided) leases.forget(lease)
      throw thrown
    }
  })
  return key.open(sealed)
}

/** The variables whose value is a secret of this step. */
function secretVariables(credentials: readonly Credential[], variables: ReadonlyMap<string, string>): string[] {
  const isSecret = (name: string) =>
    credentials.some(({ values }) => values.some(({ env, secret }) => secret && env === name))
  return [...variables.keys()].filter(isSecret)
}

/** Says what `keep` means for a lease. */
export function keptLine(expiresAt: string): string {
  return `Kept (input \`keep\`): the lease is not revoked when the job ends. What expires lives until ${expiresAt} at the latest.`
}

/** Says until when a credential lives. A lifetime that a policy shortened would otherwise surprise a long job. */
export function gotLine(credential: Credential, ttl: string | undefined, forWhom = ""): string {
  const { grant, expiresAt } = credential
  const limit = shortened(credential, ttl)
  return `Got ${grant}${forWhom}${expiresAt ? `, until ${expiresAt}` : ""}.${limit === null ? "" : ` The policy allows ${limit}.`}`
}

export function decisionLine({ grant, provider, revocation, values }: Credential): string {
  const names = values.map((value) => {
    const places = [
      ...(value.env === undefined ? [] : [value.env]),
      ...toolsOf(value).map((tool) => `login of ${tool}`),
    ]
    return `${value.name}${value.secret ? " (secret)" : ""} -> ${places.join(" and ") || "no variable"}`
  })
  return `decision: ${grant} allowed, by ${provider}, ${revocation}: ${forLog(names.join(", "))}`
}

/** Names each secret that has no mask. It does not say why a value has none, which would tell about the value. */
export function warnOfBareSecrets(credentials: readonly Credential[]): void {
  for (const { grant, values } of credentials) {
    const bare = values.filter(({ secret, value }) => secret && isTooCommon(value)).map(({ name, env }) => env ?? name)
    if (bare.length === 0) continue
    runner.warn(
      `The log does not hide these secrets of ${grant}: ${forLog(bare.join(", "))}. Each has fewer than four characters, or is a number of fewer than eight digits, a truth value, or punctuation only. If it is not secret, add \`public: true\` to it in the policy. If it is, make it longer.`,
    )
  }
}

/** As `removeFiles`, for the records. */
export function dropRecords(issued: IssuedRecords): void {
  try {
    issued.drop()
  } catch (thrown) {
    runner.warn(`A folder of this step could not be removed yet: ${forLog(toFailure(thrown).message)}`)
  }
}

/** A failure here does not stop the revocation. The post step tries to remove the files again. */
export function removeFiles(folder: string): void {
  try {
    runner.removeJobFolder(folder)
  } catch (thrown) {
    runner.warn(`The files of this step could not be removed yet: ${forLog(toFailure(thrown).message)}`)
  }
}

/** If this fails, the post step tries again. */
export async function revokeUndelivered(
  id: string,
  home: Inputs,
  leases: StepLeases,
  deadline: Deadline,
): Promise<void> {
  try {
    await revokeLease(id, home, deadline)
    leases.forget(id)
    runner.info("Nothing was delivered, and the lease was revoked.")
  } catch (thrown) {
    runner.warn(`The lease is not revoked yet; the post step tries again: ${forLog(toFailure(thrown).message)}`)
  }
}
