import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { startKeyVault } from "../../support/azure/key-vault.ts"
import { startAzure } from "../../support/azure.ts"
import { startTlsFront } from "./tls-front.ts"
import { assertRefused, type StartClientVendor } from "./vendor.ts"

const CLIENT = "3f7a2c58-9b14-4d06-a1e2-5c80d7f64b93"
const AUDIENCE = "api://AzureADTokenExchange"
const OLD_VERSION = "4387e9f3d6e14c459867679a90fd0f79"
const [TERRAFORM, STORE] = ["clients-azure", "clients-key-vault"]

/** `@azure/identity` with the federated token that Daypass delivered, and Key Vault's client with what that gives. */
export const startAzureClients: StartClientVendor = async ({ certificate }) => {
  const azure = await startAzure()
  const vault = await startKeyVault(azure)
  const [login, keys] = [await startTlsFront(azure.url, certificate), await startTlsFront(vault.url, certificate)]
  const [value, old] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")]
  vault.addSecret("clients-key", { value: old, version: OLD_VERSION }, { value })
  vault.addSecret("others-key", { value: "of others" })
  vault.assign({ clientId: CLIENT, secret: "clients-key" })
  const settings = { tenant: azure.tenant, authority: login.url }
  return {
    name: "azure",
    connections: {
      "clients-azure": { provider: "azure", client_ids: [CLIENT], federated_tokens: true, ...settings },
      "clients-key-vault": {
        provider: "azure-key-vault",
        client_id: CLIENT,
        url: vault.url,
        ...settings,
        authority: azure.url,
      },
    },
    grants: {
      [TERRAFORM]: { connection: "clients-azure", client_id: CLIENT, hand_over: "federated-token", ttl: "90m" },
      [STORE]: { connection: "clients-key-vault", read: { CLIENTS_KEY_VAULT: "clients-key" } },
    },
    secrets: {},
    trust({ issuer, subject }) {
      const credentials = [TERRAFORM, STORE].map((grant) => ({ issuer, subject: subject(grant), audience: AUDIENCE }))
      azure.addClient({ clientId: CLIENT, credentials })
    },
    async use({ run, folder, node }, check) {
      const wrongTokenFile = join(folder, "azure-token")
      writeFileSync(wrongTokenFile, run.env["OTHER_JWT"] ?? "")
      const told = await node(
        "azure",
        {
          vault: keys.url,
          secret: "clients-key",
          old: OLD_VERSION,
          foreign: "others-key",
          none: "clients-none",
          wrongTokenFile,
        },
        { NODE_EXTRA_CA_CERTS: certificate.authority },
      )
      await check("@azure/identity logs in by the delivered variables and file, and Key Vault's client reads", () => {
        assert.equal(told["secret"], value)
        assert.equal(told["old"], old)
      })
      await check("Key Vault's client and Daypass read the same", () =>
        assert.equal(run.env["CLIENTS_KEY_VAULT"], told["secret"]),
      )
      await check("Key Vault's client tells of a secret that the client may not read, be it there or not", () => {
        assertRefused(told, "foreign", /^RestError Forbidden /)
        assertRefused(told, "none", /^RestError Forbidden /)
      })
      await check("@azure/identity tells Entra's reason for a token of another subject", () =>
        assertRefused(told, "wrongToken", /^AuthenticationRequiredError .*AADSTS700212: /),
      )
    },
    assertClean() {
      azure.assertClean()
      vault.assertClean()
    },
    async close() {
      await login.close()
      await keys.close()
      await vault.close()
      await azure.close()
    },
  }
}
