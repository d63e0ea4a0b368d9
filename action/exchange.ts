import { readCredentials, readLease } from "./answer.ts"
import { requestExchange } from "./broker-client.ts"
import { planEnvironment } from "./deliver/environment.ts"
import { planFiles } from "./deliver/files.ts"
import { leaseOutputs, planOutputs } from "./deliver/outputs.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import { noIdTokenEndpoint, requestIdToken } from "./id-token.ts"
import { type Inputs, readInputs } from "./inputs.ts"
import { boundAudience, makeJobKey } from "./key.ts"
import { forgetLease, revokeLease, type SavedLease, saveFilesFolder, saveLease, saveVariables } from "./lease.ts"
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

  const answer = await exchangeForAnswer(inputs, deadline)

  const lease = readLease(answer)
  const toRevoke = { ...lease, broker: inputs.broker, audience: inputs.audience }
  saveLease(toRevoke)
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
    await revokeUndelivered(toRevoke, deadline)
    throw thrown
  }
}

/** Each attempt requests a new subject token: the broker accepts a token once, even if its answer gets lost. */
export async function exchangeForAnswer(inputs: Inputs, deadline: Deadline): Promise<unknown> {
  const endpoint = runner.idTokenEndpoint()
  if (endpoint === null) throw noIdTokenEndpoint(runner.jobFacts())
  const key = makeJobKey()
  const audience = boundAudience(inputs.audience, key.thumbprint)
  const request = { grants: inputs.grants, ...(inputs.ttl !== undefined && { ttl: inputs.ttl }), key: key.publicJwk }
  const sealed = await withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await runner.registerMasks([token])
    return requestExchange(inputs.broker, token, request, deadline.attemptMs())
  })
  return key.open(sealed)
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
export async function revokeUndelivered(lease: SavedLease, deadline: Deadline): Promise<void> {
  try {
    await revokeLease(lease, deadline)
    forgetLease()
    runner.info("Nothing was delivered, and the lease was revoked.")
  } catch (thrown) {
    runner.warn(`The lease is not revoked yet; the post step tries again: ${forLog(toFailure(thrown).message)}`)
  }
}
