import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto"
import { type JWK, SignJWT } from "jose"
import { giveBack, publicJwk, takeKey } from "./github-keys.ts"
import { RequestLog } from "./request-log.ts"
import { startServer } from "./servers.ts"

export type CiClaims = Readonly<Record<string, unknown>>

export interface CiMintOptions {
  readonly audience: string | readonly string[]
  /** `exp` is so many seconds after now; the sample's own life when left out. */
  readonly lifetimeSeconds?: number
  /** Signs in the name of this issuer with another one's key, under this issuer's `kid`. */
  readonly signer?: Pick<CiIssuer, "key">
}

/** An issuer of a CI, or of a cluster: it signs whatever claims it is given, as of now. */
export interface CiIssuer {
  /** The exact `iss`. */
  readonly issuer: string
  readonly key: SigningKey
  /**
   * Signs claims. Times are moved to now, with the distances that they have, and a `jti` that is there becomes a new one. A
   * claim that is undefined is left out, and one that is null is sent as null: GitLab and Buildkite do so. Without a `jti`,
   * two tokens of one second would be the same token, so the issuer's clock then runs ahead, by less than a broker allows.
   */
  mint(claims: CiClaims, options: CiMintOptions): Promise<string>
  /** Signs claims as they are. */
  sign(claims: CiClaims): Promise<string>
  /** What was asked, in order. */
  readonly requests: readonly string[]
  /** Stops, then asserts that nothing else was asked than its documents. */
  close(): Promise<void>
}

const MOST_AHEAD_SECONDS = 50

interface SigningKey {
  readonly alg: "RS256" | "ES256"
  readonly kid: string
  readonly privateKey: KeyObject
  /** The public half, as a key set shows it. */
  readonly jwk: JWK
  giveBack(): void
}

export interface CiIssuerOptions {
  /** The path of the issuer's URL, for example `/oidc`. */
  readonly path?: string
  /** Where its key set is, from the root of the host. */
  readonly keysPath: string
  /** Jenkins is asked for its keys alone. */
  readonly discovery?: boolean
}

/** Starts a stand-in for a CI's issuer, on loopback. It answers GET of its discovery document and of its keys, and no more. */
export async function startCiIssuer({ path = "", keysPath, discovery = true }: CiIssuerOptions): Promise<CiIssuer> {
  const key = rsaKey()
  const log = new RequestLog(`the stand-in for an issuer at ${path || "/"}`)
  const server = await startServer(
    async (request, response) => {
      const line = `${request.method} ${request.url}`
      const document = request.method === "GET" ? documents[request.url ?? ""] : undefined
      if (document === undefined) log.unexpected(`${line} 404`)
      else log.note(`${line} 200`)
      response.writeHead(document === undefined ? 404 : 200, { "Content-Type": "application/json" })
      response.end(document === undefined ? "" : JSON.stringify(document))
    },
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )
  const issuer = server.url + path
  const ownDocument = { issuer, jwks_uri: server.url + keysPath, id_token_signing_alg_values_supported: [key.alg] }
  const documents: Readonly<Record<string, unknown>> = {
    [keysPath]: { keys: [key.jwk] },
    ...(discovery ? { [`${path}/.well-known/openid-configuration`]: ownDocument } : {}),
  }
  return {
    issuer,
    key,
    mint: (claims, options) => sign(options.signer?.key ?? key, key.kid, asOfNow(issuer, claims, options)),
    sign: (claims) => sign(key, key.kid, claims),
    requests: log.entries,
    async close() {
      await server.close()
      key.giveBack()
      log.assertClean()
    },
  }
}

/** A cluster that the broker cannot reach: its issuer is a name inside of it, and its ES256 key has to be listed. */
export function startCluster(): CiIssuer {
  const issuer = "https://kubernetes.default.svc.cluster.local"
  const key = ellipticKey()
  return {
    issuer,
    key,
    mint: (claims, options) => sign(options.signer?.key ?? key, key.kid, asOfNow(issuer, claims, options)),
    sign: (claims) => sign(key, key.kid, claims),
    requests: [],
    close: async () => {},
  }
}

function rsaKey(): SigningKey {
  const key = takeKey()
  const { x5t: _, ...jwk } = publicJwk(key)
  return { alg: "RS256", kid: key.kid, privateKey: key.privateKey, jwk, giveBack: () => giveBack([key]) }
}

function ellipticKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const kid = randomUUID()
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }
  return { alg: "ES256", kid, privateKey, jwk, giveBack: () => {} }
}

let minted = 0

function asOfNow(iss: string, claims: CiClaims, { audience, lifetimeSeconds }: CiMintOptions): CiClaims {
  const { iat, exp, nbf, jti } = claims
  const ahead = jti === undefined ? minted++ % MOST_AHEAD_SECONDS : 0
  const by = Math.floor(Date.now() / 1000) + ahead - Number(iat)
  const times = {
    iat: Number(iat) + by,
    exp: (lifetimeSeconds === undefined ? Number(exp) : Number(iat) + lifetimeSeconds) + by,
    ...(nbf === undefined ? {} : { nbf: Number(nbf) + by }),
  }
  return { ...claims, iss, aud: audience, ...times, ...(jti === undefined ? {} : { jti: randomUUID() }) }
}

function sign({ alg, privateKey }: SigningKey, kid: string, claims: CiClaims): Promise<string> {
  const sent = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return new SignJWT(sent).setProtectedHeader({ typ: "JWT", alg, kid }).sign(privateKey)
}
