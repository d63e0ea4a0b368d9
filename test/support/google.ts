import type { IncomingMessage, ServerResponse } from "node:http"
import { type Answer, ApiRefusal, granted, OAuthRefusal, refused } from "./google/answer.ts"
import { decryptPathOf, KmsKeys } from "./google/kms.ts"
import { exchangeToken, type PoolProvider } from "./google/pool.ts"
import {
  accessVersion,
  assertPossible,
  type Project,
  type Secrets,
  type StoredSecret,
  versionPathOf,
} from "./google/secret-manager.ts"
import { generateAccessToken, type ServiceAccount } from "./google/service-account.ts"
import { type IssuedToken, Tokens } from "./google/tokens.ts"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"

export type GoogleApi = "sts" | "iamcredentials" | "secretmanager" | "kms"

/** What Google can do besides failing as any server. */
export type GoogleMisbehaviour = Misbehaviour | "throttled" | "service-disabled"

export interface Google {
  /** STS, the IAM Service Account Credentials API, Cloud KMS and Secret Manager of every region, all on one host. */
  readonly url: string
  /** Makes a pool's provider exist; one of the same name is replaced. */
  addProvider(provider: PoolProvider): void
  /** Makes a service account exist; one with the same address is replaced. */
  addServiceAccount(account: ServiceAccount): void
  /** Makes a project exist; one with the same id is replaced. */
  addProject(project: Project): void
  /** Makes a secret exist in a project; one of the same name is replaced. */
  addSecret(secret: StoredSecret): void
  /** The keys of Cloud KMS. */
  readonly keys: KmsKeys
  /** Makes the next `times` answers of an API fail; for good when `times` is left out. `null` mends it. */
  fail(api: GoogleApi, how: GoogleMisbehaviour | null, times?: number): void
  /** All that was handed out, in order. */
  readonly issued: readonly IssuedToken[]
  /** What was asked, in order, for example `ExchangeToken 200`. No token is in it. */
  readonly requests: readonly string[]
  /** @throws when anything else was asked */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

const GENERATE = /^\/v1\/(projects\/[^/?#]+\/serviceAccounts\/[^/?#:]+):generateAccessToken$/

/**
 * Starts a stand-in for Google on loopback: its Security Token Service, IAM Service Account Credentials, Secret Manager, Cloud KMS.
 *
 * @param endAfterSeconds ends access tokens sooner than Google does, so that a test sees how a client gets the next one
 */
export async function startGoogle({ endAfterSeconds = Number.POSITIVE_INFINITY } = {}): Promise<Google> {
  const log = new RequestLog("the Google stand-in")
  const providers = new Map<string, PoolProvider>()
  const accounts = new Map<string, ServiceAccount>()
  const secrets: Secrets = { projects: new Map(), secrets: [] }
  const tokens = new Tokens(endAfterSeconds)
  const keys = new KmsKeys()
  const failures: Readonly<Record<GoogleApi, Failures<GoogleMisbehaviour>>> = {
    sts: new Failures(),
    iamcredentials: new Failures(),
    secretmanager: new Failures(),
    kms: new Failures(),
  }

  const server = await startServer(
    (request, response) => serve(request, response),
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = "" } = request
    const name = GENERATE.exec(url)?.[1]
    if (method === "POST" && url === "/v1/token")
      return answer(response, "sts", "ExchangeToken", async () =>
        granted(await exchangeToken(headersOf(request), await readBody(request), providers, tokens)),
      )
    if (method === "POST" && name !== undefined)
      return answer(response, "iamcredentials", `GenerateAccessToken ${name.split("/").at(-1)}`, async () =>
        granted(generateAccessToken(name, headersOf(request), await readBody(request), accounts, tokens)),
      )
    const version = versionPathOf(url)
    if (method === "GET" && version !== null && (await readBody(request)) === "")
      return answer(response, "secretmanager", `AccessSecretVersion ${version[3]}/${version[4]}`, async () =>
        granted(accessVersion(version, request.headers.authorization, secrets, tokens)),
      )
    const key = decryptPathOf(url)
    if (method === "POST" && key !== null)
      return answer(response, "kms", `Decrypt ${key.split("/").at(-1)}`, async () =>
        granted(keys.decrypt(key, headersOf(request), await readBody(request), tokens)),
      )
    log.unexpected(`${method} ${url.split("?")[0]} 404`)
    response.writeHead(404).end()
  }

  async function answer(
    response: ServerResponse,
    api: GoogleApi,
    says: string,
    grant: () => Promise<Answer>,
  ): Promise<void> {
    const how = failures[api].take()
    const said = await (how === "throttled" || how === "service-disabled" ? refuse(api, how) : grant()).catch(refused)
    const body = JSON.stringify(said.body)
    if (how !== null && how !== "throttled" && how !== "service-disabled") {
      log.note(`${says} (${how})`)
      misbehave(response, how, { type: "application/json", body })
      return
    }
    log.note(`${says} ${said.word}`)
    response.writeHead(said.status, { "Content-Type": "application/json; charset=UTF-8" }).end(body)
  }

  return {
    url: server.url,
    addProvider: (provider) => void providers.set(provider.name, provider),
    addServiceAccount: (account) => void accounts.set(account.email, account),
    addProject: (project) => void secrets.projects.set(project.id, project),
    addSecret(secret) {
      assertPossible(secret)
      const isSame = (one: StoredSecret) =>
        one.project === secret.project && one.location === secret.location && one.id === secret.id
      const at = secrets.secrets.findIndex(isSame)
      secrets.secrets.splice(at < 0 ? secrets.secrets.length : at, at < 0 ? 0 : 1, secret)
    },
    keys,
    fail: (api, how, times) => failures[api].set(how, times),
    issued: tokens.issued,
    requests: log.entries,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

const headersOf = ({ headers }: IncomingMessage) => ({
  contentType: headers["content-type"],
  authorization: headers.authorization,
})

async function refuse(api: GoogleApi, how: "throttled" | "service-disabled"): Promise<never> {
  if (how === "service-disabled")
    throw new ApiRefusal(
      "PERMISSION_DENIED",
      `${api} has not been used in project 123456789012 before or it is disabled.`,
      "SERVICE_DISABLED",
    )
  if (api === "sts")
    throw new OAuthRefusal("quota_exceeded", "The request was throttled due to rate limit: sts.googleapis.com.", 429)
  throw new ApiRefusal("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Generate credentials requests'.")
}

export type { PoolProvider } from "./google/pool.ts"
export type { Project, StoredSecret } from "./google/secret-manager.ts"
export type { ServiceAccount } from "./google/service-account.ts"
