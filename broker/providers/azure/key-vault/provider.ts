import { call } from "../../call.ts"
import { withLogin } from "../../login.ts"
import { readEach, readPlaces } from "../../places.ts"
import { storeProvider } from "../../store.ts"
import { logIn } from "../login.ts"
import { SUBJECT_LIMIT, sideOf } from "../wish.ts"
import { buildGet, readSecret } from "./api.ts"
import { connection, parseLocator, scopeOf } from "./grant.ts"

/** Secrets of Azure Key Vault. No secret of Entra is stored. */
export const azureKeyVault = storeProvider({
  name: "azure-key-vault",
  summary: "secrets of Azure Key Vault, by a federated credential of Microsoft Entra ID",
  title: "Azure Key Vault",
  connection,
  parse: parseLocator,
  // The audience is declared as presented, not as the broker's own login: Entra has one audience, and distinguishes grants
  // by subject.
  audiences: ({ audience }) => ({ presented: [audience] }),
  subjectLimit: () => SUBJECT_LIMIT,
  // The vault sees only the client, but Entra decides about the login by the job's subject.
  asks: "job",

  read(wanted, { connection: settings, connectionName, subject }, side, io) {
    const scope = scopeOf(settings)
    const wish = { settings, clientId: settings.client_id, scope, subject }
    const make = () => logIn(sideOf(connectionName), wish, io)
    return readPlaces(side, wanted, (places) =>
      withLogin(io, scope, make, (token) =>
        // One call for each secret: Key Vault lists only names, and returns values one by one.
        readEach(io, places, async (one) =>
          readSecret(side, await call(side, buildGet(settings, token, one.place), io), settings, one, io.now()),
        ),
      ),
    )
  },
})
