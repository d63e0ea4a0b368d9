import type { Credential } from "../answer.ts"
import { SESSION_VALUES } from "../aws-session.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { forLog } from "../escape.ts"
import { ActionError, toFailure } from "../failure.ts"
import { masksFor } from "../masks.ts"
import * as runner from "../runner.ts"
import { heldSession, SESSION_RENEWAL } from "./aws-session.ts"
import { planAws, REPLACED, RIVALS } from "./aws-variables.ts"
import { AZURE_RIVALS, planAzure, withoutPlanned } from "./azure-variables.ts"
import { type Endpoint, type Served, serveCredentials } from "./endpoint.ts"
import { refuseRivals } from "./environment.ts"
import { PRINCIPAL_RENEWAL, readToken, TOKEN_RENEWAL } from "./federated-token.ts"
import { GOOGLE_RIVALS, planGoogle } from "./google-variables.ts"
import { type Held, type Renewal, Renewed } from "./renewed.ts"
import { TokenFiles } from "./token-files.ts"

/** Makes a new exchange for one grant, and registers its secrets as masks before it resolves. */
export type ExchangeAgain = (grant: string) => Promise<Credential>

/** What the command fetches by itself, and how it finds it. */
export interface Clouds {
  /** The credentials without what the command fetches. */
  readonly rest: readonly Credential[]
  readonly variables: ReadonlyMap<string, string>
  readonly files: readonly PlannedFile[]
  /** Names of the job's variables that must not reach the command. */
  readonly taken: ReadonlySet<string>
  /** The login of Azure's tools, if the command has one. */
  readonly azure: { readonly credential: Credential; readonly tokenFile: string } | null
  /** True when clients ask an endpoint on loopback. */
  readonly hasEndpoint: boolean
  /** The names of the variables that lead to a credential, for the summary; null when its values themselves are delivered. */
  shownVariables(credential: Credential): readonly string[] | null
  /**
   * Refuses variables of other grants that would win over what the command fetches.
   * @throws {ActionError} `delivery_refused`
   */
  refuseRivals(delivered: ReadonlyMap<string, string>): void
  /** Keeps fresh what clients read and do not ask for. Called when the files are written. */
  start(): void
  /** Nothing is given out and no file is written any more. */
  close(): void
  /** Resolves when no renewal is on its way. */
  settled(): Promise<void>
}

/**
 * Prepares what the command fetches by itself, and again before it ends: AWS's sessions, and the broker's own tokens for
 * Google's and Azure's tools. Each has its own variables, files and rivals.
 * @throws {ActionError} `answer_unusable`, and `delivery_refused` for two logins of Azure
 */
export async function prepareClouds(
  received: readonly Credential[],
  exchangeAgain: ExchangeAgain,
  folder: string,
): Promise<Clouds> {
  const renewing = <Value>(credential: Credential, read: (one: Credential) => Held<Value>, renewal: Renewal) =>
    renewed(credential, read, renewal, exchangeAgain)
  const of = (format: string) => received.filter((credential) => credential.format === format)
  const [aws, google, azure] = [of("aws-session"), of("google-federated"), of("azure-federated")]
  const [login, second] = azure
  if (second !== undefined) throw twoLogins(login?.grant ?? "", second.grant)

  const sessions = aws.map((one) => renewing(one, heldSession, SESSION_RENEWAL))
  const googleTokens = google.map((one) =>
    renewing(one, readToken, isPrincipal(one) ? PRINCIPAL_RENEWAL : TOKEN_RENEWAL),
  )
  const azureTokens = azure.map((one) => renewing(one, readToken, TOKEN_RENEWAL))
  const served: Served[] = [
    ...sessions.map(
      (session, at): Served => ({ path: pathOf(aws[at]), scheme: "aws", answer: () => session.current() }),
    ),
    ...[...googleTokens, ...azureTokens].map((token, at): Served => {
      const path = pathOf([...google, ...azure][at])
      return { path, scheme: "bearer", answer: async () => inDocument(await token.current()) }
    }),
  ]
  const endpoint = served.length === 0 ? null : await openEndpoint(served)
  try {
    const has = (name: string) => ({
      folder: runner.pathIn(folder, name),
      authorization: endpoint?.authorization ?? "",
    })
    const urlOf = (credential: Credential) => endpoint?.urlOf(pathOf(credential)) ?? ""
    const awsPlan = planAws(
      aws.map((one) => ({ grant: one.grant, region: regionOf(one), url: urlOf(one) })),
      { ...has("aws"), node: process.execPath, helper: `${runner.actionFolder()}/aws-profile.js` },
    )
    const googlePlan = planGoogle(
      google.map((credential) => ({ credential, url: urlOf(credential) })),
      has("google"),
    )
    const azurePlan = login === undefined ? null : planAzure(login, { ...has("azure"), url: urlOf(login) })
    const [token] = azureTokens
    const files = token && azurePlan ? new TokenFiles(token, azurePlan.write, warnOfFile) : null
    const plans = [
      { first: aws[0], what: "AWS session", rivals: [...RIVALS, ...REPLACED], variables: awsPlan.variables },
      { first: google[0], what: "Google login", rivals: [...GOOGLE_RIVALS], variables: googlePlan.variables },
      { first: login, what: "Azure login", rivals: [...AZURE_RIVALS], variables: azurePlan?.variables ?? new Map() },
    ].filter(({ first }) => first !== undefined)

    return {
      rest: received.map((credential) => restOf(credential, { aws: aws.length, google: google.length })),
      variables: new Map(plans.flatMap(({ variables }) => [...variables])),
      files: [...awsPlan.files, ...googlePlan.files, ...(azurePlan?.files ?? [])],
      taken: new Set(plans.flatMap(({ rivals }) => rivals)),
      azure: login && azurePlan ? { credential: login, tokenFile: azurePlan.tokenFile } : null,
      hasEndpoint: endpoint !== null,
      shownVariables({ format }) {
        const plan = plans.find(({ first }) => first?.format === format)
        return plan === undefined ? null : [...plan.variables.keys()].filter((name) => SHOWN.test(name))
      },
      refuseRivals(delivered) {
        for (const { first, what, rivals } of plans)
          refuseRivals(delivered, new Set(rivals), `the ${what} of ${first?.grant}`)
      },
      start: () => files?.start(),
      close() {
        endpoint?.close()
        files?.stop()
      },
      async settled() {
        await Promise.all([...sessions, ...googleTokens, ...azureTokens].map((one) => one.settled()))
      },
    }
  } catch (thrown) {
    endpoint?.close()
    throw thrown
  }
}

