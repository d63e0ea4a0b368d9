import { startKeyVault } from "../azure/key-vault.ts"
import { startAzure } from "../azure.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const CLIENT = "6e1f4a7d-90c2-4b35-8f6e-d27a5b83c019"
const AUDIENCE = "api://AzureADTokenExchange"
const GRANT = "azure-key-vault-app"
const DATABASE_URL = "postgres://tools:s3cr3t-azure@db.example.com/tools"
const OLD_URL = "postgres://tools:former-azure@db.example.com/tools"
const OLD_VERSION = "4387e9f3d6e14c459867679a90fd0f79"
const KEY = '{"type":"deploy","private_key":"example-azure"}'

/** Azure Key Vault: one vault by roles, whose secrets one client may read, that one grant may log in as. */
export const startAzureKeyVaultVendor: StartVendor = async () => {
  const azure = await startAzure()
  const vault = await startKeyVault(azure)
  vault.addSecret("Tools-DatabaseUrl", { value: OLD_URL, version: OLD_VERSION }, { value: DATABASE_URL })
  vault.addSecret("tools-key", { value: KEY, nbf: 1_500_000_000, exp: 4_102_444_800, contentType: "application/json" })
  vault.assign({ clientId: CLIENT, secret: "Tools-DatabaseUrl" })
  vault.assign({ clientId: CLIENT, secret: "tools-key" })
  return {
    name: "azure-key-vault",
    gives: "secrets of Azure Key Vault",
    connections: {
      "azure-key-vault-tools": {
        provider: "azure-key-vault",
        tenant: azure.tenant,
        client_id: CLIENT,
        authority: azure.url,
        url: vault.url,
      },
    },
    grants: {
      [GRANT]: {
        connection: "azure-key-vault-tools",
        ttl: "15m",
        read: {
          AKV_DATABASE_URL: "tools-databaseurl",
          AKV_FORMER_DATABASE_URL: `tools-databaseurl@${OLD_VERSION}`,
          AKV_KEY: { from: "tools-key", as: "file" },
          AKV_KEY_TYPE: "tools-key#type",
        },
      },
    },
    secrets: {},
    trust: ({ issuer, subject }) =>
      azure.addClient({
        clientId: CLIENT,
        credentials: [{ issuer, subject: subject(GRANT), audience: AUDIENCE }],
      }),
    check: (run) => [
      ["the current version is in its variable", run.env["AKV_DATABASE_URL"] === DATABASE_URL],
      ["so is an older one", run.env["AKV_FORMER_DATABASE_URL"] === OLD_URL],
      ["one is a field of a secret's JSON", run.env["AKV_KEY_TYPE"] === "deploy"],
      ["they are masked", run.masks.includes(DATABASE_URL) && run.masks.includes(OLD_URL)],
      ["the key is a file", fileOf(run, "AKV_KEY") === `0600 ${KEY}`],
      [
        "no token of Entra's is handed out",
        azure.issued.every(({ accessToken }) => !JSON.stringify([run.env, run.outputs]).includes(accessToken)),
      ],
    ],
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    fail: (how) => vault.fail(how),
    requests: vault.requests,
    alive: () => 0,
    assertClean() {
      azure.assertClean()
      vault.assertClean()
    },
    async close() {
      await vault.close()
      await azure.close()
    },
  }
}
