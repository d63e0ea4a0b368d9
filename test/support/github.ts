import { randomBytes, randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { SignJWT } from "jose"
import { type ClaimOverrides, type GitHubClaims, githubClaims } from "./github-claims.ts"
import { type GitHubKey, giveBack, publicJwk, takeKey } from "./github-keys.ts"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, startServer } from "./servers.ts"

const TOKEN_SECONDS = 300
const NOT_BEFORE_LEAD_SECONDS = 600
/** Of the URL by which a runner gets a token. */
const PARAMETERS = ["api-version", "audience"]

export interface GitHubOptions {
  /** An enterprise's slug: the issuer is then `<host>/<slug>`, and its keys stay at the host's root. */
  readonly enterprise?: string
}

export interface MintOptions {
  readonly audience: string | readonly string[]
  /** Unix seconds; now when left out. `exp` is 300 s and `nbf` 10 minutes on either side, as GitHub has it. */
  readonly issuedAt?: number
  readonly lifetimeSeconds?: number
  /** `stranger`: a key that was never published, under the published key's `kid`. */
  readonly key?: "active" | "stranger"
  /** Header members to set or, with undefined, to leave out. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** A running job with `id-token: write`. */
export interface Job {
  /** The claims that its tokens carry, besides those that every mint sets anew. */
  readonly claims: GitHubClaims
  readonly requestUrl: string
  readonly requestToken: string
  /** The two variables that the runner sets for every step. */
  readonly env: { readonly ACTIONS_ID_TOKEN_REQUEST_URL: string; readonly ACTIONS_ID_TOKEN_REQUEST_TOKEN: string }
  /** Ends the job: its request token is refused from now on. */
  end(): void
}

export interface GitHub {
  /** The issuer: the exact `iss`. */
  readonly issuer: string
  /** Starts a job. Claims are a recorded sample's with these overrides; see `githubClaims`. */
  job(claims?: ClaimOverrides, sample?: string): Job
  /** Mints without the runner's endpoint, wrong tokens included. */
  mint(claims: ClaimOverrides, options: MintOptions): Promise<string>
  /** Signs with a new key from now on. The old one stays published unless it is to be withdrawn. */
  rotateKey(old?: "keep" | "withdraw"): void
  /** Makes the next `times` answers of one endpoint fail; for good when `times` is left out. `null` mends it. */
  fail(endpoint: Endpoint, how: Misbehaviour | null, times?: number): void
  /** What was asked, in order, for example `GET /idtoken audience=https://broker.example 200`. No token is in it. */
  readonly requests: readonly string[]
  /** @throws when anything was asked that neither a broker nor an action has a reason to ask. */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

export type Endpoint = "discovery" | "jwks" | "idtoken"

/**
 * Starts a stand-in for GitHub's OIDC issuer and for the runner's token endpoint, on loopback.
 *
 * It refuses what the real ones refuse: another method, a missing or foreign request token, a job that has ended.
 */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHub> {
  const log = new RequestLog("the GitHub stand-in")
  const held: GitHubKey[] = []
  const hold = () => {
    const key = takeKey()
    held.push(key)
    return key
  }
  let stranger: GitHubKey | undefined
  let active = hold()
  let published: readonly GitHubKey[] = [active]
  const jobs = new Map<string, Job>()
  const failures: Readonly<Record<Endpoint, Failures<Misbehaviour>>> = {
    discovery: new Failures(),
    jwks: new Failures(),
    idtoken: new Failures(),
  }

  const server = await startServer(
    (request, response) => route(request, response),
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )
  const issuer = options.enterprise === undefined ? server.url : `${server.url}/${options.enterprise}`
  const issuerPath = new URL(issuer).pathname.replace(/\/$/, "")

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", server.url)
    const job = jobs.get(url.pathname)
    if (job) return idToken(job, url, request, response)
    if (request.method === "GET" && url.search === "") {
      if (url.pathname === `${issuerPath}/.well-known/openid-configuration`) {
        return answer(response, "discovery", "GET openid-configuration", discovery())
      }
      if (url.pathname === "/.well-known/jwks") {
        return answer(response, "jwks", "GET jwks", { keys: published.map(publicJwk) })
      }
    }
    log.unexpected(`${request.method} ${url.pathname} 404`)
    response.writeHead(404).end()
  }

