import { FOREIGN_TEXT, type Reply } from "../case.ts"

// Vault's answers in the recorded stories, with the members that OpenBao 2.7 and Vault 1.17 send.

export const URL = "https://vault.acme.example:8200"
export const connection = {
  url: URL,
  roles: ["shop-*"],
  kv: { secret: 2, "team/kv": 2, legacy: 1 },
  dynamic: {
    "database/creds/*": {},
    "aws/creds/deploy": {},
    "gcp/roleset/*/token": {},
    "pki/issue/*": { ttl_parameter: "ttl" },
    "ssh/issue/*": {},
  },
}
export const LOGIN_TOKEN = "s.canaryOfTheLoginToken0000"

const json = (status: number, body: unknown): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
})

/** An answer with everything that Vault wraps its data in. */
export const answer = (parts: Readonly<Record<string, unknown>>, status = 200): Reply =>
  json(status, {
    request_id: "3645409b-b7e2-377c-b638-35e63215c8b2",
    lease_id: "",
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: null,
    warnings: [FOREIGN_TEXT],
    auth: null,
    ...parts,
  })

/** A refusal, with Vault's words around ours. */
export const errors = (status: number, ...phrases: readonly string[]): Reply =>
  json(status, { errors: phrases.map((phrase) => `${phrase} ${FOREIGN_TEXT}`) })

/** A refusal with exactly these texts, for refusals that are distinguished by the whole text. */
export const exactly = (status: number, ...phrases: readonly string[]): Reply => json(status, { errors: phrases })

export const done: Reply = { status: 204, headers: { "content-type": "application/json" }, body: "" }

const auth = {
  client_token: LOGIN_TOKEN,
  accessor: "OTBZk1L6zZk2IqR3A5zABb6F",
  policies: ["default", "shop"],
  token_policies: ["default", "shop"],
  metadata: { role: "shop-deploy" },
  lease_duration: 900,
  renewable: true,
  entity_id: "f3e9b664-3532-3d3c-76cf-bc96c322e5b6",
  token_type: "service",
  orphan: true,
  mfa_requirement: null,
  num_uses: 0,
}

export const loggedIn = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  answer({ auth: { ...auth, ...change } })

export const mayRevokeItself = answer({ data: { "auth/token/revoke-self": ["update"] } })
export const itself = answer({ data: { type: "service", ttl: 900, explicit_max_ttl: 0 } })
/** The two answers before the mint, when the login lives as long as granted. */
export const held: readonly Reply[] = [mayRevokeItself, itself]

export const LOGIN = {
  method: "POST",
  url: `${URL}/v1/auth/jwt/login`,
  headers: { "x-vault-request": "true", "content-type": "application/json" },
  bodyHolds: ['"role":"shop-deploy"', '"jwt":"'],
} as const

export const withToken = { "x-vault-request": "true", "x-vault-token": LOGIN_TOKEN } as const
export const REVOKE_SELF = { method: "POST", url: `${URL}/v1/auth/token/revoke-self`, headers: withToken } as const
export const CAPABILITIES = {
  method: "POST",
  url: `${URL}/v1/sys/capabilities-self`,
  headers: withToken,
  bodyHolds: ["auth/token/revoke-self"],
} as const
export const LOOKUP = { method: "GET", url: `${URL}/v1/auth/token/lookup-self`, headers: withToken } as const

// A user of a database, as the database engine mints one.

export const LEASE = "database/creds/shop-rw/i5TFvR1R1cS6OYHw6DFfPqS0"
export const request = {
  connection,
  grant: {
    role: "shop-deploy",
    dynamic: "database/creds/shop-rw",
    env: { PGUSER: "username", PGPASSWORD: "password" },
  },
  ttlSeconds: 900,
}
export const data = { username: "v-jwt-repo-shop-rw-Aalm", password: "Of-sBGBVA3YVGq3gR7Qx" }

export const minted = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  answer({ lease_id: LEASE, renewable: true, lease_duration: 900, data, ...change })

export const values = {
  PGUSER: { secret: true, env: "PGUSER", value: data.username },
  PGPASSWORD: { secret: true, env: "PGPASSWORD", value: data.password },
} as const
export const revocable = { values, revocation: "revocable", expiresAt: "2026-11-22T12:15:00.000Z" } as const

export const REVOKE = {
  method: "POST",
  url: `${URL}/v1/sys/leases/revoke`,
  headers: withToken,
  bodyHolds: [LEASE, '"sync":true'],
} as const
