import { randomBytes, randomUUID } from "node:crypto"
import { decodeJwt } from "jose"
import { TokenRefusal, verifyIdentityToken } from "./relying-party.ts"
import {
  type Ask,
  bearerOf,
  hasAtLeast,
  hasExactly,
  json,
  Logins,
  type StoreAnswer,
  type StoreServer,
  startStoreServer,
  textsIn,
} from "./store-server.ts"

/** A machine identity with OIDC Auth, and what it may read: prefixes of places, as `PROJECT/prod/payments/`. */
export interface InfisicalIdentity {
  readonly id: string
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly reads: readonly string[]
}

export interface Infisical extends StoreServer {
  /** Makes an identity exist; one with the same id is replaced. */
  addIdentity(identity: InfisicalIdentity): void
  /** Makes a secret exist, at `PROJECT/ENVIRONMENT/[FOLDER/...]NAME`. */
  addSecret(place: string, value: string): void
  /** Refuses issuers at private addresses, as servers do without ALLOW_INTERNAL_IP_CONNECTIONS. */
  refusePrivateAddresses(): void
  /** Ends all logins, as revoked tokens end. */
  endLogins(): void
}

const LOGIN_SECONDS = 7_200
const OPTIONAL_PARAMETERS = ["secretPath", "type", "viewSecretValue", "expandSecretReferences", "include_imports"]
/** The versions of the API for one secret: 4, and 3, which Infisical's SDKs call. */
const VERSIONS = [
  { path: /^\/api\/v4\/secrets\/([^/]+)$/, project: "projectId" },
  { path: /^\/api\/v3\/secrets\/raw\/([^/]+)$/, project: "workspaceId" },
] as const
/** `${NAME}` of the same folder, `${ENVIRONMENT.FOLDER.NAME}` of any other in the project. */
const REFERENCE = /\$\{([A-Za-z0-9_.-]+)\}/g

/** Starts a stand-in for Infisical: the login with OIDC Auth, and one secret by its name (API versions 3 and 4). */
export async function startInfisical(): Promise<Infisical> {
  const identities = new Map<string, InfisicalIdentity>()
  const secrets = new Map<string, string>()
  const logins = new Logins<InfisicalIdentity>()
  let mayBePrivate = true

  const server = await startStoreServer("Infisical", async (ask) => {
    if (ask.method === "POST" && ask.path === "/api/v1/auth/oidc-auth/login") return logIn(ask)
    for (const { path, project } of VERSIONS) {
      const name = path.exec(ask.path)?.[1]
      if (ask.method === "GET" && name !== undefined) return read(ask, decodeURIComponent(name), project)
    }
    return null
  })

  async function logIn(ask: Ask): Promise<StoreAnswer | null> {
    const sent = textsIn(ask, "identityId", "jwt")
    if (sent === null || !hasExactly(ask.query) || ask.headers.authorization !== undefined) return null
    const identity = identities.get(sent.identityId)
    if (identity === undefined) return refused(404, "NotFound", "OIDC auth method not found for identity")
    const { issuer, audience, subject } = identity
    if (!mayBePrivate) return refused(400, "BadRequest", "Local IPs not allowed as URL")
    try {
      // The subject comes before the audience.
      const { sub, aud } = await verifyIdentityToken(sent.jwt, [{ issuer, audiences: [audienceSaid(sent.jwt)] }])
      if (sub !== subject) return refused(403, "ForbiddenRequestError", "Access denied: OIDC subject not allowed.")
      if (aud !== audience) return refused(401, "UnauthorizedError", "Access denied: OIDC audience not allowed.")
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error
      return refused(401, "UnauthorizedError", `Access denied: ${error.fault}`)
    }
    const accessToken = randomBytes(48).toString("base64url")
    logins.add(accessToken, identity, LOGIN_SECONDS)
    return json(200, { accessToken, expiresIn: LOGIN_SECONDS, accessTokenMaxTTL: LOGIN_SECONDS, tokenType: "Bearer" })
  }

  function read(ask: Ask, secretKey: string, project: "projectId" | "workspaceId"): StoreAnswer | null {
    const { query } = ask
    if (!hasAtLeast(query, [project, "environment"], OPTIONAL_PARAMETERS)) return null
    const [projectId, environment, secretPath = "/"] = [project, "environment", "secretPath"].map(
      (key) => query.get(key) ?? undefined,
    )
    if (!secretPath.startsWith("/") || (secretPath !== "/" && secretPath.endsWith("/"))) return null
    // A slash in one of these would make another folder's name of them.
    if ([projectId, environment, secretKey].some((part) => !part || part.includes("/")))
      return refused(422, "ValidationFailure", "A project, an environment and a name are slugs")
    if ((query.get("type") ?? "shared") !== "shared" || query.get("include_imports") === "true") return null
    if (logins.hasExpired(bearerOf(ask) ?? ""))
      return refused(403, "TokenError", "Your token has expired. Please re-authenticate.")
    const identity = logins.holder(bearerOf(ask) ?? "")
    if (identity === undefined) return refused(401, "UnauthorizedError", "Token is not valid")
    const folder = `${projectId}/${environment}${secretPath === "/" ? "" : secretPath}/`
    const mayRead = (place: string) => identity.reads.some((prefix) => place.startsWith(prefix))
    if (!mayRead(folder)) return refused(403, "PermissionDenied", "You are not allowed to read on secrets")
    const stored = secrets.get(`${folder}${secretKey}`)
    if (stored === undefined) return refused(404, "NotFound", `Secret with name '${secretKey}' not found`)
    const isExpanded = query.get("expandSecretReferences") === "true"
    const isHidden = query.get("viewSecretValue") === "false"
    const placeOf = (reference: string) =>
      reference.includes(".") ? `${projectId}/${reference.replaceAll(".", "/")}` : `${folder}${reference}`
    const referred = isExpanded ? [...stored.matchAll(REFERENCE)].map(([, reference = ""]) => placeOf(reference)) : []
    if (!referred.every(mayRead)) return refused(403, "PermissionDenied", "You are not allowed to read a reference")
    const secretValue = isExpanded
      ? stored.replace(REFERENCE, (whole, reference: string) => secrets.get(placeOf(reference)) ?? whole)
      : stored
    return json(200, {
      secret: {
        id: randomUUID(),
        _id: randomUUID(),
        workspace: projectId,
        environment,
        secretPath,
        secretKey,
        type: "shared",
        version: 1,
        secretValue: isHidden ? "<hidden-by-infisical>" : secretValue,
        secretValueHidden: isHidden,
        secretComment: "",
      },
    })
  }

  return {
    ...server,
    addIdentity: (identity) => void identities.set(identity.id, identity),
    addSecret: (place, value) => void secrets.set(place, value),
    refusePrivateAddresses() {
      mayBePrivate = false
    },
    endLogins: () => logins.end(),
  }
}

/** The audience that a token names; empty for what is no token, or names several. */
function audienceSaid(token: string): string {
  try {
    const { aud } = decodeJwt(token)
    return typeof aud === "string" ? aud : ""
  } catch {
    return ""
  }
}

const refused = (statusCode: number, error: string, message: string) =>
  json(statusCode, { reqId: `req-${randomUUID()}`, statusCode, message, error })
