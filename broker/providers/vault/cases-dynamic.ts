import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import {
  answer,
  CAPABILITIES,
  data,
  done,
  errors,
  exactly,
  held,
  itself,
  LEASE,
  LOGIN,
  LOOKUP,
  loggedIn,
  mayRevokeItself,
  minted,
  REVOKE,
  REVOKE_SELF,
  request,
  revocable,
  URL,
  withToken,
} from "./recorded.ts"

const renewed = (seconds: number, id = LEASE): Reply =>
  answer({ lease_id: id, renewable: true, lease_duration: seconds })
const tokenRenewed = (seconds: number): Reply => loggedIn({ lease_duration: seconds })

const RENEW_SELF = {
  method: "POST",
  url: `${URL}/v1/auth/token/renew-self`,
  headers: withToken,
  bodyHolds: ['"increment":900'],
} as const
const CREDS = { method: "GET", url: `${URL}/v1/database/creds/shop-rw`, headers: withToken } as const
const RENEW = {
  method: "POST",
  url: `${URL}/v1/sys/leases/renew`,
  headers: withToken,
  bodyHolds: [LEASE, '"increment":900'],
} as const

const ends: readonly ProviderCase[] = [
  {
    name: "hands out what the engine minted, and takes back lease and login",
    ...request,
    replies: [loggedIn(), ...held, minted()],
    calls: [LOGIN, CAPABILITIES, LOOKUP, CREDS],
    expect: revocable,
    revoke: { replies: [done, done], calls: [REVOKE, REVOKE_SELF], expect: "revoked" },
  },
  {
    name: "has a login and a lease that would live longer end with what was granted",
    ...request,
    replies: [
      loggedIn({ lease_duration: 3600 }),
      ...held,
      tokenRenewed(900),
      minted({ lease_duration: 3600 }),
      renewed(900),
    ],
    calls: [LOGIN, CAPABILITIES, LOOKUP, RENEW_SELF, CREDS, RENEW],
    expect: revocable,
  },
  {
    name: "has a login that would end early live as long as was granted",
    ...request,
    replies: [loggedIn({ lease_duration: 60 }), ...held, tokenRenewed(900), minted()],
    expect: revocable,
  },
  {
    name: "says that the credential ends with a login that may not live longer",
    ...request,
    replies: [loggedIn({ lease_duration: 60 }), ...held, tokenRenewed(480), minted()],
    expect: { ...revocable, expiresAt: "2026-11-22T12:08:00.000Z" },
  },
  {
    name: "says that the credential ends with a login that cannot be renewed",
    ...request,
    replies: [
      loggedIn({ lease_duration: 300 }),
      ...held,
      errors(403, "1 error occurred:\n\t* permission denied"),
      minted(),
    ],
    expect: { ...revocable, expiresAt: "2026-11-22T12:05:00.000Z" },
  },
  {
    name: "says that the credential ends with a lease that is shorter than granted",
    ...request,
    replies: [loggedIn(), ...held, minted({ lease_duration: 120, renewable: false })],
    expect: { ...revocable, expiresAt: "2026-11-22T12:02:00.000Z" },
  },
]

const wide: readonly ProviderCase[] = (
  [
    ["cannot be renewed", minted({ lease_duration: 3600, renewable: false }), []],
    ["its engine does not shorten", minted({ lease_duration: 3600 }), [renewed(3600)]],
    ["Vault does not renew", minted({ lease_duration: 3600 }), [errors(400, "lease is not renewable")]],
  ] as const
).map(([what, reply, more]) => ({
  name: `revokes a lease that is longer than granted and ${what}`,
  ...request,
  replies: [loggedIn(), ...held, reply, ...more, done],
  expect: { code: "provider_response_invalid", detailHolds: "cannot be shortened" },
}))

