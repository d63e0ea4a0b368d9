import type { ProviderCase } from "../case.ts"
import {
  answer,
  connection,
  done,
  errors,
  exactly,
  held,
  LOGIN,
  LOGIN_TOKEN,
  loggedIn,
  mayRevokeItself,
  REVOKE_SELF,
  URL,
} from "./recorded.ts"

const request = { connection, grant: { role: "shop-deploy", token: true }, ttlSeconds: 900 }
const values = {
  token: { secret: true, env: "VAULT_TOKEN", value: LOGIN_TOKEN },
  address: { secret: false, env: "VAULT_ADDR", value: URL },
} as const
/** Whoever has the token can renew it: the end that it has now is none. */
const revocable = { values, revocation: "revocable", expiresAt: null } as const
const itself = (change: Readonly<Record<string, unknown>>) =>
  answer({ data: { type: "service", ttl: 900, explicit_max_ttl: 0, ...change } })

export const tokenCases: readonly ProviderCase[] = [
  {
    name: "hands out the login's own token, and revokes it",
    ...request,
    replies: [loggedIn(), ...held],
    expect: revocable,
    revoke: { replies: [done], calls: [REVOKE_SELF], expect: "revoked" },
  },
  {
    name: "says which namespace the token is of, has it end with what was granted, and revokes it there",
    ...request,
    connection: { ...connection, namespace: "acme/ci" },
    replies: [loggedIn({ lease_duration: 3600 }), ...held, loggedIn({ lease_duration: 900 })],
    calls: [{ ...LOGIN, headers: { "x-vault-namespace": "acme/ci" } }],
    expect: {
      ...revocable,
      values: { ...values, namespace: { secret: false, env: "VAULT_NAMESPACE", value: "acme/ci" } },
    },
    revoke: {
      replies: [done],
      calls: [{ ...REVOKE_SELF, headers: { ...REVOKE_SELF.headers, "x-vault-namespace": "acme/ci" } }],
      expect: "revoked",
    },
  },
  {
    name: "says of a token with a hard end when that is, since no renewal moves it",
    ...request,
    replies: [loggedIn(), mayRevokeItself, itself({ explicit_max_ttl: 3600 })],
    expect: { ...revocable, expiresAt: "2026-11-22T13:00:00.000Z" },
  },
  {
    name: "says of a token that nobody can renew when it ends",
    ...request,
    replies: [loggedIn({ renewable: false, lease_duration: 600 }), mayRevokeItself, itself({ renewable: false })],
    expect: { ...revocable, expiresAt: "2026-11-22T12:10:00.000Z" },
  },
  {
    name: "hands out no periodic token, which its holder could keep alive for ever",
    ...request,
    replies: [loggedIn(), mayRevokeItself, itself({ period: 900 }), done],
    expect: { code: "provider_denied", detailHolds: "token_period" },
  },
  ...[errors(403, "1 error occurred:\n\t* permission denied"), answer({ data: { ttl: 900 } })].map((reply, index) => ({
    name: `hands out no token of which nobody knows whether it ends, ${index === 0 ? "for it may not say" : "for it does not say"}`,
    ...request,
    replies: [loggedIn(), mayRevokeItself, reply, done],
    expect: { code: "provider_denied", detailHolds: "lookup-self" } as const,
  })),
  {
    name: "takes a token that the job has revoked itself for revoked",
    ...request,
    replies: [loggedIn(), ...held],
    expect: revocable,
    revoke: { replies: [exactly(403, "permission denied")], expect: "revoked" },
  },
  {
    name: "revokes a token that cannot be had for as short as was granted",
    ...request,
    replies: [loggedIn({ lease_duration: 1200 }), ...held, loggedIn({ lease_duration: 1200 }), done],
    expect: { code: "provider_response_invalid", detailHolds: "token_period" },
  },
  {
    name: "hands out no batch token, which nobody can revoke",
    ...request,
    replies: [loggedIn({ token_type: "batch", renewable: false })],
    expect: { code: "provider_denied", detailHolds: "token_type" },
  },
  {
    name: "gives up a token when Vault does not say whether it can be revoked",
    ...request,
    replies: [loggedIn(), errors(404, "no handler for route"), held[1] ?? done, done],
    expect: { code: "provider_denied", detailHolds: "policy default" },
  },
]
