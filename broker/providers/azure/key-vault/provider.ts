import type { Secret } from "../../../core/secret.ts"
import { atMost, CALLS_AT_ONCE } from "../../at-most.ts"
import { call, type OtherSide } from "../../call.ts"
import { withLogin } from "../../login.ts"
import { readPlaces } from "../../places.ts"
import type { ProviderIo } from "../../provider.ts"
import { retryPassing } from "../../retry.ts"
import { storeProvider } from "../../store.ts"
import { logIn } from "../login.ts"
import { buildGet, readSecret } from "./api.ts"
import { type Connection, connection, parseLocator, scopeOf } from "./grant.ts"

/** Secrets of Azure Key Vault. No secret of Entra's stands anywhere. */
export const azureKeyVault = storeProvider({
  name: "azure-key-vault",
  summary: "secrets of Azure Key Vault, by a federated credential of Microsoft Entra ID",
  title: "Azure Key Vault",
  connection,

  locator(text) {
    const parsed = parseLocator(text)
    return parsed.ok ? null : parsed.fault
  },

  // The vault sees the client alone; but Entra decides by the job's own subject whether there is a login.
  asks: "job",

  read(locators, { connection: settings, connectionName, subject }, side, io) {
    const scope = scopeOf(settings)
    const wish = { connectionName, settings, clientId: settings.client_id, scope, subject }
    const make = async () => {
      const { token, expiresAt } = await logIn(wish, io)
      return { value: token, endsAt: expiresAt }
    }
    return readPlaces(side, locators, (places) =>
      withLogin(io, scope, make, (token) => readAll(settings, token, places, side, io)),
    )
  },
})

/** One call a secret: Key Vault lists names, and gives values one by one. */
async function readAll(
  settings: Connection,
  token: Secret<string>,
  places: readonly string[],
  side: OtherSide,
  io: ProviderIo,
) {
  const values = await atMost(CALLS_AT_ONCE, places, (place) =>
    retryPassing(io, async () =>
      readSecret(side, await call(side, buildGet(settings, token, place), io), settings, place, io.now()),
    ),
  )
  return new Map(places.map((place, at) => [place, values[at] as (typeof values)[number]]))
}
