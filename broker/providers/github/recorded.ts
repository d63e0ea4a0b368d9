// The answers of GitHub for cases.ts. Tests only: never in a bundle.
import { FOREIGN_TEXT, type Reply } from "../case.ts"

const API = "https://api.github.com"
export const FIND = `${API}/users/acme/installation`
export const GIVE = `${API}/app/installations/51000000/access_tokens`
export const END = `${API}/installation/token`

/** Generated for each run: scanners would report a private key in a file. */
async function makeKey(): Promise<string> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]) }
  const pair = await crypto.subtle.generateKey({ ...algorithm, modulusLength: 2048 }, true, ["sign", "verify"])
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey))
  return `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...der))}\n-----END PRIVATE KEY-----`
}

export const secrets = { ACME_DEPLOY_APP_KEY: await makeKey() }
export const connection = { app_id: "730001", key: "env:ACME_DEPLOY_APP_KEY", owner: "acme", owner_id: "9001" }
export const grant = { repositories: ["shop", "docs"], permissions: { contents: "write", pull_requests: "read" } }
/** The request of most stories. */
export const request = { connection, grant, secrets, ttlSeconds: 600 }

/** As long as the tokens that GitHub began to issue in 2026. */
export const TOKEN = `ghs_730001_${"Ab1".repeat(60)}.${"cD2_".repeat(60)}.${"eF3".repeat(40)}`

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body),
})

export const installation = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  json(200, {
    id: 51000000,
    account: { login: "acme", id: 9001, type: "Organization" },
    app_slug: FOREIGN_TEXT,
    permissions: { metadata: "read", contents: "write", pull_requests: "write" },
    repository_selection: "selected",
    suspended_at: null,
    ...change,
  })

export const repository = (id: number, name: string, owner = { login: "acme", id: 9001 }) => ({
  id,
  name,
  full_name: `${owner.login}/${name}`,
  owner,
  description: FOREIGN_TEXT,
})
export const SHOP = repository(41, "shop")
export const DOCS = repository(42, "Docs")

export const given = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  json(201, {
    token: TOKEN,
    expires_at: "2026-11-22T13:00:00Z",
    permissions: { contents: "write", pull_requests: "read", metadata: "read" },
    repository_selection: "selected",
    repositories: [SHOP, DOCS],
    ...change,
  })

export const refused = (
  status: number,
  message: string = FOREIGN_TEXT,
  headers: Readonly<Record<string, string>> = {},
) => json(status, { message, documentation_url: FOREIGN_TEXT, status: String(status) }, headers)

export const ended: Reply = { status: 204, body: "" }
export const gone = refused(401, "Bad credentials")

export const minted = {
  values: { token: { secret: true, env: "GH_TOKEN", value: TOKEN } },
  revocation: "revocable",
  expiresAt: "2026-11-22T13:00:00.000Z",
} as const
