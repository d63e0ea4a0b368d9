import { join } from "node:path"
import type { Credential } from "../answer.ts"
import { planFiles } from "../deliver/files.ts"
import { leaseOutputs } from "../deliver/outputs.ts"
import { type Delivery, type DeliveryContext, loginsOf } from "../deliver/plan.ts"
import { ActionError } from "../failure.ts"
import { actionFolder } from "../runner.ts"
import { planAwsFiles } from "./aws.ts"
import { planAzureFiles } from "./azure.ts"
import { planGoogleFiles } from "./google.ts"
import type { FilesContext, ToolPlan } from "./planned.ts"
import { leasesFile } from "./renewable.ts"
import { planValues } from "./values.ts"

export { keptAnswer } from "./renewable.ts"

/** Each takes the credentials that it knows and leaves the others. One more tool is one more entry. */
const TOOLS: readonly ((credentials: readonly Credential[], context: FilesContext) => ToolPlan)[] = [
  planAwsFiles,
  planGoogleFiles,
  planAzureFiles,
]

/**
 * Plans the delivery as files: `aws/`, `google/`, `azure/` for credentials whose format a tool reads, `values.env` and
 * `values.json` for the others, and `files/GRANT/VALUE` for single files. The environment gets no secret: only paths, names
 * of profiles and public values.
 * @throws {ActionError} `delivery_refused`, `answer_unusable`
 */
export function planFilesDelivery(received: readonly Credential[], context: DeliveryContext): Delivery {
  const folder = context.newFolder()
  const filesContext: FilesContext = {
    folder,
    inputs: context.inputs,
    environment: context.environment,
    platform: process.platform,
    node: process.execPath,
    helper: join(actionFolder(), "refresh.js"),
  }
  const tools = TOOLS.map((plan) => plan(received, filesContext))
  const rest = received.map(
    (credential) => tools.flatMap((tool) => tool.rest.get(credential.grant) ?? [])[0] ?? credential,
  )
  const withTool = new Set(rest.filter((credential) => !received.includes(credential)).map(({ grant }) => grant))
  const single = planFiles(rest, join(folder, "files"))
  const plans = [...tools, planValues(single.credentials, filesContext, withTool)]
  const needsLeases = plans.some(({ files }) => files.some(({ path }) => path.startsWith(join(folder, ".refresh"))))
  const leases = needsLeases ? [{ path: leasesFile(folder), bytes: Buffer.alloc(0), mode: 0o600 }] : []
  return {
    folder,
    files: [...plans.flatMap(({ files }) => files), ...single.files, ...leases],
    variables: joined(plans),
    outputs: new Map([...leaseOutputs(context.lease), ["folder", folder]]),
    credentials: received,
    places: new Map(
      received.map(({ grant, values }) => [
        grant,
        [...plans.flatMap(({ places }) => places.get(grant) ?? []), ...values.flatMap(loginsOf)],
      ]),
    ),
    notes: plans.flatMap(({ notes }) => notes),
    warnings: plans.flatMap(({ warnings }) => warnings),
  }
}

/** All variables. Two plans must not set one variable to different values: a tool would use another grant's credentials. */
function joined(plans: readonly ToolPlan[]): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  const taken = new Map<string, string>()
  for (const [name, value] of plans.flatMap(({ variables }) => [...variables])) {
    // On Windows, AWS_PROFILE and aws_profile are the same variable.
    const before = taken.get(name.toUpperCase())
    if (before !== undefined && before !== value) {
      throw new ActionError(
        "delivery_refused",
        `Two grants set the variable ${name} to different values. Use two steps.`,
      )
    }
    taken.set(name.toUpperCase(), value)
    all.set(name, value)
  }
  return all
}
