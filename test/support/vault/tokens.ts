import { randomBytes, randomUUID } from "node:crypto"
import { decodeJwt } from "jose"
import { TokenRefusal, verifyIdentityToken } from "../relying-party.ts"
import { forbidden, noSuchToken, parameters, type VaultAnswer, type VaultCall, VaultRefusal } from "./answers.ts"

/** A role of the JWT auth method: whom it lets in, and what tokens it gives. */
export interface JwtRole {
  /** `oidc`: for people who log in with a browser. `jwt` when left out. */
  readonly roleType?: "jwt" | "oidc"
  /** None: no token with an audience is taken. */
  readonly boundAudiences: readonly string[]
  readonly boundSubject: string
  /** Policies besides `default`. */
  readonly policies: readonly string[]
  readonly ttlSeconds: number
  /** As a renewal may make it, from the login on; 32 days when left out. */
  readonly maxTtlSeconds?: number
  /** No renewal goes beyond it, and the token says so of itself. */
  readonly explicitMaxTtlSeconds?: number
  /** Every renewal is for so long, and there may be any number of them. */
  readonly periodSeconds?: number
  readonly type?: "service" | "batch"
  readonly uses?: number
  readonly noDefaultPolicy?: boolean
}

/** Paths, which may end in `*`, and what a token may do there. */
export type VaultPolicy = Readonly<Record<string, readonly ("read" | "update")[]>>

export interface VaultToken {
  readonly id: string
  readonly accessor: string
  readonly role: string
  readonly policies: readonly string[]
  readonly type: "service" | "batch"
  readonly issuedAt: number
  readonly maxTtlSeconds: number
  readonly explicitMaxTtlSeconds: number
  readonly periodSeconds: number
  expiresAt: number
  usesLeft: number
}

/** What the policy `default` allows, as far as anybody here asks. */
const DEFAULT_POLICY: VaultPolicy = {
  "auth/token/lookup-self": ["read"],
  "auth/token/renew-self": ["update"],
  "auth/token/revoke-self": ["update"],
  "sys/capabilities-self": ["update"],
  "sys/leases/renew": ["update"],
}
const MAX_TTL_SECONDS = 2_764_800
/** How far clocks may differ for `nbf`, `exp` and `iat` (hashicorp/cap, jwt.Expected.ClockSkewLeeway: 60 s unless set). */
const LEEWAY_SECONDS = 60

/** Tokens of a Vault: the JWT auth method that gives them, the policies that bind them, and their own paths. */
export class VaultTokens {
  readonly roles = new Map<string, JwtRole>()
  readonly policies = new Map<string, VaultPolicy>([["default", DEFAULT_POLICY]])
  /** The auth method's `oidc_discovery_url` and `bound_issuer`. */
  issuer: string | null = null
  readonly #tokens = new Map<string, VaultToken>()
  readonly #onEnd: (token: VaultToken) => void

  /** @param onEnd told of every token that ends, whose leases end with it */
  constructor(onEnd: (token: VaultToken) => void) {
    this.#onEnd = onEnd
  }

  async login(call: VaultCall): Promise<VaultAnswer> {
    // Stricter than Vault, which passes over it: who logs in has no token yet.
    if (call.token !== null) throw new VaultRefusal(400, "a header that nobody needs")
    const { role: name, jwt } = parameters(call, { role: "text", jwt: "text" }, ["role", "jwt"])
    if (this.issuer === null) throw new VaultRefusal(400, "could not load configuration")
    const role = this.roles.get(String(name))
    if (!role) throw new VaultRefusal(400, `role "${name}" could not be found`)
    if (role.roleType === "oidc") throw new VaultRefusal(400, "role with oidc role_type is not allowed")
    const isBound = role.boundAudiences.length > 0
    const audiences = isBound ? role.boundAudiences : audiencesSaid(String(jwt))
    const trusted = [{ issuer: this.issuer, audiences }]
    const claims = await verifyIdentityToken(String(jwt), trusted, LEEWAY_SECONDS).catch((error: unknown) => {
      if (!(error instanceof TokenRefusal)) throw error
      // Vault asks for the discovery document before it looks at the token.
      if (error.fault === "keys-unavailable")
        throw new VaultRefusal(400, "error configuring token validator: error creating provider")
      throw new VaultRefusal(400, `error validating token: ${FAULTS[error.fault]}`)
    })
    if (claims.sub !== role.boundSubject) {
      throw new VaultRefusal(400, "error validating token: invalid subject (sub) claim")
    }
    if (!isBound) throw new VaultRefusal(400, "audience claim found in JWT but no audiences bound to the role")
    const token = this.#issue(String(name), role)
    return { auth: authOf(token, Math.ceil((token.expiresAt - token.issuedAt) / 1000)) }
  }

