import type { Credential } from "../answer.ts"
import { besidesLogin } from "../clouds/login.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { forLog } from "../escape.ts"
import { type ActionError, toFailure } from "../failure.ts"
import { pathIn } from "../job-folder.ts"
import { masksFor } from "../masks.ts"
import * as runner from "../runner.ts"
import { AWS } from "./aws.ts"
import { AZURE } from "./azure.ts"
import type { Cloud, CloudPlan } from "./cloud.ts"
import { type Endpoint, serveCredentials } from "./endpoint.ts"
import { refuseRivals } from "./environment.ts"
import { GOOGLE } from "./google.ts"
import { KeptFresh } from "./kept-fresh.ts"
import { Renewed } from "./renewed.ts"

/** Makes a new exchange for one grant, and registers its secrets as masks before it resolves. */
type Renew = (grant: string) => Promise<Credential>

const CLOUDS: readonly Cloud[] = [AWS, GOOGLE, AZURE]

/** The credentials of one cloud, and how the command gets them. */
interface InUse {
  readonly cloud: Cloud
  readonly credentials: readonly Credential[]
  readonly renewed: readonly Renewed[]
}

/**
 * Prepares what the command fetches by itself, and again before it ends: AWS's sessions, and the broker's own tokens for
 * Google's and Azure's tools.
 * @throws {ActionError} `answer_unusable`, `delivery_refused`
 */
export async function prepareClouds(received: readonly Credential[], renew: Renew, folder: string): Promise<Clouds> {
  // A source of tokens throws the same failure again for what does not change.
  const said = new WeakSet<ActionError>()
  const used = CLOUDS.map((cloud): InUse => {
    const credentials = received.filter(({ format }) => format === cloud.format)
    return { cloud, credentials, renewed: credentials.map((one) => renewedFor(cloud, one, renew, said)) }
  }).filter(({ credentials }) => credentials.length > 0)
  const endpoint = used.length === 0 ? null : await openEndpoint(used)
  try {
    const plans = used.map(({ cloud, credentials }) =>
      cloud.plan(
        credentials.map((credential) => ({ credential, url: endpoint?.urlOf(pathOf(credential)) ?? "" })),
        { folder: pathIn(folder, cloud.name), authorization: endpoint?.authorization ?? "" },
      ),
    )
    return new Clouds(used, plans, endpoint)
  } catch (thrown) {
    endpoint?.close()
    throw thrown
  }
}

/** What the command fetches by itself, and how it finds it. */
export class Clouds {
  readonly #used: readonly InUse[]
  readonly #plans: readonly CloudPlan[]
  readonly #endpoint: Endpoint | null
  readonly #keptFresh: readonly KeptFresh[]

  constructor(used: readonly InUse[], plans: readonly CloudPlan[], endpoint: Endpoint | null) {
    this.#used = used
    this.#plans = plans
    this.#endpoint = endpoint
    this.#keptFresh = plans.flatMap(({ freshFile }, at) => {
      const [token] = used[at]?.renewed ?? []
      return token && freshFile ? [new KeptFresh(token, freshFile, warnOfFile)] : []
    })
  }

  get variables(): ReadonlyMap<string, string> {
    return new Map(this.#plans.flatMap(({ variables }) => [...variables]))
  }

  get files(): readonly PlannedFile[] {
    return this.#plans.flatMap(({ files }) => files)
  }

  /** For the summary: where a grant arrives. */
  placesOf(grant: string): readonly string[] {
    return this.#plans.flatMap(({ places }) => places.get(grant) ?? [])
  }

  /** Names of the job's variables that must not reach the command. */
  get withheld(): ReadonlySet<string> {
    return new Set(this.#used.flatMap(({ cloud }) => [...cloud.withheld]))
  }

  /** True when clients ask an endpoint on loopback. */
  get hasEndpoint(): boolean {
    return this.#endpoint !== null
  }

  /** The login of Azure's tools; null when the command has none. */
  get azure(): { readonly credential: Credential; readonly tokenFile: string } | null {
    const at = this.#used.findIndex(({ cloud }) => cloud === AZURE)
    const [credential, path] = [this.#used[at]?.credentials[0], this.#plans[at]?.freshFile?.path]
    return credential === undefined || path === undefined ? null : { credential, tokenFile: path }
  }

  /** The credential without what the command fetches. */
  restOf(credential: Credential): Credential {
    const used = this.#used.find(({ credentials }) => credentials.includes(credential))
    return used === undefined
      ? credential
      : besidesLogin(credential, used.cloud.loginValues, used.credentials.length > 1)
  }

  /**
   * Refuses variables of other grants that would win over what the command fetches.
   * @throws {ActionError} `delivery_refused`
   */
  refuseRivals(delivered: ReadonlyMap<string, string>): void {
    for (const { cloud, credentials } of this.#used)
      refuseRivals(delivered, cloud.withheld, `the ${cloud.gives} of ${credentials[0]?.grant}`)
  }

  /** Keeps fresh what clients read and do not ask for. Called when the files are written. */
  start(): void {
    for (const one of this.#keptFresh) one.start()
  }

  /** Nothing is given out and no file is written any more. */
  close(): void {
    this.#endpoint?.close()
    for (const one of this.#keptFresh) one.stop()
  }

  /** Resolves when no renewal is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.#used.flatMap(({ renewed }) => renewed.map((one) => one.settled())))
  }
}

async function openEndpoint(used: readonly InUse[]): Promise<Endpoint> {
  const served = used.flatMap(({ cloud: { scheme }, credentials, renewed }) =>
    renewed.map((one, at) => ({ path: pathOf(credentials[at]), scheme, answer: () => one.current() })),
  )
  const endpoint = await serveCredentials(served)
  await runner.registerMasks(masksFor(endpoint.authorization))
  return endpoint
}

const pathOf = (credential: Credential | undefined) =>
  `/${credential?.format}/${encodeURIComponent(credential?.grant ?? "")}`

/** @param said the failures that are in the log already */
function renewedFor(cloud: Cloud, credential: Credential, renew: Renew, said: WeakSet<ActionError>): Renewed {
  const { grant } = credential
  const next = async () => {
    const held = cloud.read(await renew(grant))
    runner.info(`Renewed ${grant}, until ${new Date(held.endsAt).toISOString()}.`)
    return held
  }
  return new Renewed(cloud.read(credential), cloud.renewal(credential), next, (failure) => {
    if (said.has(failure)) return
    said.add(failure)
    runner.warn(`The ${cloud.gives} of ${grant} could not be renewed yet: ${forLog(failure.message)}`)
  })
}

function warnOfFile(thrown: unknown): void {
  runner.warn(`The file with Azure's token could not be replaced yet: ${forLog(toFailure(thrown).message)}`)
}
