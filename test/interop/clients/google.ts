import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { startGoogle } from "../../support/google.ts"
import { assertRefused, type StartClientVendor, tokenGrant } from "./vendor.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const [PROVIDER, STORE_PROVIDER, OTHER_PROVIDER] = ["clients", "broker", "another"].map(
  (name) => `${POOL}/providers/${name}`,
)
const ACCOUNT = "clients@acme-clients.iam.gserviceaccount.com"
const PROJECT = { id: "acme-clients", number: "345678901234" }
const AUDIENCE = "https://google.clients.example"
const [DEPLOY, STORE, TOKEN] = ["clients-google", "clients-secret-manager", "clients-google-token"]
const IMPERSONATION = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`

/** Secret Manager's client with the delivered access token, and `google-auth-library` with a token of the broker's. */
export const startGoogleClients: StartClientVendor = async () => {
  const google = await startGoogle()
  google.addProject(PROJECT)
  const value = randomBytes(24).toString("hex")
  const pool = { workload_identity_provider: STORE_PROVIDER, sts_endpoint: google.url }
  const settings = { ...pool, iam_credentials_endpoint: google.url }
  return {
    name: "google",
    connections: {
      "clients-google": { provider: "google", service_accounts: [ACCOUNT], project: PROJECT.id, ...settings },
      "clients-secret-manager": {
        provider: "google-secret-manager",
        project: PROJECT.id,
        endpoint: google.url,
        ...settings,
      },
    },
    grants: {
      [DEPLOY]: { connection: "clients-google", service_account: ACCOUNT, ttl: "15m" },
      [STORE]: { connection: "clients-secret-manager", read: { CLIENTS_SECRET_MANAGER: "key" } },
      [TOKEN]: tokenGrant(AUDIENCE, "GOOGLE_JWT"),
    },
    secrets: {},
    trust({ issuer, subject }) {
      google.addProvider({ name: STORE_PROVIDER ?? "", issuer })
      google.addProvider({ name: PROVIDER ?? "", issuer, allowedAudiences: [AUDIENCE] })
      google.addProvider({
        name: OTHER_PROVIDER ?? "",
        issuer,
        allowedAudiences: [AUDIENCE],
        condition: ({ repository_owner_id: owner }) => owner === "9002",
      })
      const principal = (grant: string) => `principal://iam.googleapis.com/${POOL}/subject/${subject(grant)}`
      const members = [principal(DEPLOY), principal(TOKEN)]
      google.addServiceAccount({ email: ACCOUNT, bindings: [{ role: "roles/iam.workloadIdentityUser", members }] })
      const accessors = [principal(STORE), principal(TOKEN), `serviceAccount:${ACCOUNT}`]
      google.addSecret({ project: PROJECT.id, id: "key", versions: [{ payload: value }], accessors })
      const withdrawn = [{ payload: "withdrawn", state: "DISABLED" as const }]
      google.addSecret({ project: PROJECT.id, id: "withdrawn", versions: withdrawn, accessors })
    },
    async use({ run, folder, node }, check) {
      const file = join(folder, "google-token")
      writeFileSync(file, run.env["GOOGLE_JWT"] ?? "")
      const external = {
        type: "external_account",
        audience: `//iam.googleapis.com/${PROVIDER}`,
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: `${google.url}/v1/token`,
        credential_source: { file },
      }
      const versionOf = (secret: string) => `projects/${PROJECT.id}/secrets/${secret}/versions/latest`
      const told = await node("google", {
        endpoint: google.url,
        secret: versionOf("key"),
        disabled: versionOf("withdrawn"),
        none: versionOf("none"),
        external,
        impersonation: IMPERSONATION.replace("https://iamcredentials.googleapis.com", google.url),
        stranger: { ...external, audience: `//iam.googleapis.com/${OTHER_PROVIDER}` },
      })
      await check("Secret Manager's client reads with the delivered access token, and the same as Daypass", () => {
        assert.equal(told["secret"], value)
        assert.equal(run.env["CLIENTS_SECRET_MANAGER"], value)
      })
      await check("google-auth-library exchanges the broker's token, and impersonates with it", () => {
        assert.equal(told["federated"], value)
        assert.equal(told["impersonated"], value)
      })
      await check("Google's clients tell of a withdrawn version, a secret that is not there and a wrong token", () => {
        assertRefused(told, "disabled", /^Error 9 .* is in DISABLED state/)
        assertRefused(told, "none", /^Error 7 Permission 'secretmanager\.versions\.access' denied /)
        assertRefused(told, "wrongToken", /^Error 16 /)
      })
      await check("google-auth-library tells of a condition that the token does not meet", () =>
        assertRefused(told, "stranger", /unauthorized_client: .* attribute condition/),
      )
    },
    assertClean: () => google.assertClean(),
    close: () => google.close(),
  }
}
