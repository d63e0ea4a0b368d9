import type { ProviderCase } from "../case.ts"
import { refusals, spoiled, transient } from "./cases-failures.ts"
import { answer, CLIENT, connection, grant, ids, minted, refused, request, TENANT } from "./recorded.ts"

const SUBSCRIPTION = "e5a7c9b1-8d42-4f60-a3b8-17f2c6d90e35"
const url = `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`

const subscriptionOf = (value: string) => ({
  "subscription-id": { secret: false, env: "AZURE_SUBSCRIPTION_ID", value },
  "arm-subscription-id": { secret: false, env: "ARM_SUBSCRIPTION_ID", value },
})

const federated = {
  format: "azure-federated",
  values: {
    "federated-token": { secret: true, env: "ARM_OIDC_TOKEN" },
    "federated-token-file": { secret: true, env: "AZURE_FEDERATED_TOKEN_FILE", file: { mode: "0600" } },
    "use-oidc": { secret: false, env: "ARM_USE_OIDC", value: "true" },
    "authority-host": { secret: false, env: "AZURE_AUTHORITY_HOST", value: "https://login.microsoftonline.com/" },
    ...ids,
  },
  revocation: "expires-only",
  expiresAt: "2026-11-22T12:05:00.000Z",
} as const

/** Stories of Entra: granted, refused, spoiled, transient failures; and the broker's own token, for which nobody is asked. */
export const cases: readonly ProviderCase[] = [
  {
    name: "hands out an access token for the scope, until Entra ends it",
    ...request,
    replies: [answer()],
    calls: [
      {
        method: "POST",
        url,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        bodyHolds: [
          "grant_type=client_credentials",
          `client_id=${CLIENT}`,
          "scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
          "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
          "client_assertion=",
        ],
      },
    ],
    expect: minted,
  },
  {
    name: "makes the scope of a resource, and puts the token into the variable that the grant names",
    connection,
    grant: { client_id: CLIENT, resource: "https://example.com/", env: "ORDERS_TOKEN" },
    ttlSeconds: 5_400,
    replies: [answer()],
    calls: [{ method: "POST", url, bodyHolds: ["scope=https%3A%2F%2Fexample.com%2F%2F.default"] }],
    expect: { ...minted, values: { "access-token": { secret: true, env: "ORDERS_TOKEN" }, ...ids } },
  },
  {
    name: "asks a sovereign cloud for the connection's tenant, and names the connection's subscription",
    connection: {
      ...connection,
      authority: "https://login.microsoftonline.us",
      audience: "api://AzureADTokenExchangeUSGov",
      subscription: SUBSCRIPTION,
    },
    grant: { client_id: CLIENT, resource: "https://management.usgovcloudapi.net" },
    ttlSeconds: 5_400,
    replies: [answer()],
    calls: [{ method: "POST", url: `https://login.microsoftonline.us/${TENANT}/oauth2/v2.0/token` }],
    expect: { ...minted, values: { ...minted.values, ...subscriptionOf(SUBSCRIPTION) } },
  },
  {
    name: "names the grant's own subscription before the connection's",
    connection: { ...connection, subscription: TENANT },
    grant: { ...grant, subscription: SUBSCRIPTION },
    ttlSeconds: 5_400,
    replies: [answer()],
    expect: { ...minted, values: { ...minted.values, ...subscriptionOf(SUBSCRIPTION) } },
  },
  {
    name: "hands out a token of 90 minutes, the longest that an application usually gets",
    ...request,
    replies: [answer({ expires_in: 5_400, token_type: "bearer" })],
    expect: { ...minted, expiresAt: "2026-11-22T13:30:00.000Z" },
  },
  {
    name: "hands out a managed identity's token of a day to a grant that says so",
    ...request,
    ttlSeconds: 86_400,
    replies: [answer({ expires_in: 86_399 })],
    expect: { ...minted, expiresAt: "2026-11-23T11:59:59.000Z" },
  },
  {
    name: "hands out nothing that lives for a day to a grant of 90 minutes, and says to raise the ttl",
    ...request,
    replies: [answer({ expires_in: 86_399 })],
    expect: {
      code: "provider_response_invalid",
      detailHolds: "lives for 24h, but only 90m were granted. Entra chooses",
    },
  },
  {
    name: "hands out nothing that lives for longer than any grant, and does not say to raise the ttl",
    ...request,
    ttlSeconds: 86_400,
    replies: [answer({ expires_in: 100_800 })],
    expect: {
      code: "provider_response_invalid",
      detailHolds: "the lifetime of its tokens: shorten the application's tokens",
    },
  },
  {
    name: "hands out the broker's own token to tools that log in themselves, and asks nobody",
    connection: { ...connection, federated_tokens: true },
    grant: { client_id: CLIENT, hand_over: "federated-token" },
    ttlSeconds: 5_400,
    replies: [],
    expect: federated,
  },
  {
    name: "tells such tools which cloud and which subscription it is for",
    connection: {
      ...connection,
      authority: "https://login.partner.microsoftonline.cn",
      audience: "api://AzureADTokenExchangeChina",
      federated_tokens: true,
    },
    grant: { client_id: CLIENT, hand_over: "federated-token", subscription: SUBSCRIPTION },
    ttlSeconds: 86_400,
    replies: [],
    expect: {
      ...federated,
      values: {
        ...federated.values,
        "authority-host": {
          secret: false,
          env: "AZURE_AUTHORITY_HOST",
          value: "https://login.partner.microsoftonline.cn/",
        },
        ...subscriptionOf(SUBSCRIPTION),
      },
    },
  },
  ...refusals,
  ...spoiled,
  ...transient,
  {
    name: "does not ask again when Entra holds the client for one in a loop",
    ...request,
    replies: [refused(50196, 400, "invalid_grant")],
    expect: { code: "provider_throttled" },
  },
  {
    name: "gives up on throttling that does not pass",
    ...request,
    replies: Array.from({ length: 5 }, () => refused(90055, 429, "temporarily_unavailable")),
    expect: { code: "provider_throttled" },
  },
  {
    name: "gives up on keys that Entra cannot fetch, and says what Entra needs",
    ...request,
    replies: Array.from({ length: 5 }, () => refused(50166)),
    expect: { code: "provider_unavailable", detailHolds: "Check that the broker's URL is public" },
  },
]
