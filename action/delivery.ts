import { type Credential, readLease } from "./answer.ts"
import { planLogins } from "./deliver/logins.ts"
import { type Delivery, type DeliveryContext, planDelivery } from "./deliver/plan.ts"
import { receive } from "./deliver/receive.ts"
import { requireRoom, surroundings } from "./deliver/room.ts"
import { say } from "./deliver/say.ts"
import { undo } from "./deliver/undo.ts"
import type { Inputs } from "./inputs.ts"
import { IssuedRecords } from "./issued.ts"
import { jobFolder, writeJobFiles } from "./job-folder.ts"
import { type StepLeases, saveFilesFolder, saveKeep, saveVariables } from "./lease.ts"
import type { Deadline } from "./retry.ts"
import * as runner from "./runner.ts"

/** What a step delivers with. */
interface Step {
  readonly inputs: Inputs
  readonly leases: StepLeases
  readonly deadline: Deadline
  /** When the step started, in milliseconds since 1970. */
  readonly started: number
}

/**
 * Prepares what needs no answer, while the broker works on it. The function that it returns delivers the credentials of an
 * answer to the following steps: all of them or none. If the answer or the delivery has any fault, nothing is delivered and the
 * lease is revoked at once.
 */
export function prepareDelivery(step: Step): (answer: unknown) => Promise<void> {
  const issued = new IssuedRecords(step.inputs.sweep, step.started)
  issued.prepare()
  return (answer) => deliver(answer, step, issued)
}

/** @throws {ActionError} */
async function deliver(answer: unknown, { inputs, leases, deadline }: Step, issued: IssuedRecords): Promise<void> {
  const lease = readLease(answer)
  let folder: string | null = null
  try {
    leases.confirm(lease)
    const received = await receive(answer, inputs.grants)
    const environment = runner.stepEnvironment()
    const delivery = await plan(received, { inputs, lease, newFolder: jobFolder, environment })
    const { files, variables, outputs } = delivery
    requireRoom(delivery.credentials, variables, surroundings())

    folder = delivery.folder
    if (folder !== null) {
      saveFilesFolder(folder)
      writeJobFiles(folder, files)
    }
    issued.record(received, variables)
    saveVariables(secretVariables(delivery))
    runner.setOutputs(outputs)
    runner.setVariables(variables)
    issued.delivered()
    if (inputs.keep) saveKeep()
    say({ ...delivery, received, ttl: inputs.ttl, keptUntil: inputs.keep ? lease.expiresAt : null })
  } catch (thrown) {
    await undo({ lease: lease.id, leases, home: inputs, folder, issued }, deadline)
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

/** The variables whose value is a secret of this step. */
function secretVariables({ credentials, variables }: Delivery): string[] {
  const secret = new Set(
    credentials.flatMap(({ values }) =>
      values.filter((one) => one.secret && one.file === undefined).map(({ env }) => env),
    ),
  )
  return [...variables.keys()].filter((name) => secret.has(name))
}
