import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import {
  answer,
  CAPABILITIES,
  connection,
  done,
  errors,
  held,
  LOGIN,
  LOOKUP,
  loggedIn,
  REVOKE_SELF,
  URL,
  withToken,
} from "./recorded.ts"

const NOW_SECONDS = Date.parse("2026-11-22T12:00:00.000Z") / 1000
const request = {
  connection,
  grant: {
    role: "shop-deploy",
    dynamic: "pki/issue/web",
    parameters: { common_name: "shop.acme.example" },
    env: { TLS_KEY: { from: "private_key", as: "file", mode: "0400" }, TLS_SERIAL: "serial_number" },
  },
  ttlSeconds: 900,
}

const issued = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  answer({ data: { private_key: "-----BEGIN\nkey\n", serial_number: "4a:23", ...change } })

const values = {
  TLS_KEY: { secret: true, env: "TLS_KEY", file: { mode: "0400" } },
  TLS_SERIAL: { secret: true, env: "TLS_SERIAL", value: "4a:23" },
} as const
const ISSUE = {
  method: "POST",
  url: `${URL}/v1/pki/issue/web`,
  headers: { ...withToken, "content-type": "application/json" },
  bodyHolds: ['"common_name":"shop.acme.example"', '"ttl":"900s"'],
} as const

const happy = (name: string, data: Readonly<Record<string, unknown>>, expiresAt: string): ProviderCase => ({
  name,
  ...request,
  replies: [loggedIn(), ...held, issued(data), done],
  expect: {
    values,
    revocation: "expires-only",
    expiresAt,
  },
})

const spoiled: readonly ProviderCase[] = (
  [
    ["lives longer than was granted", { expiration: NOW_SECONDS + 3600 }, "longer than was granted"],
    ["has expired already", { expiration: NOW_SECONDS - 1 }, "already expired"],
    ["has a rest of life that is longer", { ttl: 86_400 }, "longer than was granted"],
    ["lives longer by one of two ends that it has", { ttl: 300, expires_at: NOW_SECONDS + 3600 }, "longer than was"],
    ["lives longer, in another form", { expires_at: "2026-11-22T13:00:00Z" }, "longer than was granted"],
    ["may never end", { expires_at: 0 }, "its end is not readable"],
    ["ends when nobody can read", { ttl: 300, expiration: FOREIGN_TEXT }, "its end is not readable"],
  ] as const
).map(([what, data, detailHolds]) => ({
  name: `hands out nothing without a lease that ${what}`,
  ...request,
  replies: [loggedIn(), ...held, issued(data), done],
  expect: { code: "provider_response_invalid", detailHolds },
}))

export const leaselessCases: readonly ProviderCase[] = [
  {
    ...happy(
      "ends the login at once when there is no lease, and says when the certificate ends",
      { expiration: NOW_SECONDS + 600 },
      "2026-11-22T12:10:00.000Z",
    ),
    calls: [LOGIN, CAPABILITIES, LOOKUP, ISSUE, REVOKE_SELF],
  },
  happy("goes by what is left of its life", { ttl: 300 }, "2026-11-22T12:05:00.000Z"),
  happy("goes by a time in words", { expires_at: "2026-11-22T12:07:30Z" }, "2026-11-22T12:07:30.000Z"),
  happy(
    "goes by the latest of the ends that it is told",
    { ttl: 300, expiration: NOW_SECONDS + 600 },
    "2026-11-22T12:10:00.000Z",
  ),
  happy("goes by what the engine was told where it does not say", {}, "2026-11-22T12:15:00.000Z"),
  ...spoiled,
  {
    name: "hands out nothing that has no lease and of which nobody knows when it ends",
    ...request,
    grant: { role: "shop-deploy", dynamic: "ssh/issue/ci", env: { SSH_CERT: "serial_number" } },
    replies: [loggedIn(), ...held, issued(), done],
    expect: { code: "provider_response_invalid", detailHolds: "ttl_parameter" },
  },
  {
    name: "goes by the engine's word, and not by a parameter that it does not heed",
    connection,
    grant: {
      role: "shop-deploy",
      dynamic: "gcp/roleset/shop/token",
      parameters: { lifetime: "900s" },
      env: { GOOGLE_OAUTH_ACCESS_TOKEN: "token" },
    },
    ttlSeconds: 900,
    replies: [
      loggedIn(),
      ...held,
      answer({ data: { token: "ya29.canary", token_ttl: 3599, expires_at_seconds: NOW_SECONDS + 3599 } }),
      done,
    ],
    expect: { code: "provider_response_invalid", detailHolds: "longer than was granted" },
  },
  {
    name: "names the capability that a call with parameters needs",
    ...request,
    replies: [loggedIn(), ...held, errors(403, "1 error occurred:\n\t* permission denied"), done],
    expect: { code: "provider_denied", detailHolds: 'path "pki/issue/web" { capabilities = ["update"] }' },
  },
  {
    name: "does not promise to take back a session of a cloud's STS, whose lease ends nothing",
    ...request,
    grant: {
      role: "shop-deploy",
      dynamic: "aws/creds/deploy",
      env: {
        AWS_ACCESS_KEY_ID: "access_key",
        AWS_SECRET_ACCESS_KEY: "secret_key",
        AWS_SESSION_TOKEN: "security_token",
      },
    },
    replies: [
      loggedIn(),
      ...held,
      answer({
        lease_id: "aws/creds/deploy/abc",
        lease_duration: 900,
        data: { access_key: "ASIAEXAMPLE", secret_key: "wJalrXUtn", security_token: "IQoJb3Jp", arn: FOREIGN_TEXT },
        warnings: null,
      }),
      done,
    ],
    expect: {
      values: {
        AWS_ACCESS_KEY_ID: { secret: true, env: "AWS_ACCESS_KEY_ID" },
        AWS_SECRET_ACCESS_KEY: { secret: true, env: "AWS_SECRET_ACCESS_KEY" },
        AWS_SESSION_TOKEN: { secret: true, env: "AWS_SESSION_TOKEN" },
      },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:15:00.000Z",
    },
  },
  {
    name: "hands out no session whose lease alone Vault may have cut short",
    connection,
    grant: { role: "shop-deploy", dynamic: "aws/creds/deploy", env: { AWS_ACCESS_KEY_ID: "access_key" } },
    ttlSeconds: 900,
    replies: [
      loggedIn(),
      ...held,
      answer({
        lease_id: "aws/creds/deploy/abc",
        lease_duration: 900,
        data: { access_key: "ASIAEXAMPLE", secret_key: "wJalrXUtn", security_token: "IQoJb3Jp" },
        warnings: [`TTL of "1h" exceeded the effective max_ttl of "15m"; ${FOREIGN_TEXT}`],
      }),
      done,
    ],
    expect: { code: "provider_response_invalid", detailHolds: "max_lease_ttl" },
  },
  {
    name: "does not have a session's lease shortened, which would leave the session as long as it is",
    connection,
    grant: { role: "shop-deploy", dynamic: "aws/creds/deploy", env: { AWS_ACCESS_KEY_ID: "access_key" } },
    ttlSeconds: 900,
    replies: [
      loggedIn(),
      ...held,
      answer({
        lease_id: "aws/creds/deploy/abc",
        lease_duration: 3600,
        renewable: true,
        data: { access_key: "ASIAEXAMPLE", secret_key: "wJalrXUtn", session_token: "IQoJb3Jp" },
      }),
      done,
    ],
    expect: { code: "provider_response_invalid", detailHolds: "cannot be shortened" },
  },
]
