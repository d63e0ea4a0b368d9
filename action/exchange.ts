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
import { type HeldLease, holdFiles, holdLease, holdVariables, releaseLease, takeBack } from "./lease.ts"
import { masksFor } from "./masks.ts"
import { type Deadline, persist, startDeadline } from "./patience.ts"
import * as runner from "./runner.ts"
import { grantedSummary } from "./summary.ts"

/**
 * Subject token in, credentials out, to the steps that follow. Everything or nothing: when anything is wrong with what
 * came or with where it would go, nothing is delivered and the lease goes back at once.
 * @throws {ActionError}
 */
export async function exchange(): Promise<void> {
  const deadline = startDeadline()
  const inputs = readInputs(runner.input)
  runner.requireRunnerFiles()

  const answer = await exchangeForAnswer(inputs, deadline)

  const lease = readLease(answer)
  const held = { ...lease, broker: inputs.broker, audience: inputs.audience }
  holdLease(held)
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
      holdFiles(folder)
      runner.writeJobFiles(folder, files)
    }
    if (variables.size > 0) holdVariables([...variables.keys()])
    runner.setOutputs(outputs)
    runner.setVariables(variables)
    for (const { grant, expiresAt } of credentials)
      runner.info(`Got ${grant}${expiresAt ? `, until ${expiresAt}` : ""}.`)
    runner.appendSummary(grantedSummary(credentials, { toOutputs, toEnvironment }))
  } catch (thrown) {
    if (folder !== null) removeFiles(folder)
    await giveBack(held, deadline)
    throw thrown
  }
}

/** Every try has a subject token of its own: the broker takes a token once, even when its answer gets lost. */
async function exchangeForAnswer(inputs: Inputs, deadline: Deadline): Promise<unknown> {
  const endpoint = runner.idTokenEndpoint()
  if (endpoint === null) throw noIdTokenEndpoint(runner.jobFacts())
  const key = makeJobKey()
  const audience = boundAudience(inputs.audience, key.thumbprint)
  const request = { grants: inputs.grants, ...(inputs.ttl !== undefined && { ttl: inputs.ttl }), key: key.publicJwk }
  const sealed = await persist(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await runner.registerMasks([token])
    return requestExchange(inputs.broker, token, request, deadline.attemptMs())
  })
  return key.open(sealed)
}

/** What cannot be removed now is the post step's, and keeps nothing from being given back. */
function removeFiles(folder: string): void {
  try {
    runner.removeJobFolder(folder)
  } catch (thrown) {
    runner.warn(`The files of this step could not be removed yet: ${forLog(toFailure(thrown).message)}`)
  }
}

/** When this does not work either, the post step tries once more. */
async function giveBack(held: HeldLease, deadline: Deadline): Promise<void> {
  try {
    await takeBack(held, deadline)
    releaseLease()
    runner.info("Nothing was delivered, and the lease was given back.")
  } catch (thrown) {
    runner.warn(`The lease was not given back yet, the post step tries again: ${forLog(toFailure(thrown).message)}`)
  }
}
