import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stringify } from "yaml"
import type { OpenBao } from "./openbao.ts"
import type { Postgres } from "./postgres.ts"

// What OpenBao keeps and mints in this run, whom it lets in, and what the policy of acme/shop offers of it.

const AUDIENCE = "https://vault.acme.example"
const SUBJECT = "github:repository:41:environment:production:grant:"

/** What a job may ask for. Their lifetime is shorter than that of the database's role and of the tokens. */
export const GRANTS = {
  "vault-kv": {
    connection: "vault",
    role: "shop-kv",
    read: {
      SHOP_KEY: "secret/shop/api#key",
      SHOP_OLD_KEY: "secret/shop/api?version=1#key",
      SHOP_PORT: "legacy/shop#port",
      SHOP_ODD: "secret/shop/odd@name=a,b~c:d+e#key",
    },
    read_all: { from: "secret/shop/whole?version=1", prefix: "SHOP_WHOLE_" },
  },
  "vault-database": database("shop-database"),
  "vault-frugal": database("shop-frugal"),
  "vault-token": { connection: "vault", role: "shop-token", token: true, ttl: "10m" },
  "vault-tls": {
    connection: "vault",
    role: "shop-tls",
    dynamic: "pki/issue/web",
    parameters: { common_name: "shop.acme.example" },
    env: { SHOP_TLS_CERTIFICATE: "certificate", SHOP_TLS_KEY: "private_key", SHOP_TLS_CHAIN: "ca_chain" },
    ttl: "10m",
  },
  "vault-whole-1": { connection: "vault", role: "shop-kv", read_all: { from: "legacy/whole", prefix: "SHOP_" } },
  "vault-clash": { connection: "vault", role: "shop-kv", read_all: { from: "secret/shop/clash", prefix: "SHOP_" } },
  "vault-editor": { connection: "vault", role: "shop-kv", read_all: { from: "secret/shop/whole", prefix: "SHOP_" } },
  "vault-deleted": { connection: "vault", role: "shop-kv", read: { SHOP_GONE: "secret/shop/gone?version=1#key" } },
  "vault-stranger": database("shop-stranger"),
  "vault-periodic": { connection: "vault", role: "shop-periodic", token: true, ttl: "10m" },
  "vault-hard-end": { connection: "vault", role: "shop-hard-end", token: true, ttl: "10m" },
  // What two KV engines keep that the connection does not list as such.
  "vault-kept-1": kept("notes/shop", "pin"),
  "vault-kept-2": kept("papers/data/shop", "data"),
}

function kept(dynamic: string, field: string) {
  return { connection: "vault", role: "shop-kept", dynamic, env: { SHOP_KEPT: field } }
}

function database(role: string) {
  const env = { PGUSER: "username", PGPASSWORD: "password" }
  return { connection: "vault", role, dynamic: "database/creds/shop-rw", env, ttl: "10m" }
}

/** Writes the organisation file and the one policy into `folder`. */
export function writeVaultPolicies(folder: string, at: { readonly issuer: string; readonly url: string }): void {
  mkdirSync(join(folder, "acme/shop"), { recursive: true })
  const organisation = {
    version: 1,
    issuers: { github: { family: "github-actions", url: at.issuer, owners: { acme: "9001" } } },
    connections: {
      operators: { provider: "broker", may: ["policies.read"] },
      vault: {
        provider: "vault",
        url: at.url,
        audience: AUDIENCE,
        // Those in full are asked by the doctor: one that trusts the broker, and one that OpenBao does not have.
        roles: ["shop-*", "shop-kv", "shop-nowhere"],
        kv: { secret: 2, legacy: 1 },
        dynamic: { "database/creds/*": {}, "pki/issue/*": { ttl_parameter: "ttl" }, "notes/*": {}, "papers/**": {} },
      },
    },
  }
  const operators = { connection: "operators", may: ["policies.read"] }
  const policy = {
    version: 1,
    repository: "acme/shop",
    repository_id: "41",
    environment: "production",
    allow: [
      {
        name: "main",
        when: { ref: "refs/heads/main", event_name: "push" },
        grants: [...Object.keys(GRANTS), "doctor"],
      },
    ],
    grants: { ...GRANTS, doctor: operators },
  }
  writeFileSync(join(folder, "daypass.yaml"), stringify(organisation))
  writeFileSync(join(folder, "acme/shop/production.yaml"), stringify(policy))
}

/** Sets OpenBao up as the provider's page says, and the database for it to make users in. */
export async function setUp(bao: OpenBao, postgres: Postgres, broker: string): Promise<void> {
  await keepSecrets(bao)
  await setUpDatabase(bao, postgres)
  await setUpCertificates(bao)
  await trust(bao, broker)
}

