import { newLeaseId } from "../broker/wire/lease-id.ts"
import { readCredentials, readLease } from "./answer.ts"
import { requestExchange } from "./broker-client.ts"
import { planEnvironment } from "./deliver/environment.ts"
import { planFiles } from "./deliver/files.ts"
import { leaseOutputs, planOutputs } from "./deliver/outputs.ts"
import { forLog } from "./escape.ts"
import { ActionError, toFailure } from "./failure.ts"
import { noIdTokenEndpoint, requestIdToken } from "./id-token.ts"
import { type Inputs, readInputs } from "./inputs.ts"
import { boundAudience, makeJobKey } from "./key.ts"
import { revokeLease, StepLeases, saveFilesFolder, saveVariables } from "./lease.ts"
import { masksFor } from "./masks.ts"
import { type Deadline, startDeadline, withRetries } from "./retry.ts"
import * as runner from "./runner.ts"
import { grantedSummary } from "./summary.ts"

/**
 * Exchanges a subject token for credentials and delivers them to the following steps: all of them or none. If the answer
 * or the delivery has any fault, nothing is delivered and the lease is revoked at once.
 * @throws {ActionError}
 */
export async function exchange(): Promise<void> {
  const deadline = startDeadline()
  const inputs = readInputs(runner.input)
  runner.requireRunnerFiles()

  const leases = new StepLeases(inputs)
  const answer = await exchangeForAnswer(inputs, leases, deadline)

  const lease = readLease(answer)
  leases.confirm(lease)
  let folder: string | null = null
  try {
    const received = readCredentials(answer, inputs.grants)
    const values = received.flatMap((credential) => credential.values)
    await runner.registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))

    folder = values.some(({ file }) => file) ? runner.jobFolder() : null
    const { files, credentials } = folder === null ? { files: [], credentials: received } : planFiles(received, folder)
    const toOutputs = inputs.deliver !== "environment"
    const toEnvironment = inputs.deliver !== "outputs"
    const outputs = toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease)
    const variables = toEnvironment ? planEnvironment(credentials) : new Map<string, string>()

    if (folder !== null) {
      saveFilesFolder(folder)
      runner.writeJobFiles(folder, files)
    }
    if (variables.size > 0) saveVariables([...variables.keys()])
    runner.setOutputs(outputs)
    runner.setVariables(variables)
    for (const { grant, expiresAt } of credentials)
      runner.info(`Got ${grant}${expiresAt ? `, until ${expiresAt}` : ""}.`)
    runner.appendSummary(grantedSummary(credentials, { toOutputs, toEnvironment }))
  } catch (thrown) {
    if (folder !== null) removeFiles(folder)
    await revokeUndelivered(lease.id, inputs, leases, deadline)
    throw thrown
  }
}

/**
 * Each attempt requests a new subject token, and asks for a new lease: the broker accepts both once, even if its answer gets
 * lost. The lease of an attempt without an answer stays saved: the post step revokes what was minted for it, if anything was.
 */
async function exchangeForAnswer(inputs: Inputs, leases: StepLeases, deadline: Deadline): Promise<unknown> {
  const endpoint = runner.idTokenEndpoint()
  if (endpoint === null) throw noIdTokenEndpoint(runner.jobFacts())
  const key = makeJobKey()
  const audience = boundAudience(inputs.audience, key.thumbprint)
  const request = { grants: inputs.grants, ...(inputs.ttl !== undefined && { ttl: inputs.ttl }), key: key.publicJwk }
  const sealed = await withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await runner.registerMasks([token])
    const lease = newLeaseId(new Date(), crypto.randomUUID())
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

/** A failure here does not stop the revocation. The post step tries to remove the files again. */
function removeFiles(folder: string): void {
  try {
    runner.removeJobFolder(folder)
  } catch (thrown) {
    runner.warn(`The files of this step could not be removed yet: ${forLog(toFailure(thrown).message)}`)
  }
}

/** If this fails, the post step tries again. */
async function revokeUndelivered(id: string, home: Inputs, leases: StepLeases, deadline: Deadline): Promise<void> {
  try {
    await revokeLease(id, home, deadline)
    leases.forget(id)
    runner.info("Nothing was delivered, and the lease was revoked.")
  } catch (thrown) {
    runner.warn(`The lease is not revoked yet; the post step tries again: ${forLog(toFailure(thrown).message)}`)
  }
}
