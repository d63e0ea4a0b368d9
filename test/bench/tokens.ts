import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto"
import { githubClaims } from "../support/github-claims.ts"
import { startServer } from "../support/servers.ts"

/** An issuer for load: it serves one key, and signs tokens faster than the stand-in, which keeps a log of each. */
export interface LoadIssuer {
  readonly issuer: string
  /** Mints `count` different tokens for one audience, all good for five minutes from now. Default: of one repository. */
  mint(count: number, audience: string, of?: (index: number) => Repository): string[]
  close(): Promise<void>
}

export interface Repository {
  readonly repository: string
  readonly repository_id: string
}

const SHOP: Repository = { repository: "acme/shop", repository_id: "41" }

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

export async function startLoadIssuer(): Promise<LoadIssuer> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const key = createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }))
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "load", alg: "RS256", use: "sig" }
  const header = base64url({ typ: "JWT", alg: "RS256", kid: "load", x5t: "load" })
  const server = await startServer(
    async (request, response) => {
      const documents: Record<string, object> = {
        "/.well-known/openid-configuration": { issuer: server.url, jwks_uri: `${server.url}/.well-known/jwks` },
        "/.well-known/jwks": { keys: [jwk] },
      }
      const found = documents[request.url ?? ""]
      response.writeHead(found ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(found ?? {}))
    },
    () => {},
  )
  return {
    issuer: server.url,
    mint(count, audience, of) {
      const now = Math.floor(Date.now() / 1000)
      const claimsOf = (repository: Repository) =>
        githubClaims({
          ...repository,
          repository_owner: "acme",
          repository_owner_id: "9001",
          environment: "production",
        })
      const shop = claimsOf(SHOP)
      return Array.from({ length: count }, (_, index) => {
        const payload = base64url({
          ...(of === undefined ? shop : claimsOf(of(index))),
          iss: server.url,
          aud: audience,
          iat: now,
          nbf: now - 600,
          exp: now + 300,
          jti: randomUUID(),
        })
        const input = `${header}.${payload}`
        return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`
      })
    },
    close: () => server.close(),
  }
}
