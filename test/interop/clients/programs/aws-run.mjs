import { createHash } from "node:crypto"
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager"
import { settings, tell } from "./tell.mjs"

const { secret, foreign, profile, sleepSeconds } = settings
const client = new SecretsManagerClient(profile === undefined ? {} : { profile })
const read = async (from, id) => (await from.send(new GetSecretValueCommand({ SecretId: id }))).SecretString
/** A name for a session that is not a secret. */
const nameOf = ({ accessKeyId }) => createHash("sha256").update(accessKeyId).digest("hex")

const signedWith = await client.config.credentials().catch((error) => error)
const isSession = !(signedWith instanceof Error)
/** The same session by hand: it is not renewed. */
const held =
  isSession &&
  new SecretsManagerClient({
    credentials: { ...signedWith, expiration: undefined },
    region: await client.config.region(),
  })
if (isSession) console.log(`printed ${signedWith.secretAccessKey} ${signedWith.sessionToken}\n`)

await tell({
  first: async () => ({ read: await read(client, secret), session: nameOf(await client.config.credentials()) }),
  held: () => read(held || client, secret),
  foreign: () => read(client, foreign),
  async later() {
    if (!isSession) throw signedWith
    await new Promise((resolve) => setTimeout(resolve, sleepSeconds * 1000))
    return { read: await read(client, secret), session: nameOf(await client.config.credentials()) }
  },
  over: () => read(held || client, secret),
})
