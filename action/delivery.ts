import { type Credential, readCredentials, readLease, toolsOf } from "./answer.ts"
import { planLogins } from "./deliver/logins.ts"
import { type Delivery, type DeliveryContext, planDelivery } from "./deliver/plan.ts"
import { requireRoom } from "./deliver/room.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import type { Inputs } from "./inputs.ts"
import { IssuedRecords } from "./issued.ts"
import { type StepLeases, saveFilesFolder, saveKeep, saveVariables } from "./lease.ts"
import { shortened } from "./lifetime.ts"
import { isTooCommon, masksFor } from "./masks.ts"
import type { Deadline } from "./retry.ts"
import { revokeLease } from "./revoke-lease.ts"
import * as runner from "./runner.ts"
import { grantedSummary } from "./summary.ts"

/** What a step delivers with. */
export interface Step {
  readonly inputs: Inputs
  readonly leases: StepLeases
  readonly deadline: Deadline
  /** When the step started, in milliseconds since 1970. */
  readonly started: number
}

/**
 * Delivers the credentials of an answer to the following steps: all of them or none. If the answer or the delivery has any
 * fault, nothing is delivered and the lease is revoked at once.
 * @throws {ActionError}
 */
export async function deliver(answer: unknown, { inputs, leases, deadline, started }: Step): Promise<void> {
  const issued = new IssuedRecords(inputs.sweep, started)
  const lease = readLease(answer)
  let folder: string | null = null
  try {
    leases.confirm(lease)
    const received = readCredentials(answer, inputs.grants)
    const values = received.flatMap((credential) => credential.values)
    await runner.registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))
    const delivery = await plan(received, {
      inputs,
      lease,
      newFolder: runner.jobFolder,
      environment: runner.stepEnvironment(),
    })
    requireRoom(delivery.credentials, delivery.variables, runner.surroundings())

    folder = delivery.folder
    if (folder !== null) {
      saveFilesFolder(folder)
      runner.writeJobFiles(folder, delivery.files)
    }
    issued.record(received, delivery.variables)
    saveVariables(secretVariables(delivery))
    runner.setOutputs(delivery.outputs)
    runner.setVariables(delivery.variables)
    issued.delivered()
    if (inputs.keep) saveKeep()
    say(received, delivery, inputs)
    if (inputs.keep) runner.info(keptLine(lease.expiresAt))
  } catch (thrown) {
    if (folder !== null) removeFiles(folder)
    dropRecords(issued)
    await revokeUndelivered(lease.id, inputs, leases, deadline)
    throw thrown
  }
}

/** Loads what writes the files of tools only for the steps that want them. */
async function plan(received: readonly Credential[], context: DeliveryContext): Promise<Delivery> {
  const { inputs, environment } = context
  const delivery =
    inputs.deliver === "files"
      ? (await import("./files/deliver.ts")).planFilesDelivery(received, context)
      : planDelivery(received, context)
  if (inputs.deliver === "outputs") return delivery
  const { folder, variables } = delivery
  const logins = await planLogins(received, { folder, environment, variables })
  return {
    ...delivery,
    files: [...delivery.files, ...logins.files],
    variables: logins.variables,
    notes: [...delivery.notes, ...logins.notes],
    warnings: [...delivery.warnings, ...logins.warnings],
  }
}

function say(
  received: readonly Credential[],
  { credentials, places, notes, warnings }: Delivery,
  { ttl, keep }: Inputs,
): void {
  for (const credential of credentials) runner.info(gotLine(credential, ttl))
  for (const note of notes) runner.info(note)
  for (const warning of warnings) runner.warn(warning)
  warnOfBareSecrets(received)
  runner.debug(() => credentials.map(decisionLine))
  runner.appendSummary(grantedSummary(credentials, places, { ttl, keep }))
}

/** The variables whose value is a secret of this step. */
function secretVariables({ credentials, variables }: Delivery): string[] {
  const secret = new Set(
    credentials.flatMap(({ values }) =>
      values.filter((one) => one.secret && one.file === undefined).map(({ env }) => env),
    ),
  )
  return [...variables.keys()].filter((name) => secret.has(name))
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
