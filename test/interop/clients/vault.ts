import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { startVault } from "../../support/vault.ts"
import { assertRefused, type StartClientVendor, tokenGrant } from "./vendor.ts"

const AUDIENCE = "https://vault.clients.example"
const OWN_AUDIENCE = "https://own-vault.clients.example"
const [GRANT, TOKEN] = ["clients-vault", "clients-vault-token"]
const settings = { mount: "secret", path: "clients/api", foreign: "others/api", role: "clients-own" }

/** `hvac` and HashiCorp's client for Go with the delivered address and token, and with a login of their own. */
export const startVaultClients: StartClientVendor = async () => {
  const vault = await startVault()
  const key = randomBytes(24).toString("hex")
  vault.engines.put("clients/api", { key })
  vault.engines.put("others/api", { key: "of others" })
  vault.tokens.policies.set("clients", { "secret/data/clients/*": ["read"] })
  return {
    name: "vault",
    connections: { "clients-vault": { provider: "vault", url: vault.url, audience: AUDIENCE, roles: ["clients"] } },
    grants: {
      [GRANT]: { connection: "clients-vault", role: "clients", token: true, ttl: "10m" },
      [TOKEN]: tokenGrant(OWN_AUDIENCE, "VAULT_JWT"),
    },
    secrets: {},
    trust({ issuer, subject }) {
      vault.tokens.issuer = issuer
      const role = { policies: ["clients"], ttlSeconds: 1_200 }
      vault.tokens.roles.set("clients", { ...role, boundAudiences: [AUDIENCE], boundSubject: subject(GRANT) })
      vault.tokens.roles.set("clients-own", { ...role, boundAudiences: [OWN_AUDIENCE], boundSubject: subject(TOKEN) })
    },
    async use({ python, go }, check) {
      for (const [client, told] of [
        ["hvac", await python("vault", settings)],
        ["Vault's client for Go", await go("vault", settings)],
      ] as const) {
        await check(`${client} reads with the delivered VAULT_ADDR and VAULT_TOKEN`, () => {
          assert.deepEqual(told["read"], { key })
          assert.deepEqual(told["lookup"], ["default", "clients"])
        })
        await check(`${client} logs in with the broker's token, and revokes what it got`, () =>
          assert.deepEqual(told["login"], { read: { key }, after: "forbidden" }),
        )
        await check(`${client} tells of a foreign path, a wrong token and a login with another's token`, () => {
          for (const step of ["foreign", "wrongToken"]) assertRefused(told, step, /permission denied/)
          assertRefused(told, "wrongJwt", /error validating token: invalid audience \(aud\) claim/)
        })
      }
    },
    async useAfter({ python }, check) {
      const told = await python("vault", { ...settings, only: ["read"] })
      await check("hvac is refused with the delivered token after the job", () =>
        assertRefused(told, "read", /permission denied/),
      )
    },
    assertClean: () => vault.assertClean(),
    close: () => vault.close(),
  }
}
