import { DopplerSDK } from "@dopplerhq/node-sdk"
import { settings, tell } from "./tell.mjs"

const { url, identity, project, config, foreign } = settings

/** The SDK has no method for service account identities. Doppler's documentation calls the login like this. */
async function logIn(token) {
  const response = await fetch(`${url}/v3/auth/oidc`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ identity, token }),
  })
  const body = await response.json()
  if (!response.ok) throw new Error(`${response.status} ${body.messages}`)
  return body.token
}

function clientOf(accessToken) {
  const client = new DopplerSDK({ accessToken })
  client.setBaseUrl(url)
  return client
}

const client = clientOf(await logIn(process.env.DOPPLER_JWT))
const computedOf = ({ secrets }) => Object.fromEntries(Object.entries(secrets).map(([name, it]) => [name, it.computed]))

await tell({
  all: async () => computedOf(await client.secrets.list(project, config)),
  some: async () => computedOf(await client.secrets.list(project, config, { secrets: "KEY" })),
  one: async () => (await client.secrets.get(project, config, "URL")).value.computed,
  foreign: () => client.secrets.list(project, foreign),
  none: () => client.secrets.list(project, "none"),
  wrongToken: () => clientOf("dp.said.of-nobody").secrets.list(project, config),
  wrongJwt: () => logIn(process.env.OTHER_JWT),
})
