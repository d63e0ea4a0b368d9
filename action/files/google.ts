import { join } from "node:path"
import { type Credential, requiredValue } from "../answer.ts"
import { commandLineWithoutQuotes } from "../clouds/command-line.ts"
import { externalAccount, GOOGLE_LOGIN_VALUES } from "../clouds/google.ts"
import { besidesLogin } from "../clouds/login.ts"
import { setIn } from "../clouds/variables.ts"
import { ownerFile, type PlannedFile } from "../deliver/files.ts"
import { listed } from "../words.ts"
import { type FilesContext, NOTHING, RENEWED, type ToolPlan } from "./planned.ts"
import { planRenewable } from "./renewable.ts"

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
  return {
    files: [...plans.flatMap(({ files }) => files), ...tokens.map((token) => accessTokenFile(token, context))],
    variables: new Map([
      ...(only === undefined ? [] : variablesOf(only)),
      ...(tokens.length === 1
        ? tokens.map((token) => [`${GCLOUD_TOKEN_VARIABLE}_FILE`, accessTokenFile(token, context).path] as const)
        : []),
    ]),
    rest: new Map(
      federated.map((one) => [one.grant, besidesLogin(one, GOOGLE_LOGIN_VALUES, federated.length > 1)] as const),
    ),
    places: new Map<string, readonly string[]>([
      ...tokens.map(({ grant }) => [grant, [`google/${grant}.access-token`]] as const),
      ...plans.map(({ grant, isRenewed }) => [grant, [`google/${grant}.json${isRenewed ? RENEWED : ""}`]] as const),
    ]),
    renewed: plans.filter(({ isRenewed }) => isRenewed).map(({ grant }) => grant),
    notes: notesOf(plans, tokens),
    warnings: plans.length > 0 ? rivalWarnings(context) : [],
  }
}

function notesOf(plans: readonly FederatedPlan[], tokens: readonly Credential[]): readonly string[] {
  const grants = plans.map(({ grant }) => grant)
  const fixed = plans.filter(({ isRenewed }) => !isRenewed).map(({ grant }) => grant)
  return [
    ...(plans.length > 1
      ? [
          `Google's programs of later steps choose one of ${listed(grants)} with GOOGLE_APPLICATION_CREDENTIALS: the files are in google/.`,
        ]
      : []),
    ...fixed.map(
      (grant) =>
        `Later steps cannot renew ${grant}: the path of this runner's folders or of its Node has a blank or a special character, and Google's libraries for Go would split the command there.`,
    ),
    ...tokens.map(
      ({ grant }) =>
        `The access token of ${grant} is for gcloud and programs that take one. Programs with Application Default Credentials need \`hand_over: federated-token\` in the policy.`,
    ),
  ]
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

function accessTokenFile({ grant, values }: Credential, { folder }: FilesContext): PlannedFile {
  const token = values.find(({ env }) => env === GCLOUD_TOKEN_VARIABLE)?.value ?? ""
  return ownerFile(join(folder, "google", `${grant}.access-token`), token)
}

function rivalWarnings({ environment }: FilesContext): readonly string[] {
  const rivals = setIn(environment, RIVALS)
  if (rivals.length === 0) return []
  return [
    `This job has ${listed(rivals)}. Some of Google's programs use that token, and not this step's files. Remove it from the job.`,
  ]
}
