import type { Secret } from "../../core/secret.ts"
import { call } from "../call.ts"
import { withIdentityLogin } from "../login.ts"
import { readEach, readPlaces, unlistedPlace } from "../places.ts"
import { audienceOf } from "../service.ts"
import { storeProvider } from "../store.ts"
import { buildLogin, buildRead, readLogin, readSecret } from "./api.ts"
import { connection, parseLocator } from "./grant.ts"

/** Secrets of Infisical projects. A machine identity accepts the broker's token, so no token of Infisical is stored. */
export const infisical = storeProvider({
  name: "infisical",
  summary: "secrets of Infisical projects, by a machine identity with OIDC Auth",
  title: "Infisical",
  connection,
  parse: parseLocator,
  check: (wanted, { projects }) => unlistedPlace("project", wanted, projects, ({ projectId }) => projectId),
  audiences: (settings) => ({ ownLogin: [audienceOf(settings)] }),
  asks: "job",

  read(wanted, { connection: settings, subject }, side, io) {
    const logIn = async (token: Secret<string>) =>
      readLogin(side, await call(side, buildLogin(settings, token), io), subject, io.now())
    return readPlaces(side, wanted, (places) =>
      withIdentityLogin(io, audienceOf(settings), logIn, (token) =>
        // One call for each secret: listing a folder would return all of its secrets.
        readEach(io, places, async (one) =>
          readSecret(side, await call(side, buildRead(settings, token, one.place), io), one, settings),
        ),
      ),
    )
  },
})
