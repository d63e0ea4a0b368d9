import type { ProviderCase } from "../case.ts"
import { connection, done, errors, exactly, held, LOGIN, LOGIN_TOKEN, loggedIn, REVOKE_SELF, URL } from "./recorded.ts"

const request = { connection, grant: { role: "shop-deploy", token: true }, ttlSeconds: 900 }
const values = {
  token: { secret: true, env: "VAULT_TOKEN", value: LOGIN_TOKEN },
  address: { secret: false, env: "VAULT_ADDR", value: URL },
} as const
const revocable = { values, revocation: "revocable", expiresAt: "2026-11-22T12:15:00.000Z" } as const

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
