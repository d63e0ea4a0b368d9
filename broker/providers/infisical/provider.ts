import type { Secret } from "../../core/secret.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import { withLogin } from "../login.ts"
import { readPlaces } from "../places.ts"
import type { ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { storeProvider } from "../store.ts"
import { buildLogin, buildRead, readLogin, readSecret } from "./api.ts"
import { type Connection, connection, parseLocator, placeOf } from "./grant.ts"

/** Secrets of Infisical projects. A machine identity admits the broker's token: no token of Infisical's is kept. */
export const infisical = storeProvider({
  name: "infisical",
  summary: "secrets of Infisical projects, by a machine identity with OIDC Auth",
  title: "Infisical",
  connection,

  locator(text) {
    const parsed = parseLocator(text)
    return parsed.ok ? null : parsed.fault
  },

  check(locators, { projects }) {
    const outside = projects && locators.find((locator) => !projects.includes(placeOf(locator).projectId))
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

/** A login that is tried again takes a new token: Infisical may have used up the first. */
const logIn = (settings: Connection, side: OtherSide, io: ProviderIo) =>
  retryPassing(io, async () => {
    const token = await io.identityToken(settings.audience ?? settings.url)
    return readLogin(side, await call(side, buildLogin(settings, token), io), io.now())
  })

/** One call a secret: a folder that is listed gives all that it holds. */
async function readAll(
  settings: Connection,
  token: Secret<string>,
  places: readonly string[],
  side: OtherSide,
  io: ProviderIo,
) {
  const values = await atMost(CALLS_AT_ONCE, places, (place) =>
    retryPassing(io, async () => readSecret(side, await call(side, buildRead(settings, token, place), io), place)),
  )
  return new Map(places.map((place, at) => [place, values[at] as (typeof values)[number]]))
}
