import { invalid } from "../call.ts"
import { type Minted, type MintRequest, outlives, type Provider, type ProviderIo } from "../provider.ts"
import { type AccessToken, sts } from "./api.ts"
import {
  type Connection,
  connection,
  type Grant,
  grant,
  MAX_TTL_SECONDS,
  MIN_IMPERSONATION_SECONDS,
  MIN_TTL_SECONDS,
  reachOf,
  scopesOf,
} from "./grant.ts"
import { handOver } from "./hand-over.ts"
import { federatedToken, type GoogleLogin, impersonate } from "./login.ts"
import { publicValues } from "./public-values.ts"
import { audienceOf, isListed, SUBJECT_LIMIT } from "./settings.ts"

/**
 * An access token for Google Cloud in exchange for the broker's identity token, or that token itself, with which Google's
 * client libraries get an access token. No key of a service account is stored.
 */
export const google: Provider<Connection, Grant> = {
  name: "google",
  summary: "a Google Cloud access token by Workload Identity Federation, or the token its tools log in with",
  ends: "expires",
  connection,
  grant,

  check(wanted, { service_accounts: listed, federated_tokens }) {
    const { service_account: account, delegates = [], hand_over } = wanted
    if (hand_over !== undefined) {
      if (!federated_tokens)
        return "the connection does not allow grants to hand out the broker's own token, which can impersonate every account that trusts the grant's principal, also outside of service_accounts: leave hand_over out, or add federated_tokens: true to the connection"
      if (wanted.scopes !== undefined)
        return "scopes are only for an access token: with hand_over the tools choose them"
      if (delegates.length > 0)
        return "delegates are only for an access token: with hand_over the tools impersonate the account directly"
      if (account === undefined) return null
    }
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
  leastTtlSeconds: ({ hand_over, service_account: account }) =>
    hand_over === undefined || account === undefined ? MIN_TTL_SECONDS : MIN_IMPERSONATION_SECONDS,
  local: ({ hand_over }) => hand_over !== undefined,

  underCeiling: reachOf,
  audiences: (settings) => ({ presented: [audienceOf(settings)] }),
  subjectLimit: () => SUBJECT_LIMIT,

  reachesBeyond({ hand_over }) {
    if (hand_over === undefined) return null
    return "impersonate every service account that trusts the grant's principal, also outside of the connection's service_accounts, for an hour and with any scope: Google's IAM alone limits that. Bind each account to the subjects that need it"
  },

  resource({ service_account: account, hand_over }) {
    if (hand_over === undefined) return account ?? PRINCIPAL
    const meant = account === undefined ? "" : `, meant for ${account}`
    return `${PRINCIPAL} and every service account that trusts it${meant}`
  },

  token: ({ hand_over }) => (hand_over === undefined ? { value: "access-token", type: "access_token" } : null),

  mint(request, io) {
    return request.grant.hand_over === undefined ? accessToken(request, io) : handOver(request, io)
  },
}

const PRINCIPAL = "the job's own principal in the workload identity pool"

async function accessToken(request: MintRequest<Connection, Grant>, io: ProviderIo): Promise<Minted> {
  const { connection: settings, grant: wanted, connectionName, subject } = request
  const { service_account: account } = wanted
  const login = { settings, connectionName, subject, io }
  const { value: token, endsAt } =
    account === undefined
      ? await direct(request, login)
      : await impersonate(login, {
          account,
          scopes: scopesOf(wanted),
          delegates: wanted.delegates ?? [],
          lifetimeSeconds: request.ttlSeconds,
        })
  return {
    values: {
      // Terraform's provider reads the first, gcloud the second.
      "access-token": { value: token, env: "GOOGLE_OAUTH_ACCESS_TOKEN", recorded: "fingerprint" },
      "cloudsdk-access-token": { value: token, env: "CLOUDSDK_AUTH_ACCESS_TOKEN" },
      ...publicValues(settings, wanted),
    },
    expiresAt: endsAt,
    revocation: "expires-only",
  }
}

async function direct(
  { connectionName, grant: wanted, ttlSeconds }: MintRequest<Connection, Grant>,
  login: GoogleLogin,
): Promise<AccessToken> {
  const token = await federatedToken(login, scopesOf(wanted), ttlSeconds)
  if (!outlives(token.endsAt, login.io.now(), ttlSeconds)) return token
  throw invalid(
    sts(connectionName),
    "has a token that lives longer than the grant's ttl, because the lifetime of a federated token cannot be chosen: name a service_account, or raise the ttl to 1h",
  )
}
