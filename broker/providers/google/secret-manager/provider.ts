import type { Secret } from "../../../core/secret.ts"
import { atMost, CALLS_AT_ONCE } from "../../at-most.ts"
import { call, type OtherSide } from "../../call.ts"
import { withLogin } from "../../login.ts"
import { readPlaces } from "../../places.ts"
import type { ProviderIo } from "../../provider.ts"
import { retryPassing } from "../../retry.ts"
import { storeProvider } from "../../store.ts"
import { CLOUD_PLATFORM_SCOPE } from "../grant.ts"
import { type GoogleLogin, impersonate, withFederatedToken } from "../login.ts"
import { buildAccess, readPayload } from "./api.ts"
import { type Connection, connection, parseLocator } from "./grant.ts"

/** The only scope with which Secret Manager lets itself be read. */
const SCOPES = [CLOUD_PLATFORM_SCOPE]

/** How long the broker is somebody else for, in seconds: nobody takes such a token back, and one job's reads are short. */
const IMPERSONATION_SECONDS = 300

/** Secrets of Google Cloud Secret Manager. No key of a service account stands anywhere. */
export const googleSecretManager = storeProvider({
  name: "google-secret-manager",
  summary: "secrets of Google Cloud Secret Manager, by Workload Identity Federation",
  title: "Google Secret Manager",
  connection,

  locator(text) {
    const parsed = parseLocator(text)
    return parsed.ok ? null : parsed.fault
  },

  asks: "job",

  read(locators, { connection: settings, connectionName, subject }, side, io) {
    const login = { settings, connectionName, subject, io }
    return readPlaces(side, locators, (places) =>
      withToken(login, settings.service_account, (token) => readAll(settings, token, places, side, io)),
    )
  },
})

/** Logs in as the job's own principal in the pool, and from there as the service account where the connection names one. */
function withToken<Result>(
  login: GoogleLogin,
  account: string | undefined,
  use: (token: Secret<string>) => Promise<Result>,
): Promise<Result> {
  if (account === undefined) return withFederatedToken(login, SCOPES, use)
  const make = async () => {
    const wanted = { account, scopes: SCOPES, delegates: [], lifetimeSeconds: IMPERSONATION_SECONDS }
    const { token, endsAt } = await impersonate(login, wanted)
    return { value: token, endsAt }
  }
  return withLogin(login.io, `impersonated ${account}`, make, use)
}

/** One call a version: Google has none that gives several. */
async function readAll(
  settings: Connection,
  token: Secret<string>,
  places: readonly string[],
  side: OtherSide,
  io: ProviderIo,
) {
  const values = await atMost(CALLS_AT_ONCE, places, (place) =>
    retryPassing(io, async () =>
      readPayload(side, await call(side, buildAccess(settings, token, place), io), settings, place),
    ),
  )
  return new Map(places.map((place, at) => [place, values[at] as (typeof values)[number]]))
}
