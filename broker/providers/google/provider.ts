import { invalid } from "../call.ts"
import { type MintRequest, outlives, type Provider } from "../provider.ts"
import { type AccessToken, sts } from "./api.ts"
import { type Connection, connection, type Grant, grant, MAX_TTL_SECONDS, MIN_TTL_SECONDS } from "./grant.ts"
import { federatedToken, type GoogleLogin, impersonate } from "./login.ts"
import { audienceOf, isListed, SUBJECT_LIMIT } from "./settings.ts"

/** An access token for Google Cloud, in exchange for the broker's identity token. No key of a service account is stored. */
export const google: Provider<Connection, Grant> = {
  name: "google",
  summary: "a Google Cloud access token, by Workload Identity Federation",
  ends: "expires",
  connection,
  grant,

  check(wanted, { service_accounts: listed }) {
    const { service_account: account, delegates = [] } = wanted
    if (account === undefined) {
      if (delegates.length > 0) return "delegates need a service account: name it with service_account"
      if (listed === undefined) return null
      // A federated token could impersonate any account that trusts its principal, and so bypass the list.
      return `the connection only gives tokens of its service_accounts (${listed.join(", ")}): name one with service_account, or use a connection without the list`
    }
    if (listed === undefined)
      return "the connection lists no service_accounts, so its grants are federated tokens: leave service_account out, or list the account in the connection"
    // Delegates must be listed too: they are impersonated like the account at the end of the chain.
    const stranger = [account, ...delegates].find((one) => !isListed(one, listed))
    if (stranger === undefined) return null
    return `the service account ${stranger} is not among the connection's (${listed.join(", ")}): use one of these, or add it to the connection`
  },

  minTtlSeconds: MIN_TTL_SECONDS,
  maxTtlSeconds: MAX_TTL_SECONDS,

  audiences: (settings) => ({ presented: [audienceOf(settings)] }),
  subjectLimit: SUBJECT_LIMIT,

  resource: ({ service_account: account }) => account ?? "the job's own principal in the workload identity pool",

  async mint(request, io) {
    const { connection: settings, grant: wanted } = request
    const { service_account: account } = wanted
    const login = { settings, connectionName: request.connectionName, subject: request.subject, io }
    const { value: token, endsAt } =
      account === undefined
        ? await direct(request, login)
        : await impersonate(login, {
            account,
            scopes: wanted.scopes,
            delegates: wanted.delegates ?? [],
            lifetimeSeconds: request.ttlSeconds,
          })
    return {
      values: {
        // Terraform's provider reads the first, gcloud the second.
        "access-token": { value: token, env: "GOOGLE_OAUTH_ACCESS_TOKEN" },
        "cloudsdk-access-token": { value: token, env: "CLOUDSDK_AUTH_ACCESS_TOKEN" },
        ...projectValues(settings.project),
        ...(account === undefined ? {} : { "service-account": { value: account } }),
      },
      expiresAt: endsAt,
      revocation: "expires-only",
    }
  },
}

async function direct(
  { connectionName, grant: { scopes }, ttlSeconds }: MintRequest<Connection, Grant>,
  login: GoogleLogin,
): Promise<AccessToken> {
  const token = await federatedToken(login, scopes, ttlSeconds)
  if (!outlives(token.endsAt, login.io.now(), ttlSeconds)) return token
  throw invalid(
    sts(connectionName),
    "has a token that lives longer than the grant's ttl, because the lifetime of a federated token cannot be chosen: name a service_account, or raise the ttl to 1h",
  )
}

/**
 * The variables from which tools read the project: client libraries and Terraform's provider, gcloud, and an older name of
 * the libraries, which some of them read first.
 */
const projectValues = (project: string | undefined) =>
  project === undefined
    ? {}
    : {
        project: { value: project, env: "GOOGLE_CLOUD_PROJECT" },
        "cloudsdk-project": { value: project, env: "CLOUDSDK_CORE_PROJECT" },
        "gcloud-project": { value: project, env: "GCLOUD_PROJECT" },
      }
