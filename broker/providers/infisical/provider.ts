import { call } from "../call.ts"
import { loggedInBy } from "../login.ts"
import { readEach, readPlaces, unlistedPlace } from "../places.ts"
import { retryTransient } from "../retry.ts"
import { audienceOf } from "../service.ts"
import { storeProvider } from "../store.ts"
import { buildList, buildLogin, buildRead, readFolder, readLogin, readSecret } from "./api.ts"
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

  whole: {
    read: (one, request, side, io) =>
      loggedIn(request, side, io, (token) =>
        retryTransient(io, async () =>
          readFolder(
            side,
            await call(side, buildList(request.connection, token, one.place), io),
            one,
            request.connection,
          ),
        ),
      ),
  },

  read(wanted, request, side, io) {
    const { connection: settings } = request
    return readPlaces(side, wanted, (places) =>
      loggedIn(request, side, io, (token) =>
        // One call for each secret: listing a folder would return all of its secrets.
        readEach(io, places, async (one) =>
          readSecret(side, await call(side, buildRead(settings, token, one.place), io), one, settings),
        ),
      ),
    )
  },
})

const loggedIn = loggedInBy(buildLogin, readLogin)
