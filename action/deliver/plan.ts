import { type Credential, hasLogins, type Lease, loginsOf } from "../answer.ts"
import { KEY_VARIABLE } from "../clouds/aws.ts"
import { needsGoogleFiles, withGoogleFiles } from "../clouds/google.ts"
import type { Inputs } from "../inputs.ts"
import { blankOldTokens, warningOfProfile } from "./aws-neighbours.ts"
import { planEnvironment } from "./environment.ts"
import { type PlannedFile, planFiles } from "./files.ts"
import { leaseOutputs, planOutputs } from "./outputs.ts"

/** Everything that a step is about to set and write. Nothing of it is done yet. */
export interface Delivery {
  /** The step's folder; null when there are no files. */
  readonly folder: string | null
  readonly files: readonly PlannedFile[]
  readonly variables: ReadonlyMap<string, string>
  readonly outputs: ReadonlyMap<string, string>
  /** The credentials. Each value that becomes a file is replaced by the file's path. */
  readonly credentials: readonly Credential[]
  /** For the summary: where each value of a grant arrives. */
  readonly places: ReadonlyMap<string, readonly string[]>
  /** Lines for the log. They hold no secret, and their untrusted parts were escaped. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** What a delivery is planned with. */
export interface DeliveryContext {
  readonly inputs: Inputs
  readonly lease: Lease
  /** Chooses the step's folder, which does not exist yet. Called once, and only when there is something to write. */
  readonly newFolder: () => string
  /** The environment of now. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Checks the variables, outputs and single files for these credentials, and returns them.
 * @throws {ActionError} `delivery_refused`
 */
export function planDelivery(received: readonly Credential[], context: DeliveryContext): Delivery {
  const { inputs, lease, environment } = context
  const googleLogins = received.filter(needsGoogleFiles)
  const logsIn = inputs.deliver !== "outputs" && hasLogins(received)
  const hasFiles = logsIn || googleLogins.length > 0 || received.some(({ values }) => values.some(({ file }) => file))
  const folder = hasFiles ? context.newFolder() : null
  const { files, credentials } = folder === null ? { files: [], credentials: received } : plannedIn(folder, received)
  const toOutputs = inputs.deliver !== "environment"
  const toEnvironment = inputs.deliver !== "outputs"
  const planned = toEnvironment ? planEnvironment(credentials) : new Map<string, string>()
  const variables = blankOldTokens(planned, environment)
  const warning = variables.has(KEY_VARIABLE) ? warningOfProfile(environment) : null
  return {
    folder,
    files,
    credentials,
    variables,
    outputs: toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease),
    places: placesOf(credentials, { toOutputs, toEnvironment }),
    notes: googleLogins.map(shortLoginLine),
    warnings: warning === null ? [] : [warning],
  }
}

const plannedIn = (folder: string, received: readonly Credential[]) =>
  planFiles(
    received.map((credential) => withGoogleFiles(credential, folder)),
    folder,
  )

const shortLoginLine = ({ grant }: Credential) =>
  `Tools must log in with ${grant} within five minutes: this delivery does not renew it. \`deliver: files\` and the input \`run\` do.`

/** The variables and outputs in which each grant's values arrive. */
export function placesOf(
  credentials: readonly Credential[],
  to: { readonly toEnvironment: boolean; readonly toOutputs: boolean },
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    credentials.map(({ grant, values }) => [
      grant,
      values.flatMap((value) => {
        const { name, env } = value
        return [
          ...(to.toEnvironment ? [...(env === undefined ? [] : [env]), ...loginsOf(value)] : []),
          ...(to.toOutputs ? [`outputs.${grant}-${name}`] : []),
        ]
      }),
    ]),
  )
}
