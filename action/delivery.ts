import { type Credential, readCredentials, readLease } from "./answer.ts"
import { planEnvironment } from "./deliver/environment.ts"
import { planFiles } from "./deliver/files.ts"
import { leaseOutputs, planOutputs } from "./deliver/outputs.ts"
import { requireRoom } from "./deliver/room.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import type { Inputs } from "./inputs.ts"
import { type StepLeases, saveFilesFolder, saveVariables } from "./lease.ts"
import { shortened } from "./lifetime.ts"
import { isTooCommon, masksFor } from "./masks.ts"
import type { Deadline } from "./retry.ts"
import { revokeLease } from "./revoke-lease.ts"
import * as runner from "./runner.ts"
import { grantedSummary } from "./summary.ts"

/**
 * Delivers the credentials of an answer to the following steps: all of them or none. If the answer or the delivery has any
 * fault, nothing is delivered and the lease is revoked at once.
 * @throws {ActionError}
 */
export async function deliver(answer: unknown, inputs: Inputs, leases: StepLeases, deadline: Deadline): Promise<void> {
  const lease = readLease(answer)
  let folder: string | null = null
  try {
    leases.confirm(lease)
    const received = readCredentials(answer, inputs.grants)
    const values = received.flatMap((credential) => credential.values)
    await runner.registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))

    folder = values.some(({ file }) => file) ? runner.jobFolder() : null
    const { files, credentials } = folder === null ? { files: [], credentials: received } : planFiles(received, folder)
    const toOutputs = inputs.deliver !== "environment"
    const toEnvironment = inputs.deliver !== "outputs"
    const outputs = toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease)
    const variables = toEnvironment ? planEnvironment(credentials) : new Map<string, string>()
    requireRoom(credentials, variables, runner.surroundings())

    if (folder !== null) {
      saveFilesFolder(folder)
      runner.writeJobFiles(folder, files)
    }
    if (variables.size > 0) saveVariables([...variables.keys()])
    runner.setOutputs(outputs)
    runner.setVariables(variables)
    for (const credential of credentials) runner.info(gotLine(credential, inputs.ttl))
    warnOfBareSecrets(received)
    runner.debug(() => credentials.map(decisionLine))
    runner.appendSummary(grantedSummary(credentials, { toOutputs, toEnvironment, ttl: inputs.ttl }))
  } catch (thrown) {
    if (folder !== null) removeFiles(folder)
    await revokeUndelivered(lease.id, inputs, leases, deadline)
    throw thrown
  }
}

/**
 * Runs the functions of a delivery with a made-up answer, and drops what they return. V8 compiles a function at its first
 * call, so this is for a time in which the step only waits.
 */
export function rehearse(): void {
  const expires_at = "2031-05-06T07:08:09.000Z"
  const values = { value: { value: "made-up 'value'", secret: true, env: "MADE_UP" } }
  const answer = {
    lease: "made-up",
    expires_at,
    credentials: { "made-up": { provider: "made-up", revocation: "revocable", expires_at, values } },
  }
  const lease = readLease(answer)
  const credentials = readCredentials(answer, ["made-up"])
  const variables = planEnvironment(credentials)
  requireRoom(credentials, variables, runner.surroundings())
  leaseOutputs(lease)
  for (const credential of credentials) {
    gotLine(credential, undefined)
    for (const { value } of credential.values) masksFor(value)
  }
  grantedSummary(credentials, { toOutputs: false, toEnvironment: true })
}

/** Says until when a credential lives. A lifetime that a policy shortened would otherwise surprise a long job. */
export function gotLine(credential: Credential, ttl: string | undefined, forWhom = ""): string {
  const { grant, expiresAt } = credential
  const limit = shortened(credential, ttl)
  return `Got ${grant}${forWhom}${expiresAt ? `, until ${expiresAt}` : ""}.${limit === null ? "" : ` The policy allows ${limit}.`}`
}

export function decisionLine({ grant, provider, revocation, values }: Credential): string {
  const names = values.map(({ name, env, secret }) => `${name}${secret ? " (secret)" : ""} -> ${env ?? "no variable"}`)
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
