import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import { answer, connection, done, errors, exactly, LOGIN, loggedIn, REVOKE_SELF, URL, withToken } from "./recorded.ts"
import { kept, password, request, stays } from "./recorded-read.ts"

const removed = (how: { readonly destroyed: boolean }): Reply =>
  answer(
    {
      data: {
        data: null,
        metadata: {
          created_time: "2026-11-01T00:00:00Z",
          custom_metadata: null,
          deletion_time: "2026-11-02T00:00:00Z",
          version: 7,
          ...how,
        },
      },
    },
    404,
  )

const happy: readonly ProviderCase[] = [
  {
    name: "reads a field of a secret, which does not end by itself",
    ...request,
    replies: [loggedIn(), kept({ password: "correct horse" })],
    calls: [LOGIN, { method: "GET", url: `${URL}/v1/secret/data/shop/db`, headers: withToken }],
    expect: { values: password, ...stays },
  },
  {
    name: "reads each secret and version once, from engines of both versions, in namespaces and below longer mounts",
    ...request,
    connection: { ...connection, namespace: "acme/ci", mount: "ci/jwt", audience: "vault" },
    grant: {
      role: "shop-deploy",
      read: {
        USER: "team/kv/shop/db#user",
        PASSWORD: "team/kv/shop/db#password",
        OLD_PASSWORD: "team/kv/shop/db?version=6#password",
        PORT: "legacy/shop#port",
        TLS: { from: "legacy/shop#tls", as: "file", mode: "0400" },
        NOTE: { from: "legacy/shop#note", allow_empty: true },
      },
    },
    replies: [
      loggedIn({ token_type: "batch", renewable: false }),
      kept({ user: "shop", password: "new", other: { deep: true } }),
      kept({ password: "old" }, 6),
      answer({ lease_duration: 2_764_800, data: { port: 5432, tls: true, note: "" } }),
    ],
    calls: [
      { ...LOGIN, url: `${URL}/v1/auth/ci/jwt/login`, headers: { "x-vault-namespace": "acme/ci" } },
      {
        method: "GET",
        url: `${URL}/v1/team/kv/data/shop/db`,
        headers: { ...withToken, "x-vault-namespace": "acme/ci" },
      },
      { method: "GET", url: `${URL}/v1/team/kv/data/shop/db?version=6` },
      { method: "GET", url: `${URL}/v1/legacy/shop` },
    ],
    expect: {
      values: {
        USER: { secret: true, env: "USER", value: "shop" },
        PASSWORD: { secret: true, env: "PASSWORD", value: "new" },
        OLD_PASSWORD: { secret: true, env: "OLD_PASSWORD", value: "old" },
        PORT: { secret: true, env: "PORT", value: "5432" },
        TLS: { secret: true, env: "TLS", value: "true", file: { mode: "0400" } },
        NOTE: { secret: true, env: "NOTE", value: "" },
      },
      ...stays,
    },
  },
]

const refusals: readonly ProviderCase[] = (
  [
    [
      "a policy that does not let it read",
      errors(403, "1 error occurred:\n\t* permission denied\n\n"),
      "provider_denied",
      'path "secret/data/shop/db" { capabilities = ["read"] }',
    ],
    ["a secret that is not there", exactly(404), "secret_not_found", "no such secret"],
    [
      "an engine that is not there",
      errors(404, "no handler for route"),
      "secret_not_found",
      "is not a KV engine of version 2",
    ],
    ["a version that was deleted", removed({ destroyed: false }), "secret_not_found", "was deleted in version 7"],
    [
      "a version that was destroyed",
      removed({ destroyed: true }),
      "secret_not_found",
      "was destroyed permanently in version 7",
    ],
    ["a field that does not exist", kept({ user: "shop" }), "secret_not_found", "a field that does not exist"],
    ["a field that is a map", kept({ password: { old: FOREIGN_TEXT } }), "secret_unusable", "not a single text"],
    ["an empty field", kept({ password: "" }), "secret_unusable", "is empty"],
    [
      "a call that the engine does not know",
      errors(405, "unsupported operation"),
      "provider_denied",
      "KV engine of version 2",
    ],
  ] as const
).map(([what, reply, code, detailHolds]) => ({
  name: `reads nothing of ${what}`,
  ...request,
  replies: [loggedIn(), reply],
  expect: { code, detailHolds },
}))

const spoiled: readonly ProviderCase[] = (
  [
    ["a wrapped answer", answer({ wrap_info: { token: FOREIGN_TEXT, ttl: 60 } }), "min_wrapping_ttl"],
    ["an answer that is not JSON", { status: 200, body: `<html>${FOREIGN_TEXT}` }, "not a secret"],
    ["an answer without data", answer({}), "not a secret"],
    ["an answer of an engine of version 1", answer({ data: { password: FOREIGN_TEXT } }), "not a secret"],
    ["an oversized answer", { failure: "too-large" }, "too-large"],
    ["a standby node's redirect", { failure: "redirect" }, "standby"],
  ] as const
).map(([what, reply, detailHolds]) => ({
  name: `hands out nothing of ${what} to a read`,
  ...request,
  replies: [loggedIn(), reply],
  expect: { code: "provider_response_invalid", detailHolds },
}))

const transient: readonly ProviderCase[] = (
  [
    ["throttling", errors(429, "request path rate limit quota exceeded")],
    ["a sealed Vault", errors(503, "Vault is sealed")],
    ["a node that has not caught up", errors(412, "required index state not present")],
    ["a performance standby", errors(473, "standby")],
    ["a server error", errors(500, "internal error")],
    ["a slow answer", { failure: "timeout" }],
    ["a broken connection", { failure: "unreachable" }],
  ] as const
).map(([what, reply]) => ({
  name: `reads again after ${what}`,
  ...request,
  replies: [loggedIn(), reply, kept({ password: "correct horse" })],
  expect: { values: password, ...stays },
}))

export const readCases: readonly ProviderCase[] = [
  ...happy,
  ...refusals,
  ...spoiled,
  ...transient,
  {
    name: "gives up on a Vault that stays sealed",
    ...request,
    replies: [loggedIn(), ...Array.from({ length: 5 }, () => errors(503, "Vault is sealed"))],
    expect: { code: "provider_unavailable", detailHolds: "sealed" },
  },
  {
    name: "hands out nothing of another version than was asked for",
    ...request,
    grant: { role: "shop-deploy", read: { DB_PASSWORD: "secret/shop/db?version=6#password" } },
    replies: [loggedIn(), kept({ password: "of version 7" }, 7)],
    expect: { code: "provider_response_invalid", detailHolds: "another version" },
  },
  ...(
    [
      ["service", [done]],
      ["batch", []],
    ] as const
  ).map(
    ([type, more]): ProviderCase => ({
      name: `takes back what an engine mints where a secret was to be read, under a ${type} token`,
      ...request,
      grant: { role: "shop-deploy", read: { PASSWORD: "legacy/creds/shop#password" } },
      replies: [
        loggedIn({ token_type: type }),
        answer({ lease_id: "legacy/creds/shop/abc", lease_duration: 3600, data: { password: FOREIGN_TEXT } }),
        done,
        ...more,
      ],
      calls: [
        LOGIN,
        { method: "GET", url: `${URL}/v1/legacy/creds/shop` },
        { method: "POST", url: `${URL}/v1/sys/leases/revoke`, bodyHolds: ["legacy/creds/shop/abc"] },
        ...(more.length === 0 ? [] : [REVOKE_SELF]),
      ],
      expect: { code: "secret_unusable", detailHolds: "dynamic" },
    }),
  ),
]
