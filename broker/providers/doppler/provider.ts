import type { Secret } from "../../core/secret.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import { grouped } from "../grouped.ts"
import { loggedInBy } from "../login.ts"
import { readPlaces, unlistedPlace } from "../places.ts"
import type { ProviderIo } from "../provider.ts"
import type { Located } from "../read-grant.ts"
import { retryTransient } from "../retry.ts"
import { audienceOf } from "../service.ts"
import { storeProvider } from "../store.ts"
import { buildLogin, buildRead, readLogin, readSecrets } from "./api.ts"
import { type Connection, connection, type Place, parseLocator } from "./grant.ts"

/**
 * Secrets of Doppler configs. A service account's identity accepts the broker's token, so no token of Doppler is stored.
 */
export const doppler = storeProvider({
  name: "doppler",
  summary: "secrets of Doppler configs, by a service account's identity",
  title: "Doppler",
  connection,
  parse: parseLocator,
  check: (wanted, { projects }) => unlistedPlace("project", wanted, projects, ({ project }) => project),
  audiences: (settings) => ({ ownLogin: [audienceOf(settings)] }),
  asks: "job",

  whole: {
    async read({ locator: folder, place }, request, side, io) {
      const { connection: settings } = request
      const found = await loggedIn(request, side, io, (token) =>
        retryTransient(io, async () =>
          readSecrets(side, await call(side, buildRead(settings, token, place, "all"), io), { folder }, settings),
        ),
      )
      return found.map(([locator, stored]) => [locator.slice(folder.length), stored])
    },
  },

  read: (wanted, request, side, io) =>
    readPlaces(side, wanted, (places) =>
      loggedIn(request, side, io, (token) => readAll(request.connection, token, places, side, io)),
    ),
})

const loggedIn = loggedInBy(buildLogin, readLogin)

/** One call for each config, for all of its secrets. */
async function readAll(
  settings: Connection,
  token: Secret<string>,
  places: readonly Located<Place>[],
  side: OtherSide,
  io: ProviderIo,
) {
  const configs = [...grouped(places, configOf).values()]
  const read = await atMost(CALLS_AT_ONCE, configs, (group) => {
    const [{ place }] = group as [Located<Place>]
    const names = group.map((one) => one.place.name)
    return retryTransient(io, async () =>
      readSecrets(side, await call(side, buildRead(settings, token, place, names), io), group, settings),
    )
  })
  return new Map(read.flat())
}

const configOf = ({ place }: Located<Place>) => `${place.project}/${place.config}`
