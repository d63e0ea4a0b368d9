import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase } from "../case.ts"
import { answer, connection, done, errors, exactly, LOGIN, loggedIn, REVOKE_SELF } from "./recorded.ts"

const reading = {
  connection,
  grant: { role: "shop-deploy", read: { DB_PASSWORD: "secret/shop/db#password" } },
  ttlSeconds: 900,
}
const minting = {
  ...reading,
  grant: { role: "shop-deploy", dynamic: "database/creds/shop-rw", env: { PGUSER: "username" } },
}

const INVALID = "error validating token: invalid"

const refusals: readonly ProviderCase[] = (
  [
    [
      "another audience",
      errors(400, `${INVALID} audience (aud) claim: audience claim does not match any expected audience`),
      "bound_audiences",
    ],
    [
      "a role without audiences",
      errors(400, "audience claim found in JWT but no audiences bound to the role"),
      "Set the role's bound_audiences to the connection's audience",
    ],
    ["a role for people", errors(400, "role with oidc role_type is not allowed"), "Set its role_type to jwt"],
    [
      "a broker that Vault cannot reach",
      errors(400, "error configuring token validator: error creating provider"),
      "Vault could not get the broker's keys",
    ],
    [
      "another subject",
      errors(400, `${INVALID} subject (sub) claim`),
      `bound_subject must be exactly the grant's subject, ${CASE_SUBJECT}`,
    ],
    ["claims that are not bound", errors(400, 'error validating claims: claim "ref" does not match'), "bound_claims"],
    ["another issuer", errors(400, `${INVALID} issuer (iss) claim`), "bound_issuer"],
    [
      "keys that Vault does not have",
      errors(400, "error validating token: error verifying token signature: failed"),
      "oidc_discovery_url",
    ],
    ["a token of the past", errors(400, `${INVALID} expiration time (exp) claim: token is expired`), "clocks"],
    ["a token of the future", errors(400, `${INVALID} not before (nbf) claim: token not yet valid`), "clocks"],
    [
      "a token issued in the future",
      errors(400, `${INVALID} issued at (iat) claim: token issued in the future`),
      "clocks",
    ],
    ["a role that is not there", errors(400, 'role "shop-deploy" could not be found'), "no such role"],
    ["a method that is not configured", errors(400, "could not load configuration"), "not configured"],
    ["a role with the policy root", errors(400, "auth methods cannot create root tokens"), "policy root"],
    ["a mount that is not there", exactly(403, "permission denied"), "no JWT auth method"],
    ["a namespace that is not there", exactly(404, "namespace not found"), "namespace"],
    ["something new", errors(400, "something new"), "audit log"],
    [
      "a second factor",
      loggedIn({ client_token: "", mfa_requirement: { mfa_request_id: FOREIGN_TEXT } }),
      "second factor",
    ],
  ] as const
).map(([what, reply, detailHolds]) => ({
  name: `takes ${what} at the login for a refusal and does not ask again`,
  ...reading,
  replies: [reply],
  calls: [LOGIN],
  expect: { code: "provider_denied", detailHolds },
}))

const spoiled: readonly ProviderCase[] = (
  [
    ["without a token", loggedIn({ client_token: "" })],
    ["with a token that no header carries", loggedIn({ client_token: "s.a\nb" })],
    ["that is none", answer({})],
    ["that is wrapped", answer({ wrap_info: { token: FOREIGN_TEXT } })],
    ["that is not JSON", { status: 200, body: `<html>${FOREIGN_TEXT}` }],
    ["that is too large", { failure: "too-large" }],
    ["that points elsewhere", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `uses no login ${what}`,
  ...reading,
  replies: [reply],
  expect: { code: "provider_response_invalid" },
}))

const unreadable: readonly ProviderCase[] = (
  [
    ["without an end", { lease_duration: 0 }],
    ["that has ended", { lease_duration: -1 }],
    ["without policies", { policies: null }],
    ["of a kind that there is not", { token_type: "recovery" }],
    ["with metadata of another form", { metadata: { role: 1 } }],
  ] as const
).flatMap(([what, change]) =>
  [reading, minting].map((request) => ({
    name: `revokes a login ${what}, for ${"read" in request.grant ? "reading" : "minting"}`,
    ...request,
    replies: [loggedIn(change), done],
    calls: [LOGIN, REVOKE_SELF],
    expect: { code: "provider_response_invalid" },
  })),
)

const unwanted: readonly ProviderCase[] = (
  [
    ["of another role", { metadata: { role: "shop-admin" } }, "provider_response_invalid", "another role"],
    ["with the policy root", { policies: ["root"] }, "provider_response_invalid", "root"],
    ["that counts its uses", { num_uses: 3 }, "provider_denied", "token_num_uses"],
  ] as const
).flatMap(([what, change, code, detailHolds]) =>
  [reading, minting].map((request) => ({
    name: `revokes a login ${what}, for ${"read" in request.grant ? "reading" : "minting"}`,
    ...request,
    replies: [loggedIn(change), done],
    calls: [LOGIN, REVOKE_SELF],
    expect: { code, detailHolds },
  })),
)

export const loginCases: readonly ProviderCase[] = [
  ...refusals,
  ...spoiled,
  ...unreadable,
  ...unwanted,
  {
    name: "mints nothing under a batch token, which nobody can revoke",
    ...minting,
    replies: [loggedIn({ token_type: "batch", renewable: false })],
    calls: [LOGIN],
    expect: { code: "provider_denied", detailHolds: "token_type" },
  },
  {
    name: "gives up on throttling of the login that does not pass",
    ...reading,
    replies: Array.from({ length: 5 }, () => errors(429, "rate limit quota exceeded")),
    expect: { code: "provider_throttled" },
  },
]