  async function idToken(job: Job, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const audiences = url.searchParams.getAll("audience")
    const audience = audiences[0] ?? `https://github.com/${String(job.claims["repository_owner"])}`
    const line = `${request.method} idtoken audience=${audience}`
    const refuse = (status: number) => {
      log.note(`${line} ${status}`)
      response.writeHead(status).end()
    }
    if (request.method !== "GET") return refuse(405)
    const names = [...url.searchParams.keys()]
    const isKnown = names.every((name, at) => PARAMETERS.includes(name) && names.indexOf(name) === at)
    if (!isKnown || audience === "" || url.searchParams.get("api-version") !== "2.0") return refuse(400)
    if (request.headers.authorization === undefined) return refuse(401)
    if (request.headers.authorization !== `Bearer ${job.requestToken}`) return refuse(403)
    return answer(response, "idtoken", line, { value: await sign(job.claims, { audience }) })
  }

  function answer(response: ServerResponse, endpoint: Endpoint, line: string, body: unknown): void {
    const right = { type: "application/json; charset=utf-8", body: JSON.stringify(body) }
    const how = failures[endpoint].take()
    if (how !== null) {
      log.note(`${line} (${how})`)
      misbehave(response, how, right)
      return
    }
    log.note(`${line} 200`)
    response.writeHead(200, { "Content-Type": right.type }).end(right.body)
  }

  const discovery = () => ({
    issuer,
    jwks_uri: `${server.url}/.well-known/jwks`,
    subject_types_supported: ["public", "pairwise"],
    response_types_supported: ["id_token"],
    claims_supported: ["sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "repository", "repository_id"],
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid"],
  })

  function sign(claims: GitHubClaims, mint: MintOptions): Promise<string> {
    const issuedAt = mint.issuedAt ?? Math.floor(Date.now() / 1000)
    const times = {
      nbf: issuedAt - NOT_BEFORE_LEAD_SECONDS,
      exp: issuedAt + (mint.lifetimeSeconds ?? TOKEN_SECONDS),
      iat: issuedAt,
    }
    const payload = { jti: randomUUID(), aud: mint.audience, iss: issuer, ...times, ...claims }
    const header = { typ: "JWT", alg: "RS256", x5t: active.x5t, kid: active.kid, ...mint.header }
    if (mint.key === "stranger") stranger ??= hold()
    const key = mint.key === "stranger" && stranger ? stranger : active
    const sent = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== null))
    return new SignJWT(sent).setProtectedHeader(header).sign(key.privateKey)
  }

  return {
    issuer,
    job(claims, sample) {
      const path = `/${randomUUID()}/${randomUUID()}/idtoken`
      const requestUrl = `${server.url}${path}?api-version=2.0`
      const requestToken = randomBytes(300).toString("base64url")
      const job: Job = {
        claims: githubClaims(claims, sample),
        requestUrl,
        requestToken,
        env: { ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken },
        // Its request token is now one that nobody holds.
        end: () => jobs.set(path, { ...job, requestToken: randomBytes(300).toString("base64url") }),
      }
      jobs.set(path, job)
      return job
    },
    mint: (claims, mint) => sign(githubClaims(claims), mint),
    rotateKey(old = "keep") {
      active = hold()
      published = old === "keep" ? [active, ...published] : [active]
    },
    fail: (endpoint, how, times) => failures[endpoint].set(how, times),
    requests: log.entries,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      giveBack(held.splice(0))
      log.assertClean()
    },
  }
}
