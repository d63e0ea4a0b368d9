import type { Secret } from "../../../core/secret.ts"
import { call } from "../../call.ts"
import { withLogin } from "../../login.ts"
import { readEach, readPlaces } from "../../places.ts"
import { storeProvider } from "../../store.ts"
import { CLOUD_PLATFORM_SCOPE } from "../grant.ts"
import { type GoogleLogin, impersonate, withFederatedToken } from "../login.ts"
import { audienceOf, SUBJECT_LIMIT } from "../settings.ts"
import { buildAccess, readPayload } from "./api.ts"
import { connection, parseLocator } from "./grant.ts"

/** The only scope that Secret Manager accepts. */
const SCOPES = [CLOUD_PLATFORM_SCOPE]

/**
 * The lifetime of an impersonation, in seconds. Short, because such a token cannot be revoked, and one job's reads are
 * quick.
 */
const IMPERSONATION_SECONDS = 300

/** Secrets of Google Cloud Secret Manager. No key of a service account is stored. */
export const googleSecretManager = storeProvider({
  name: "google-secret-manager",
  summary: "secrets of Google Cloud Secret Manager, by Workload Identity Federation",
  title: "Google Secret Manager",
  connection,
  parse: parseLocator,
  // The audience is declared as presented, not as the broker's own login: a pool has one audience, and distinguishes grants
  // by subject.
  audiences: (settings) => ({ presented: [audienceOf(settings)] }),
  subjectLimit: () => SUBJECT_LIMIT,
  asks: "job",

  read(wanted, { connection: settings, connectionName, subject }, side, io) {
    const login = { settings, connectionName, subject, io }
    return readPlaces(side, wanted, (places) =>
      withToken(login, settings.service_account, (token) =>
        // One call for each version: Google has no call for several.
        readEach(io, places, async (one) =>
          readPayload(side, await call(side, buildAccess(settings, token, one.place), io), settings, one),
        ),
      ),
    )
  },
})

/** Logs in as the job's own principal in the pool, and then as the service account if the connection names one. */
function withToken<Result>(
  login: GoogleLogin,
  account: string | undefined,
  use: (token: Secret<string>) => Promise<Result>,
): Promise<Result> {
  if (account === undefined) return withFederatedToken(login, SCOPES, use)
  const wanted = { account, scopes: SCOPES, delegates: [], lifetimeSeconds: IMPERSONATION_SECONDS }
  return withLogin(login.io, `impersonated ${account}`, () => impersonate(login, wanted), use)
}