async function keepSecrets(bao: OpenBao): Promise<void> {
  await bao.set("sys/mounts/legacy", { type: "kv", options: { version: "1" } })
  await bao.set("legacy/shop", { port: 5432 })
  for (const key of ["the first key", "the second key"]) await bao.set("secret/data/shop/api", { data: { key } })
  await bao.set(`secret/data/shop/${encodeURIComponent("odd@name=a,b~c:d+e")}`, { data: { key: "an odd name" } })
  await bao.set("secret/data/shop/whole", { data: { "api-key": "a whole one", apiUrl: "https://x", port: 5432 } })
  await bao.set("secret/data/shop/whole", { data: { "api-key": "a whole one", editor: "sh -c id" } })
  await bao.set("secret/data/shop/clash", { data: { apiKey: "one", "api-key": "two" } })
  await bao.set("legacy/whole", { user: "of version 1" })
  await bao.set("secret/data/shop/gone", { data: { key: "gone" } })
  await bao.set("secret/delete/shop/gone", { versions: [1] })
  await bao.set("sys/mounts/notes", { type: "kv", options: { version: "1" } })
  await bao.set("notes/shop", { pin: "4711", ttl: "5m" })
  await bao.set("sys/mounts/papers", { type: "kv", options: { version: "2" } })
  await bao.set("papers/data/shop", { data: { pin: "4711" } })
}

async function setUpDatabase(bao: OpenBao, { port, user, password }: Postgres): Promise<void> {
  await bao.set("sys/mounts/database", { type: "database" })
  await bao.set("database/config/shop", {
    plugin_name: "postgresql-database-plugin",
    allowed_roles: ["shop-rw"],
    connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/postgres?sslmode=disable`,
    username: user,
    password,
  })
  await bao.set("database/roles/shop-rw", {
    db_name: "shop",
    creation_statements: [`CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`],
    default_ttl: "1h",
    max_ttl: "24h",
  })
}

async function setUpCertificates(bao: OpenBao): Promise<void> {
  await bao.set("sys/mounts/pki", { type: "pki" })
  await bao.set("pki/root/generate/internal", { common_name: "Acme", ttl: "24h" })
  await bao.set("pki/roles/web", {
    allowed_domains: ["acme.example"],
    allow_subdomains: true,
    key_type: "ec",
    key_bits: 256,
    max_ttl: "12h",
  })
}

/** Whom OpenBao lets in: the broker, for one grant a role. */
async function trust(bao: OpenBao, broker: string): Promise<void> {
  await bao.set("sys/auth/jwt", { type: "jwt" })
  await bao.set("auth/jwt/config", { oidc_discovery_url: broker, bound_issuer: broker })
  const policies = {
    "shop-kv": 'path "secret/data/shop/*" { capabilities = ["read"] }\npath "legacy/*" { capabilities = ["read"] }',
    "shop-database":
      'path "database/creds/shop-rw" { capabilities = ["read"] }\npath "sys/leases/revoke" { capabilities = ["update"] }',
    "shop-frugal": 'path "database/creds/shop-rw" { capabilities = ["read"] }',
    "shop-kept": 'path "notes/shop" { capabilities = ["read"] }\npath "papers/data/shop" { capabilities = ["read"] }',
    "shop-tls": 'path "pki/issue/web" { capabilities = ["update"] }',
  }
  for (const [name, policy] of Object.entries(policies)) await bao.set(`sys/policies/acl/${name}`, { policy })
  const role = (name: string, grant: string, more: object) =>
    bao.set(`auth/jwt/role/${name}`, {
      role_type: "jwt",
      user_claim: "sub",
      bound_audiences: [AUDIENCE],
      bound_subject: `${SUBJECT}${grant}`,
      token_ttl: "20m",
      ...more,
    })
  await role("shop-database", "vault-database", { token_policies: ["shop-database"] })
  await role("shop-frugal", "vault-frugal", { token_policies: ["shop-frugal"] })
  await role("shop-token", "vault-token", { token_policies: ["shop-kv"] })
  await role("shop-tls", "vault-tls", { token_policies: ["shop-tls"] })
  await role("shop-stranger", "somebody-else", { token_policies: ["shop-database"] })
  await role("shop-periodic", "vault-periodic", { token_policies: ["shop-kv"], token_period: "10m" })
  await role("shop-hard-end", "vault-hard-end", { token_policies: ["shop-kv"], token_explicit_max_ttl: "15m" })
  await role("shop-kept", "", {
    token_policies: ["shop-kept"],
    bound_subject: undefined,
    bound_claims: { sub: [`${SUBJECT}vault-kept-1`, `${SUBJECT}vault-kept-2`] },
  })
  // For several grants, and for reading alone: batch tokens need no storage and no revoking.
  await role("shop-kv", "vault-kv", {
    token_policies: ["shop-kv"],
    token_type: "batch",
    bound_subject: undefined,
    bound_claims: {
      sub: ["kv", "whole-1", "clash", "editor", "deleted"].map((grant) => `${SUBJECT}vault-${grant}`),
    },
  })
}