/** Variables that say how a credential arrives. The others say what it is for. */
const SHOWN =
  /^(?:AWS_CONTAINER_.*|AWS_CONFIG_FILE|GOOGLE_APPLICATION_CREDENTIALS|DAYPASS_GOOGLE_FOLDER|AZURE_FEDERATED_TOKEN_FILE|ARM_OIDC_REQUEST_URL)$/

const pathOf = (credential: Credential | undefined) =>
  `/${credential?.format}/${encodeURIComponent(credential?.grant ?? "")}`

const inDocument = (token: string | null) => (token === null ? null : { value: token })

/** Google's access token is then exchanged for the token itself, and lives no longer. */
const isPrincipal = ({ values }: Credential) => !values.some(({ name }) => name === "impersonation-url")

const regionOf = ({ values }: Credential) => values.find(({ name }) => name === "region")?.value ?? ""

async function openEndpoint(served: readonly Served[]): Promise<Endpoint> {
  const endpoint = await serveCredentials(served)
  await runner.registerMasks(masksFor(endpoint.authorization))
  return endpoint
}

function renewed<Value>(
  credential: Credential,
  read: (one: Credential) => Held<Value>,
  renewal: Renewal,
  exchangeAgain: ExchangeAgain,
): Renewed<Value> {
  const { grant, format } = credential
  const what = format === "aws-session" ? "session" : "login"
  const renew = async () => {
    const held = read(await exchangeAgain(grant))
    runner.info(`Renewed ${grant}, until ${new Date(held.endsAt).toISOString()}.`)
    return held
  }
  return new Renewed(read(credential), renewal, renew, (failure) =>
    runner.warn(`The ${what} of ${grant} could not be renewed yet: ${forLog(failure.message)}`),
  )
}

function warnOfFile(thrown: unknown): void {
  runner.warn(`The file with Azure's token could not be replaced yet: ${forLog(toFailure(thrown).message)}`)
}

/**
 * What is still delivered as values. Regions of several sessions are in their profiles, and projects of several logins are
 * in the workflow.
 */
function restOf(credential: Credential, count: { readonly aws: number; readonly google: number }): Credential {
  const { format, values } = credential
  if (format === "azure-federated") return withoutPlanned(credential)
  if (format !== "aws-session" && format !== "google-federated") return credential
  const isSingle = (format === "aws-session" ? count.aws : count.google) === 1
  const isKept = ({ name, env }: { name: string; env?: string }) =>
    !SESSION_VALUES.has(name) && env !== undefined && isSingle
  return { ...credential, values: values.filter(isKept) }
}

function twoLogins(one: string, other: string): ActionError {
  const message = `One command cannot have two logins of Azure, because both use the same variables: ${one} and ${other}. Use two steps.`
  return new ActionError("delivery_refused", message)
}
