import { join } from "node:path"
import type { Credential } from "../answer.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { externalAccount, requiredValue } from "../federated.ts"
import { commandLineWithoutQuotes } from "./command-line.ts"
import { amongThem, type FilesContext, listed, NOTHING, ownerFile, type ToolPlan } from "./planned.ts"
import { planRenewable } from "./renewable.ts"

/** The values of a credential of the format `google-federated` that its files hold. */
const FEDERATED_VALUES: ReadonlySet<string> = new Set([
  "federated-token",
  "audience",
  "token-url",
  "impersonation-url",
  "impersonation-seconds",
])
/** How long Google's libraries wait for the helper: longer than the helper waits for the broker. */
const EXECUTABLE_TIMEOUT_MS = 60_000
/** The variable of an access token for gcloud, which has a sister for a file. */
const GCLOUD_TOKEN_VARIABLE = "CLOUDSDK_AUTH_ACCESS_TOKEN"
const RIVALS = ["GOOGLE_OAUTH_ACCESS_TOKEN", GCLOUD_TOKEN_VARIABLE, "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]

/**
 * Writes the configuration of Google's libraries for federated tokens (AIP-4117), and a file for gcloud's access tokens.
 * A single grant is selected by variables; of several, each step must name its own file.
 */
export function planGoogleFiles(credentials: readonly Credential[], context: FilesContext): ToolPlan {
  const federated = credentials.filter(({ format }) => format === "google-federated")
  const tokens = credentials.filter(({ values }) => values.some(({ env }) => env === GCLOUD_TOKEN_VARIABLE))
  if (federated.length + tokens.length === 0) return NOTHING
  const plans = federated.map((credential) => planFederated(credential, context))
  const [only] = plans.length === 1 ? plans : []
  const fixed = plans.filter(({ isRenewed }) => !isRenewed).map(({ grant }) => grant)
  const several = plans.length > 1
  return {
    files: [...plans.flatMap(({ files }) => files), ...tokens.map((token) => accessTokenFile(token, context))],
    variables: new Map([
      ...(only === undefined ? [] : variablesOf(only)),
      ...(tokens.length === 1
        ? tokens.map((token) => [`${GCLOUD_TOKEN_VARIABLE}_FILE`, accessTokenFile(token, context).path] as const)
        : []),
    ]),
    rest: new Map(federated.map((credential) => [credential.grant, withoutToken(credential, several)])),
    places: new Map<string, readonly string[]>([
      ...tokens.map(({ grant }) => [grant, [`google/${grant}.access-token`]] as const),
      ...federated.map(({ grant }) => [grant, [`google/${grant}.json`]] as const),
    ]),
    notes: [
      ...(several
        ? [`Google's programs need GOOGLE_APPLICATION_CREDENTIALS: there are several files in google/.`]
        : []),
      ...(plans.length > fixed.length
        ? [
            "Google's programs of later steps fetch a federated token again when they need one. Actions that run in Docker cannot fetch, because this runner's Node is not there.",
          ]
        : []),
      ...fixed.map(
        (grant) =>
          `The federated token of ${grant} is not fetched again: the path of this runner's folders or of its Node has a blank or a special character, and Google's libraries for Go would split the command there.`,
      ),
      ...tokens.map(
        ({ grant }) =>
          `The access token of ${grant} is for gcloud and programs that take one. Programs with Application Default Credentials need \`hand_over: federated-token\` in the policy.`,
      ),
    ],
    warnings: rivalWarnings(plans.length > 0, context),
  }
}

interface FederatedPlan {
  readonly grant: string
  readonly files: readonly PlannedFile[]
  /** The file for GOOGLE_APPLICATION_CREDENTIALS. */
  readonly path: string
  readonly isRenewed: boolean
}

function planFederated(credential: Credential, context: FilesContext): FederatedPlan {
  const { grant } = credential
  const at = (name: string) => join(context.folder, "google", `${grant}${name}`)
  const renewable = planRenewable(credential, "google", context.folder, context.inputs)
  const command = commandLineWithoutQuotes([context.node, context.helper, renewable.path], context.platform)
  const token = ownerFile(at(".token"), requiredValue(credential, "federated-token"))
  const plain = (name: string) => ownerFile(at(name), externalAccount(credential, { file: token.path }))
  if (command === null) return { grant, path: at(".json"), isRenewed: false, files: [token, plain(".json")] }
  const executable = { command, timeout_millis: EXECUTABLE_TIMEOUT_MS }
  const renewed = ownerFile(at(".json"), externalAccount(credential, { executable }))
  return { grant, path: at(".json"), isRenewed: true, files: [...renewable.files, token, renewed, plain(".file.json")] }
}

function variablesOf({ path, isRenewed }: FederatedPlan): readonly (readonly [string, string])[] {
  return [
    ["GOOGLE_APPLICATION_CREDENTIALS", path],
    ["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", path],
    ...(isRenewed ? [["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"] as const] : []),
  ]
}

/** What stays besides the token. Of several grants none sets a variable: each would hold for all. */
function withoutToken(credential: Credential, isOneOfSeveral: boolean): Credential {
  const isKept = ({ name, env }: Credential["values"][number]) =>
    !FEDERATED_VALUES.has(name) && env !== undefined && !isOneOfSeveral
  return { ...credential, values: credential.values.filter(isKept) }
}

function accessTokenFile({ grant, values }: Credential, { folder }: FilesContext): PlannedFile {
  const token = values.find(({ env }) => env === GCLOUD_TOKEN_VARIABLE)?.value ?? ""
  return ownerFile(join(folder, "google", `${grant}.access-token`), token)
}

function rivalWarnings(hasFederated: boolean, { environment }: FilesContext): readonly string[] {
  const rivals = hasFederated ? amongThem(RIVALS, environment) : []
  if (rivals.length === 0) return []
  return [
    `This job has ${listed(rivals)}. Some of Google's programs use that token, and not this step's files. Remove it from the job.`,
  ]
}
