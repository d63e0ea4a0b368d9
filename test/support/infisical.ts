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
/** What Infisical's SDKs for Node and Go send to version 3 besides. Their spelling of the imports has no meaning there. */
const SDK_PARAMETERS = [...OPTIONAL_PARAMETERS, "secretName", "includeImports", "recursive", "workspaceSlug"]
/** What version 4 takes for all of a folder. Newer servers spell the imports in the second way. */
const LIST_PARAMETERS = [
  ...OPTIONAL_PARAMETERS.filter((name) => name !== "type"),
  ...["recursive", "includeImports", "includePersonalOverrides"],
]
/** The API for one secret or all of a folder in version 4, and the same in version 3, which the SDKs call. */
const ROUTES = [
  { path: /^\/api\/v4\/secrets\/([^/]+)$/, project: "projectId", optional: OPTIONAL_PARAMETERS },
  { path: /^\/api\/v4\/secrets$/, project: "projectId", optional: LIST_PARAMETERS },
  { path: /^\/api\/v3\/secrets\/raw(?:\/([^/]+))?$/, project: "workspaceId", optional: SDK_PARAMETERS },
] as const
/** `${NAME}` of the same folder, `${ENVIRONMENT.FOLDER.NAME}` of any other in the project. */
const REFERENCE = /\$\{([A-Za-z0-9_.-]+)\}/g

/** Starts a stand-in for Infisical: the login with OIDC Auth, and secrets by their names (API versions 3 and 4). */
export async function startInfisical(): Promise<Infisical> {
  const identities = new Map<string, InfisicalIdentity>()
  const secrets = new Map<string, string>()
  const logins = new Logins<InfisicalIdentity>()
  let mayBePrivate = true

  const server = await startStoreServer("Infisical", async (ask) => {
    if (ask.method === "POST" && ask.path === "/api/v1/auth/oidc-auth/login") return logIn(ask)
    const route = ROUTES.find(({ path }) => ask.method === "GET" && path.test(ask.path))
    return route === undefined ? null : read(ask, route)
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

  function read(ask: Ask, { path, project, optional }: (typeof ROUTES)[number]): StoreAnswer | null {
    const { query } = ask
    const named = path.exec(ask.path)?.[1]
    const secretKey = named === undefined ? null : decodeURIComponent(named)
    if (!hasAtLeast(query, [project, "environment"], optional)) return null
    const [projectId, environment, secretPath = "/"] = [project, "environment", "secretPath"].map(
      (key) => query.get(key) ?? undefined,
    )
    if (!secretPath.startsWith("/") || (secretPath !== "/" && secretPath.endsWith("/"))) return null
    // A slash in one of these would make another folder's name of them.
    if ([projectId, environment, secretKey ?? "all"].some((part) => !part || part.includes("/")))
      return refused(422, "ValidationFailure", "A project, an environment and a name are slugs")
    const isPlain = ["include_imports", "includeImports", "recursive", "includePersonalOverrides"].every(
      (name) => query.get(name) !== "true",
    )
    if ((query.get("type") ?? "shared") !== "shared" || !isPlain) return null
    if (logins.hasExpired(bearerOf(ask) ?? ""))
      return refused(403, "TokenError", "Your token has expired. Please re-authenticate.")
    const identity = logins.holder(bearerOf(ask) ?? "")
    if (identity === undefined) return refused(401, "UnauthorizedError", "Token is not valid")
    const folder = `${projectId}/${environment}${secretPath === "/" ? "" : secretPath}/`
    const mayRead = (place: string) => identity.reads.some((prefix) => place.startsWith(prefix))
    if (!mayRead(folder)) return refused(403, "PermissionDenied", "You are not allowed to read on secrets")
    const isExpanded = query.get("expandSecretReferences") === "true"
    const isHidden = query.get("viewSecretValue") === "false"
    const placeOf = (reference: string) =>
      reference.includes(".") ? `${projectId}/${reference.replaceAll(".", "/")}` : `${folder}${reference}`
    const bodyOf = (name: string, stored: string) => {
      const value = isExpanded
        ? stored.replace(REFERENCE, (whole, reference: string) => secrets.get(placeOf(reference)) ?? whole)
        : stored
      const place = { workspace: projectId, environment, secretPath, secretKey: name, type: "shared", version: 1 }
      const shown = { secretValue: isHidden ? "<hidden-by-infisical>" : value, secretValueHidden: isHidden }
      return { id: randomUUID(), _id: randomUUID(), ...place, ...shown, secretComment: "" }
    }
    const found = [...secrets]
      .map(([place, stored]) => ({ name: place.slice(folder.length), place, stored }))
      .filter(({ place, name }) => place.startsWith(folder) && !name.includes("/") && [name, null].includes(secretKey))
    const referred = found.flatMap(({ stored }) => (isExpanded ? [...stored.matchAll(REFERENCE)] : []))
    if (!referred.every(([, reference = ""]) => mayRead(placeOf(reference))))
      return refused(403, "PermissionDenied", "You are not allowed to read a reference")
    const bodies = found.map(({ name, stored }) => bodyOf(name, stored))
    if (secretKey === null) return json(200, { secrets: bodies, imports: [] })
    const [secret] = bodies
    return secret ? json(200, { secret }) : refused(404, "NotFound", `Secret with name '${secretKey}' not found`)
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
