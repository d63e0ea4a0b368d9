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
    ttl_parameter: "ttl",
    env: { TLS_KEY: { from: "private_key", as: "file", mode: "0400" }, TLS_SERIAL: "serial_number" },
  },
  ttlSeconds: 900,
}

const issued = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  answer({ data: { private_key: "-----BEGIN\nkey\n", serial_number: "4a:23", ...change } })

const values = {
  private_key: { secret: true, env: "TLS_KEY", file: { mode: "0400" } },
  serial_number: { secret: true, env: "TLS_SERIAL", value: "4a:23" },
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
    ["has expired already", { expiration: NOW_SECONDS - 1 }, "expired already"],
    ["has a rest of life that is longer", { ttl: 86_400 }, "longer than was granted"],
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
      }),
      done,
    ],
    expect: {
      values: {
        access_key: { secret: true, env: "AWS_ACCESS_KEY_ID" },
        secret_key: { secret: true, env: "AWS_SECRET_ACCESS_KEY" },
        security_token: { secret: true, env: "AWS_SESSION_TOKEN" },
      },
      revocation: "expires-only",
      expiresAt: "2026-11-22T12:15:00.000Z",
    },
  },
]
