import { SecretManagerServiceClient } from "@google-cloud/secret-manager"
import { ExternalAccountClient, OAuth2Client } from "google-auth-library"
import { settings, tell } from "./tell.mjs"

const { endpoint, secret, disabled, none, external, stranger } = settings
const { hostname, port } = new URL(endpoint)

const held = new OAuth2Client()
held.setCredentials({ access_token: process.env.GOOGLE_OAUTH_ACCESS_TOKEN })
const wrong = new OAuth2Client()
wrong.setCredentials({ access_token: "ya29.c.of-nobody" })

async function read(authClient, name) {
  const client = new SecretManagerServiceClient({
    fallback: true,
    protocol: "http",
    apiEndpoint: hostname,
    port: Number(port),
    authClient,
  })
  const [{ payload }] = await client.accessSecretVersion({ name })
  return Buffer.from(payload.data).toString("utf8")
}

await tell({
  secret: () => read(held, secret),
  federated: () => read(ExternalAccountClient.fromJSON(external), secret),
  impersonated: () =>
    read(
      ExternalAccountClient.fromJSON({ ...external, service_account_impersonation_url: settings.impersonation }),
      secret,
    ),
  disabled: () => read(held, disabled),
  none: () => read(held, none),
  wrongToken: () => read(wrong, secret),
  stranger: () => read(ExternalAccountClient.fromJSON(stranger), secret),
})
