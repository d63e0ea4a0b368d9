import type { ProviderCase } from "../case.ts"
import { ACCOUNT, connection, POOL_PROVIDER, publicValues } from "./recorded.ts"

const handedOver = {
  format: "google-federated",
  values: {
    "federated-token": { secret: true },
    audience: { secret: false, value: `//iam.googleapis.com/${POOL_PROVIDER}` },
    "token-url": { secret: false, value: "https://sts.googleapis.com/v1/token" },
  },
  revocation: "expires-only",
  expiresAt: "2026-11-22T12:05:00.000Z",
} as const

/** The broker's own token: Google is not asked. */
export const handOvers: readonly ProviderCase[] = [
  {
    name: "hands out the broker's own token, with the address and the time of the service account",
    connection: { ...connection, federated_tokens: true },
    grant: { service_account: ACCOUNT, hand_over: "federated-token" },
    ttlSeconds: 900,
    replies: [],
    expect: {
      ...handedOver,
      values: {
        ...handedOver.values,
        "impersonation-url": {
          secret: false,
          value: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
        },
        "impersonation-seconds": { secret: false, value: "900" },
        ...publicValues,
      },
    },
  },
  {
    name: "hands out the broker's own token for the job's principal alone, at the connection's own endpoint",
    connection: {
      workload_identity_provider: POOL_PROVIDER,
      sts_endpoint: "https://sts-ci.p.googleapis.com",
      federated_tokens: true,
    },
    grant: { hand_over: "federated-token" },
    ttlSeconds: 3_600,
    replies: [],
    expect: {
      ...handedOver,
      values: {
        ...handedOver.values,
        "token-url": { secret: false, value: "https://sts-ci.p.googleapis.com/v1/token" },
      },
    },
  },
  {
    name: "hands out a token that ends with the grant's ttl, where that is shorter than five minutes",
    connection: { workload_identity_provider: POOL_PROVIDER, federated_tokens: true },
    grant: { hand_over: "federated-token" },
    ttlSeconds: 60,
    replies: [],
    expect: { ...handedOver, expiresAt: "2026-11-22T12:01:00.000Z" },
  },
]
