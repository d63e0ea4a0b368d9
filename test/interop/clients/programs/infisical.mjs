import { InfisicalSDK } from "@infisical/sdk"
import { settings, tell } from "./tell.mjs"

const { siteUrl, identityId, projectId, environment, secret, folder, foreign } = settings

/** The SDK for Node has no method for OIDC Auth. Infisical's documentation calls it like this. */
async function logIn(jwt) {
  const response = await fetch(`${siteUrl}/api/v1/auth/oidc-auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ identityId, jwt }),
  })
  const body = await response.json()
  if (!response.ok) throw new Error(`${response.status} ${body.message}`)
  return body.accessToken
}

const clientOf = (accessToken) => new InfisicalSDK({ siteUrl }).auth().accessToken(accessToken)
const place = { projectId, environment }
const client = clientOf(await logIn(process.env.INFISICAL_JWT))

await tell({
  secret: async () => (await client.secrets().getSecret({ ...place, ...secret })).secretValue,
  async folder() {
    const { secrets } = await client.secrets().listSecrets({ ...place, secretPath: folder })
    return Object.fromEntries(secrets.map(({ secretKey, secretValue }) => [secretKey, secretValue]))
  },
  none: () => client.secrets().getSecret({ ...place, secretName: "NONE" }),
  foreign: () => client.secrets().getSecret({ ...place, ...secret, projectId: foreign }),
  wrongToken: () =>
    clientOf("of-nobody")
      .secrets()
      .getSecret({ ...place, ...secret }),
  wrongJwt: () => logIn(process.env.OTHER_JWT),
})
