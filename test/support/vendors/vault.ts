import { randomBytes } from "node:crypto"
import { startVault } from "../vault.ts"
import type { StartVendor } from "../vendor.ts"
import { expiresOnly, revoked } from "./end-of-job.ts"

const AUDIENCE = "https://vault.acme.example"
const DATABASE_TTL_SECONDS = 600

/** A Vault with a secret to read, a database whose users it makes, and tokens of its own. */
export const startVaultVendor: StartVendor = async () => {
  const vault = await startVault()
  const { tokens, engines } = vault
  const apiKey = randomBytes(24).toString("base64url")
  engines.put("shop/api", { key: "of version 1" })
  engines.put("shop/api", { key: apiKey })
  engines.putLegacy("shop", { pin: 4711 })
  const whole = { "api-key": randomBytes(24).toString("base64url"), port: 5432 }
  engines.put("shop/whole", whole)
  // Longer than is granted, so that the broker has to shorten it.
  engines.databaseRoles.set("shop-rw", { ttlSeconds: 3_600, maxTtlSeconds: 86_400 })
  tokens.policies.set("shop-read", { "secret/data/shop/*": ["read"], "legacy/shop": ["read"] })
  tokens.policies.set("shop-database", { "database/creds/shop-rw": ["read"], "sys/leases/revoke": ["update"] })

  let user = { username: "", password: "" }

  return {
    name: "vault",
    gives: "secrets of Vault, a database user that it makes, and a Vault token",
    connections: {
      vault: {
        provider: "vault",
        url: vault.url,
        audience: AUDIENCE,
        roles: ["shop-*"],
        kv: { secret: 2, legacy: 1 },
        dynamic: { "database/creds/*": {} },
      },
    },
    grants: {
      "vault-kv": {
        connection: "vault",
        role: "shop-kv",
        read: {
          SHOP_API_KEY: "secret/shop/api#key",
          SHOP_OLD_API_KEY: "secret/shop/api?version=1#key",
          SHOP_PIN: "legacy/shop#pin",
        },
        read_all: { from: "secret/shop/whole", prefix: "SHOP_WHOLE_" },
      },
      "vault-database": {
        connection: "vault",
        role: "shop-database",
        dynamic: "database/creds/shop-rw",
        env: { SHOP_DB_USER: "username", SHOP_DB_PASSWORD: "password" },
        ttl: "10m",
      },
      "vault-token": { connection: "vault", role: "shop-token", token: true, ttl: "10m" },
    },
    secrets: {},
    trust({ issuer, subject }) {
      tokens.issuer = issuer
      const role = (grant: string) => ({ boundAudiences: [AUDIENCE], boundSubject: subject(grant), ttlSeconds: 1_200 })
      tokens.roles.set("shop-kv", { ...role("vault-kv"), policies: ["shop-read"], type: "batch" })
      tokens.roles.set("shop-database", { ...role("vault-database"), policies: ["shop-database"] })
      tokens.roles.set("shop-token", { ...role("vault-token"), policies: ["shop-read"] })
    },
    async check({ env }) {
      user = { username: env["SHOP_DB_USER"] ?? "", password: env["SHOP_DB_PASSWORD"] ?? "" }
      const read = await readWith(vault.url, env["VAULT_TOKEN"] ?? "")
      const renewed = await renewWith(vault.url, env["VAULT_TOKEN"] ?? "")
      return [
        ["the secrets that Vault keeps are in the job", env["SHOP_API_KEY"] === apiKey && env["SHOP_PIN"] === "4711"],
        [
          "a whole secret is in the job, each field by its name",
          env["SHOP_WHOLE_API_KEY"] === whole["api-key"] && env["SHOP_WHOLE_PORT"] === "5432",
        ],
        ["an older version is read where the grant asks for it", env["SHOP_OLD_API_KEY"] === "of version 1"],
        ["the database lets the user in that Vault made", engines.letsIn(user)],
        ["its lease is as long as was granted", engines.leases.every((left) => left <= DATABASE_TTL_SECONDS)],
        ["the job's Vault token reads what its policies allow", read === apiKey],
        ["the job can renew it, which will not keep it", renewed],
      ]
    },
    checkEnd({ log }) {
      return [
        revoked(log, "vault-database", "vault-token"),
        expiresOnly(log, "vault-kv"),
        ["the database lets the user in no more", !engines.letsIn(user)],
        ["no lease and no token of the job's is left", vault.alive() === 0],
      ]
    },
    fail: (how) => vault.fail(how),
    requests: vault.requests,
    alive: () => vault.alive(),
    assertClean: () => vault.assertClean(),
    close: () => vault.close(),
  }
}

/** What a job does with its token, as `vault kv get` does. */
async function readWith(url: string, token: string): Promise<unknown> {
  const headers = { "X-Vault-Request": "true", "X-Vault-Token": token }
  const answer = await fetch(`${url}/v1/secret/data/shop/api`, { headers })
  const body = (await answer.json()) as { readonly data?: { readonly data?: { readonly key?: unknown } } }
  return body.data?.data?.key
}

/** What a job may do that wants its token for longer, as `vault token renew` does. Whether it could. */
async function renewWith(url: string, token: string): Promise<boolean> {
  const headers = { "X-Vault-Request": "true", "X-Vault-Token": token, "Content-Type": "application/json" }
  const body = JSON.stringify({ increment: 86_400 })
  return (await fetch(`${url}/v1/auth/token/renew-self`, { method: "POST", headers, body })).ok
}
