import { join } from "node:path"
import { type Credential, loginsOf } from "../answer.ts"
import { ownerFile, planFiles } from "../deliver/files.ts"
import { leaseOutputs } from "../deliver/outputs.ts"
import type { Delivery, DeliveryContext } from "../deliver/plan.ts"
import { deliveryRefused } from "../failure.ts"
import { leasesFile } from "../renewal/place.ts"
import { programPath } from "../runner.ts"
import { listed } from "../words.ts"
import { planAwsFiles } from "./aws.ts"
import { planAzureFiles } from "./azure.ts"
import { planGoogleFiles } from "./google.ts"
import type { FilesContext, ToolPlan } from "./planned.ts"
import { planValues } from "./values.ts"

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
    helper: programPath("renew"),
  }
  const tools = TOOLS.map((plan) => plan(received, filesContext))
  const rest = received.map(
    (credential) => tools.flatMap((tool) => tool.rest.get(credential.grant) ?? [])[0] ?? credential,
  )
  const withTool = new Set(rest.filter((credential) => !received.includes(credential)).map(({ grant }) => grant))
  const single = planFiles(rest, join(folder, "files"))
  const plans = [...tools, planValues(single.credentials, filesContext, withTool)]
  const renewed = plans.flatMap((one) => one.renewed)
  return {
    folder,
    files: [
      ...plans.flatMap(({ files }) => files),
      ...single.files,
      ...(renewed.length === 0 ? [] : [ownerFile(leasesFile(folder), "")]),
    ],
    variables: joined(plans),
    outputs: new Map([...leaseOutputs(context.lease), ["folder", folder]]),
    credentials: received,
    places: new Map(
      received.map(({ grant, values }) => [
        grant,
        [...plans.flatMap(({ places }) => places.get(grant) ?? []), ...values.flatMap(loginsOf)],
      ]),
    ),
    notes: [...plans.flatMap(({ notes }) => notes), ...(renewed.length === 0 ? [] : [renewalLine(renewed)])],
    warnings: plans.flatMap(({ warnings }) => warnings),
  }
}

const renewalLine = (grants: readonly string[]) =>
  `Later steps renew ${listed(grants)} by themselves. The log cannot mask what they get. Actions that run in Docker cannot renew, because this runner's Node is not there.`

/** All variables. Two plans must not set one variable to different values: a tool would use another grant's credentials. */
function joined(plans: readonly ToolPlan[]): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  const taken = new Map<string, string>()
  for (const [name, value] of plans.flatMap(({ variables }) => [...variables])) {
    // On Windows, AWS_PROFILE and aws_profile are the same variable.
    const before = taken.get(name.toUpperCase())
    if (before !== undefined && before !== value) {
      throw deliveryRefused(`Two grants set the variable ${name} to different values. Use two steps.`)
    }
    taken.set(name.toUpperCase(), value)
    all.set(name, value)
  }
  return all
}
