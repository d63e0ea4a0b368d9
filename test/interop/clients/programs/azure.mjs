import { DefaultAzureCredential, WorkloadIdentityCredential } from "@azure/identity"
import { SecretClient } from "@azure/keyvault-secrets"
import { settings, tell } from "./tell.mjs"

const { vault, secret, old, foreign, none, wrongTokenFile } = settings
// The stand-ins are not at Microsoft's names, which the SDK would otherwise look up and demand.
const credential = new DefaultAzureCredential({ disableInstanceDiscovery: true })
const clientOf = (how) => new SecretClient(vault, how, { disableChallengeResourceVerification: true })
const client = clientOf(credential)

await tell({
  secret: async () => (await client.getSecret(secret)).value,
  old: async () => (await client.getSecret(secret, { version: old })).value,
  foreign: () => client.getSecret(foreign),
  none: () => client.getSecret(none),
  wrongToken: () =>
    clientOf(
      new WorkloadIdentityCredential({ disableInstanceDiscovery: true, tokenFilePath: wrongTokenFile }),
    ).getSecret(secret),
})
