import { IDENTITY_TOKEN_SECONDS } from "../../core/duration.ts"
import type { Minted, MintedValue, MintRequest, Provider, ProviderIo } from "../provider.ts"
import { tooLong } from "./api.ts"
import {
  type Connection,
  connection,
  type Grant,
  grant,
  MAX_TTL_SECONDS,
  MIN_TTL_SECONDS,
  reachOf,
  scopeOf,
} from "./grant.ts"
import { logIn } from "./login.ts"
import { SUBJECT_LIMIT, sideOf } from "./wish.ts"

const DEFAULT_VARIABLE = "AZURE_ACCESS_TOKEN"

/** Access tokens from Microsoft Entra ID, in exchange for the broker's identity token. No secret of Entra is stored. */
export const azure: Provider<Connection, Grant> = {
  name: "azure",
  summary:
    "a Microsoft Entra ID access token of an application or a managed identity, or the token its tools log in with",
  ends: "expires",
  connection,
  grant,

  check(wanted, allowed) {
    const { client_id, scope, resource, hand_over, env } = wanted
    if (!allowed.client_ids.includes(client_id))
      return `the client ${client_id} is not among the connection's client_ids (${allowed.client_ids.join(", ")}): name one of these, or add it to the connection`
    if ([scope, resource, hand_over].filter((one) => one !== undefined).length !== 1)
      return "a grant must have exactly one of scope, resource and hand_over"
    if (hand_over === undefined) return null
    if (!allowed.federated_tokens)
      return "the connection does not allow grants to hand out the broker's own token: name a scope, or add federated_tokens: true to the connection"
    return env === undefined
      ? null
      : "env is only allowed for an access token: with hand_over the variables are fixed, because tools read them"
  },

  minTtlSeconds: MIN_TTL_SECONDS,
  maxTtlSeconds: MAX_TTL_SECONDS,
  local: ({ hand_over }) => hand_over !== undefined,
  // Entra decides how long its tokens live.
  unrecordedSeconds: () => MAX_TTL_SECONDS,

  underCeiling: reachOf,
  audiences: ({ audience }) => ({ presented: [audience] }),
  subjectLimit: () => SUBJECT_LIMIT,

  reachesBeyond({ hand_over, client_id }) {
    if (hand_over === undefined) return null
    return `get access tokens for every resource of the client ${client_id}, for as long as Entra chooses: its role assignments alone limit that. Give the client no more than this job needs`
  },

  resource: (wanted) => `${wanted.client_id} at ${scopeOf(wanted) ?? "any scope"}`,

  token: (wanted) => (scopeOf(wanted) === null ? null : { value: "access-token", type: "access_token" }),

  mint(request, io) {
    const scope = scopeOf(request.grant)
    return scope === null ? federatedToken(request, io) : accessToken(request, scope, io)
  },
}

type Request = MintRequest<Connection, Grant>

async function accessToken(request: Request, scope: string, io: ProviderIo): Promise<Minted> {
  const { connectionName, connection: settings, grant: wanted, subject, ttlSeconds } = request
  const side = sideOf(connectionName)
  const login = await logIn(side, { settings, clientId: wanted.client_id, scope, subject }, io)
  const fault = tooLong(side, login, ttlSeconds)
  if (fault) throw fault
  return {
    values: {
      "access-token": { value: login.value, env: wanted.env ?? DEFAULT_VARIABLE, recorded: "fingerprint" },
      ...publicValues(request),
    },
    expiresAt: login.endsAt,
    revocation: "expires-only",
  }
}

/**
 * The broker's own token, in the variables that Terraform, the Azure SDKs and scripts for `az` read. Entra is not called:
 * whether it trusts this token is only known when the job logs in.
 */
async function federatedToken(request: Request, io: ProviderIo): Promise<Minted> {
  const { audience, authority } = request.connection
  const issuedAtSeconds = Math.floor(io.now().getTime() / 1000)
  const token = await io.identityToken(audience)
  return {
    format: "azure-federated",
    values: {
      "federated-token": { value: token, env: "ARM_OIDC_TOKEN", recorded: "fingerprint" },
      "federated-token-file": { value: token, env: "AZURE_FEDERATED_TOKEN_FILE", file: { mode: "0600" } },
      "use-oidc": { value: "true", env: "ARM_USE_OIDC" },
      "authority-host": { value: `${authority}/`, env: "AZURE_AUTHORITY_HOST" },
      ...publicValues(request),
    },
    expiresAt: new Date((issuedAtSeconds + IDENTITY_TOKEN_SECONDS) * 1000),
    revocation: "expires-only",
  }
}

/**
 * The client, tenant and subscription, for the Azure SDKs (`AZURE_`) and Terraform's providers (`ARM_`). None of it is
 * secret.
 */
function publicValues({ connection: settings, grant: wanted }: Request): Record<string, MintedValue> {
  const subscription = wanted.subscription ?? settings.subscription
  return {
    "client-id": { value: wanted.client_id, env: "AZURE_CLIENT_ID" },
    "arm-client-id": { value: wanted.client_id, env: "ARM_CLIENT_ID" },
    "tenant-id": { value: settings.tenant, env: "AZURE_TENANT_ID" },
    "arm-tenant-id": { value: settings.tenant, env: "ARM_TENANT_ID" },
    ...(subscription === undefined
      ? {}
      : {
          "subscription-id": { value: subscription, env: "AZURE_SUBSCRIPTION_ID" },
          "arm-subscription-id": { value: subscription, env: "ARM_SUBSCRIPTION_ID" },
        }),
  }
}
