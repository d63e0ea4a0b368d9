import type { ProviderCase } from "../case.ts"

const connection = { audiences: ["https://vault.example.com"] }

/** This provider calls nobody, so that there is no refusal, failure or slowness of another side to record. */
export const cases: readonly ProviderCase[] = [
  {
    name: "hands out a token for the audience, which ends when its exp says",
    connection,
    grant: { audience: "https://vault.example.com" },
    ttlSeconds: 300,
    replies: [],
    expect: {
      values: { token: { secret: true, env: "DAYPASS_IDENTITY_TOKEN" } },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:05:00.000Z",
    },
  },
  {
    name: "puts the token into the variable that the grant names, for the shorter time asked",
    connection,
    grant: { audience: "https://vault.example.com", env: "VAULT_JWT", claims: { team: "payments" } },
    ttlSeconds: 60,
    replies: [],
    expect: {
      values: { token: { secret: true, env: "VAULT_JWT" } },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:01:00.000Z",
    },
  },
  {
    name: "is for kubectl alone when the grant says so",
    connection: { audiences: ["https://kubernetes.example.com"] },
    grant: {
      audience: "https://kubernetes.example.com",
      as: "kubeconfig",
      server: "https://cluster.example.com:6443",
      namespace: "shop",
    },
    ttlSeconds: 300,
    replies: [],
    expect: {
      values: {
        token: {
          secret: true,
          logins: [{ tool: "kubeconfig", server: "https://cluster.example.com:6443", namespace: "shop" }],
        },
      },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:05:00.000Z",
    },
  },
]
