import { call } from "../../call.ts"
import { withLogin } from "../../login.ts"
import { readEach, readPlaces } from "../../places.ts"
import { storeProvider } from "../../store.ts"
import { logIn } from "../login.ts"
import { sideOf } from "../wish.ts"
import { buildGet, readSecret } from "./api.ts"
import { connection, parseLocator, scopeOf } from "./grant.ts"

/** Secrets of Azure Key Vault. No secret of Entra's stands anywhere. */
export const azureKeyVault = storeProvider({
  name: "azure-key-vault",
  summary: "secrets of Azure Key Vault, by a federated credential of Microsoft Entra ID",
  title: "Azure Key Vault",
  connection,
  parse: parseLocator,
  // Not its own login: Entra has one audience, and tells grants apart by their subjects.
  audiences: ({ audience }) => ({ presented: [audience] }),
  // The vault sees the client alone; but Entra decides by the job's own subject whether there is a login.
  asks: "job",

  read(wanted, { connection: settings, connectionName, subject }, side, io) {
    const scope = scopeOf(settings)
    const wish = { settings, clientId: settings.client_id, scope, subject }
    const make = () => logIn(sideOf(connectionName), wish, io)
    return readPlaces(side, wanted, (places) =>
      withLogin(io, scope, make, (token) =>
        // One call a secret: Key Vault lists names, and gives values one by one.
        readEach(io, places, async (one) =>
          readSecret(side, await call(side, buildGet(settings, token, one.place), io), settings, one, io.now()),
        ),
      ),
    )
  },
})
