import type { Secret } from "../../core/secret.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import { withLogin } from "../login.ts"
import { readPlaces } from "../places.ts"
import type { ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { storeProvider } from "../store.ts"
import { buildLogin, buildRead, readLogin, readSecrets } from "./api.ts"
import { type Connection, connection, parseLocator, placeOf } from "./grant.ts"

/** Secrets of Doppler configs. A service account's identity admits the broker's token: no token of Doppler's is kept. */
export const doppler = storeProvider({
  name: "doppler",
  summary: "secrets of Doppler configs, by a service account's identity",
  title: "Doppler",
  connection,

  locator(text) {
    const parsed = parseLocator(text)
    return parsed.ok ? null : parsed.fault
  },

  check(locators, { projects }) {
    const outside = projects && locators.find((locator) => !projects.includes(placeOf(locator).project))
    if (outside === undefined) return null
    return `${outside} is in a project that the connection does not list (${projects?.join(", ")}); name one of these, or have the project added to the connection`
  },

  asks: "job",

  read(locators, { connection: settings }, side, io) {
    return readPlaces(side, locators, (places) =>
      withLogin(
        io,
        "identity",
        () => logIn(settings, side, io),
        (token) => readAll(settings, token, places, side, io),
      ),
    )
  },
})

/** A login that is tried again takes a new token: Doppler may have used up the first. */
const logIn = (settings: Connection, side: OtherSide, io: ProviderIo) =>
  retryPassing(io, async () => {
    const token = await io.identityToken(settings.audience ?? settings.url)
    return readLogin(side, await call(side, buildLogin(settings, token), io), io.now())
  })

/** One call a config, whatever the number of its secrets. */
async function readAll(
  settings: Connection,
  token: Secret<string>,
  places: readonly string[],
  side: OtherSide,
  io: ProviderIo,
) {
  const configs = [...Map.groupBy(places, configOf).values()]
  const read = await atMost(CALLS_AT_ONCE, configs, (group) =>
    retryPassing(io, async () => readSecrets(side, await call(side, buildRead(settings, token, group), io), group)),
  )
  return new Map(read.flat())
}

const configOf = (place: string) => place.slice(0, place.lastIndexOf("/"))