  #issue(name: string, role: JwtRole): VaultToken {
    const { type = "service", uses = 0, noDefaultPolicy = false } = role
    const { explicitMaxTtlSeconds = 0, periodSeconds = 0 } = role
    const maxTtlSeconds = Math.min(role.maxTtlSeconds ?? MAX_TTL_SECONDS, explicitMaxTtlSeconds || MAX_TTL_SECONDS)
    const now = Date.now()
    const token: VaultToken = {
      id: `${type === "batch" ? "b" : "s"}.${randomBytes(18).toString("base64url")}`,
      accessor: type === "batch" ? "" : randomBytes(18).toString("base64url"),
      role: name,
      policies: [...(noDefaultPolicy ? [] : ["default"]), ...role.policies],
      type,
      issuedAt: now,
      maxTtlSeconds,
      explicitMaxTtlSeconds,
      periodSeconds,
      expiresAt: now + Math.min(periodSeconds || role.ttlSeconds, maxTtlSeconds) * 1000,
      usesLeft: uses === 0 ? Number.POSITIVE_INFINITY : uses,
    }
    this.#tokens.set(token.id, token)
    return token
  }

  /** The call's token, if it is good and its policies allow the call. @throws {VaultRefusal} */
  authorise({ token: id, path, method }: VaultCall): VaultToken {
    this.expire()
    const token = this.#tokens.get(id ?? "")
    if (!token) throw noSuchToken()
    token.usesLeft -= 1
    if (token.usesLeft <= 0) this.#end(token)
    if (!this.#capabilities(token, path).includes(method === "GET" ? "read" : "update")) throw forbidden()
    return token
  }

  /** Of the policies' paths the exact one counts before those with a star, and of these the longest. */
  #capabilities(token: VaultToken, path: string): readonly string[] {
    return token.policies.flatMap((name) => {
      const policy = this.policies.get(name) ?? {}
      if (Object.hasOwn(policy, path)) return policy[path] ?? []
      const globs = Object.keys(policy).filter((glob) => glob.endsWith("*") && path.startsWith(glob.slice(0, -1)))
      return policy[globs.sort((a, b) => b.length - a.length)[0] ?? ""] ?? []
    })
  }

  renewSelf(call: VaultCall, token: VaultToken): VaultAnswer {
    const { increment } = parameters(call, { increment: "number" })
    if (token.type === "batch") throw new VaultRefusal(400, "batch tokens cannot be renewed")
    const now = Date.now()
    const most = Math.floor((token.issuedAt + token.maxTtlSeconds * 1000 - now) / 1000)
    const seconds = token.periodSeconds || Math.min(Number(increment ?? most), most)
    token.expiresAt = now + seconds * 1000
    return { auth: authOf(token, seconds) }
  }

  revokeSelf(call: VaultCall, token: VaultToken): VaultAnswer {
    parameters(call, {})
    if (token.type === "batch") throw new VaultRefusal(400, "batch tokens cannot be revoked")
    this.#end(token)
    return null
  }

  lookupSelf(call: VaultCall, token: VaultToken): VaultAnswer {
    parameters(call, {})
    const ttl = Math.floor((token.expiresAt - Date.now()) / 1000)
    const { type, policies, explicitMaxTtlSeconds, periodSeconds } = token
    return {
      data: {
        type,
        policies,
        ttl,
        explicit_max_ttl: explicitMaxTtlSeconds,
        ...(periodSeconds === 0 ? {} : { period: periodSeconds }),
        renewable: type === "service",
        meta: { role: token.role },
        orphan: true,
      },
    }
  }

  capabilitiesSelf(call: VaultCall, token: VaultToken): VaultAnswer {
    // `path` is the old spelling for one, which HashiCorp's client for Go sends.
    const { paths, path: one } = parameters(call, { paths: "texts", path: "text" })
    const wanted = [one ?? paths ?? []].flat().map(String)
    if (wanted.length === 0) throw new VaultRefusal(400, "missing paths")
    const found = wanted.map((path) => {
      const capabilities = this.#capabilities(token, path)
      return [path, capabilities.length === 0 ? ["deny"] : capabilities] as const
    })
    const [first] = found
    const data = { ...Object.fromEntries(found), ...(found.length === 1 ? { capabilities: first?.[1] } : {}) }
    return { data, ...data }
  }

  expire(): void {
    for (const token of this.#tokens.values()) if (token.expiresAt <= Date.now()) this.#end(token)
  }

  #end(token: VaultToken): void {
    this.#tokens.delete(token.id)
    this.#onEnd(token)
  }

  /** Tokens that are good now and can be revoked. */
  alive(): number {
    this.expire()
    return [...this.#tokens.values()].filter(({ type }) => type === "service").length
  }
}

/** The audiences that a token names: with those it is verified where the role has none. */
function audiencesSaid(jwt: string): readonly string[] {
  try {
    return [decodeJwt(jwt).aud ?? []].flat()
  } catch {
    return []
  }
}

const NO_KEYS = "error verifying token signature: fetching keys"

const FAULTS: Readonly<Record<TokenRefusal["fault"], string>> = {
  malformed: "error verifying token signature: oidc: malformed jwt",
  "issuer-unknown": "invalid issuer (iss) claim",
  "keys-unavailable": NO_KEYS,
  "keys-unusable": NO_KEYS,
  signature: "error verifying token signature: failed to verify id token signature",
  audience: "invalid audience (aud) claim: audience claim does not match any expected audience",
  expired: "invalid expiration time (exp) claim: token is expired",
  "not-yet-valid": "invalid not before (nbf) claim: token not yet valid",
}

const authOf = (token: VaultToken, seconds: number) => ({
  client_token: token.id,
  accessor: token.accessor,
  policies: token.policies,
  token_policies: token.policies,
  metadata: { role: token.role },
  lease_duration: seconds,
  renewable: token.type === "service",
  entity_id: randomUUID(),
  token_type: token.type,
  orphan: true,
  mfa_requirement: null,
  num_uses: Number.isFinite(token.usesLeft) ? token.usesLeft : 0,
})