const refusals: readonly ProviderCase[] = (
  [
    [
      "a policy that does not let it mint",
      errors(403, "1 error occurred:\n\t* permission denied\n\n"),
      "provider_denied",
      'path "database/creds/shop-rw" { capabilities = ["read"] }',
    ],
    [
      "a role that the engine does not have",
      errors(400, "unknown role: shop-rw"),
      "provider_denied",
      "name at the end",
    ],
    [
      "an engine that is not there",
      errors(404, "no handler for route"),
      "provider_denied",
      "secrets engine or its role does not exist",
    ],
    ["a path that takes another method", errors(405, "unsupported operation"), "provider_denied", "sends POST"],
    ["an engine that fails", errors(500, "failed to execute query"), "provider_unavailable", "statements of its role"],
    ["a Vault that is sealed", errors(503, "Vault is sealed"), "provider_unavailable", "sealed"],
    ["a slow answer, which may have minted", { failure: "timeout" }, "provider_unavailable", "timeout"],
    ["a wrapped answer", answer({ wrap_info: { token: FOREIGN_TEXT } }), "provider_response_invalid", "wrapped"],
    ["an answer that is not JSON", { status: 200, body: FOREIGN_TEXT }, "provider_response_invalid", "not a secret"],
    ["an answer without data", minted({ data: null }), "provider_response_invalid", "not a secret"],
    ["a lease of no name that fits", minted({ lease_id: "a lease\n" }), "provider_response_invalid", "not a secret"],
    ["a lease without an end", minted({ lease_duration: 0 }), "provider_response_invalid", "never ends"],
    ["an oversized answer", { failure: "too-large" }, "provider_response_invalid", "too-large"],
    ["a standby node's redirect", { failure: "redirect" }, "provider_response_invalid", "standby"],
    [
      "a secret that a KV engine of version 2 keeps",
      answer({ data: { data: { username: FOREIGN_TEXT }, metadata: { version: 1 } } }),
      "secret_unusable",
      "not minted",
    ],
    [
      "a secret that a KV engine of version 1 keeps",
      answer({ lease_duration: 2_764_800, data: { ...data, ttl: 300 } }),
      "secret_unusable",
      "not minted",
    ],
    [
      "a secret without a field of the grant's",
      minted({ data: { username: FOREIGN_TEXT } }),
      "secret_not_found",
      "does not exist",
    ],
    [
      "a field of the grant's that is a map",
      minted({ data: { ...data, password: { a: FOREIGN_TEXT } } }),
      "secret_unusable",
      "not a single text",
    ],
    [
      "a field of the grant's that is empty",
      minted({ data: { ...data, password: "" } }),
      "secret_unusable",
      "is empty",
    ],
  ] as const
).map(([what, reply, code, detailHolds]) => ({
  name: `ends the login after ${what}`,
  ...request,
  replies: [loggedIn(), ...held, reply, done],
  calls: [LOGIN, CAPABILITIES, LOOKUP, CREDS, REVOKE_SELF],
  expect: { code, detailHolds },
}))

const others: readonly ProviderCase[] = [
  {
    name: "mints again after throttling alone, which turned it away",
    ...request,
    replies: [loggedIn(), ...held, errors(429, "rate limit quota exceeded"), minted()],
    expect: revocable,
  },
  {
    name: "mints nothing under a login that may not revoke itself",
    ...request,
    replies: [loggedIn(), answer({ data: { "auth/token/revoke-self": ["deny"] } }), itself, done],
    expect: { code: "provider_denied", detailHolds: "policy default" },
  },
  {
    name: "mints nothing under a login that may not even say what it may",
    ...request,
    replies: [
      loggedIn(),
      errors(403, "1 error occurred:\n\t* permission denied"),
      itself,
      exactly(403, "permission denied"),
    ],
    expect: { code: "provider_denied", detailHolds: "policy default" },
  },
  {
    name: "hands out nothing when another lease was renewed",
    ...request,
    replies: [loggedIn(), ...held, minted({ lease_duration: 3600 }), renewed(900, "database/creds/other/abc"), done],
    expect: { code: "provider_response_invalid", detailHolds: "another lease" },
  },
  {
    name: "mints nothing under a token that renewals keep alive for ever",
    ...request,
    replies: [
      loggedIn(),
      mayRevokeItself,
      answer({ data: { type: "service", ttl: 900, explicit_max_ttl: 0, period: 900 } }),
      done,
    ],
    expect: { code: "provider_denied", detailHolds: "token_period" },
  },
]

export const dynamicCases: readonly ProviderCase[] = [...ends, ...wide, ...refusals, ...others]
