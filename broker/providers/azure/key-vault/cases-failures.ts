import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../../case.ts"
import { minted } from "../../case-store.ts"
import { CLIENT } from "../recorded.ts"
import { asking, FUTURE, found, loggedIn, PAST, refused, request, VAULT, VERSION } from "./recorded.ts"

const HTML = `<!doctype html><p>${FOREIGN_TEXT}`

const refusals: readonly ProviderCase[] = (
  [
    ["a secret that it may not read by its roles", refused(403, "Forbidden", "ForbiddenByRbac"), "Secrets User"],
    ["a secret that no access policy gives", refused(403, "Forbidden", "AccessDenied"), `lets client ${CLIENT} get`],
    ["a vault behind its firewall", refused(403, "Forbidden", "ForbiddenByFirewall"), "firewall"],
    ["a private vault", refused(403, "Forbidden", "ForbiddenByConnection"), "private endpoints"],
    ["a policy for another flow", refused(403, "Forbidden", "ForbiddenByPolicy"), "names the client alone"],
    ["what is forbidden for no reason", refused(403, "Forbidden"), "may not read shop-db"],
    ["a token of another tenant", refused(401, "Unauthorized"), "tenant must be the vault's own"],
    ["what is no vault", refused(400, "BadParameter"), "url is a vault's"],
    ["a code that nobody knows", refused(403, "constructor", "toString"), "diagnostic logs"],
    ["a page of somebody else's", { status: 404, body: HTML }, "does not speak as Key Vault does"],
  ] as const
).map(([what, reply, detailHolds]) => ({
  name: `refuses ${what}, and says what to change`,
  ...request,
  replies: [loggedIn(), reply],
  expect: { code: "provider_denied", detailHolds },
}))

const unusable: readonly ProviderCase[] = (
  [
    ["a secret that is not there", refused(404, "SecretNotFound"), "secret_not_found", "shop-db names"],
    [
      "a secret that Key Vault calls disabled",
      refused(403, "Forbidden", "SecretDisabled"),
      "secret_unusable",
      "disabled",
    ],
    ["a secret that Key Vault calls expired", refused(403, "Forbidden", "SecretExpired"), "secret_unusable", "expired"],
    ["a disabled secret", found({}, { enabled: false }), "secret_unusable", "is disabled"],
    ["an expired secret", found({}, { exp: PAST }), "secret_unusable", "has expired"],
    ["a secret of the future", found({}, { nbf: FUTURE }), "secret_unusable", "not valid yet"],
    ["an empty value", found({ value: "" }), "secret_unusable", "allow_empty"],
    ["a value with a NUL", found({ value: `${FOREIGN_TEXT}\0` }), "secret_unusable", "as: file"],
    ["a value with a carriage return", found({ value: `${FOREIGN_TEXT}\r\n` }), "secret_unusable", "as: file"],
    ["a value that is too large", found({ value: FOREIGN_TEXT.repeat(4_200) }), "secret_unusable", "64 KiB"],
  ] as const
).map(([what, reply, code, detailHolds]) => ({
  name: `refuses ${what}, and says what to change`,
  ...request,
  replies: [loggedIn(), reply],
  expect: { code, detailHolds },
}))

const fields: readonly ProviderCase[] = (
  [
    ["of JSON that has it not", '{"host":"db"}', "secret_not_found", "a field that is not there"],
    ["of what is no JSON", FOREIGN_TEXT, "secret_unusable", "no JSON"],
  ] as const
).map(([what, value, code, detailHolds]) => ({
  name: `refuses a field ${what}`,
  ...asking("shop-db#port"),
  replies: [loggedIn(), found({ value })],
  expect: { code, detailHolds },
}))

const spoiled: readonly ProviderCase[] = (
  [
    ["a secret without a value", found({ value: undefined })],
    ["a secret without an id", found({ value: FOREIGN_TEXT, id: undefined })],
    ["a secret without attributes", found({ value: FOREIGN_TEXT, attributes: undefined })],
    ["a secret that may be disabled", found({ value: FOREIGN_TEXT }, { enabled: undefined })],
    ["a secret that ends at no time", found({ value: FOREIGN_TEXT }, { exp: "tomorrow" })],
    ["another secret", found({ value: FOREIGN_TEXT, id: `${VAULT}/secrets/shop-db2/${VERSION}` })],
    [
      "another vault's",
      found({ value: FOREIGN_TEXT, id: `https://acme-dev.vault.azure.net/secrets/shop-db/${VERSION}` }),
    ],
    [
      "another vault's, behind a name",
      found({ value: FOREIGN_TEXT, id: `${VAULT}@example.com/secrets/shop-db/${VERSION}` }),
    ],
    ["a key", found({ value: FOREIGN_TEXT, id: `${VAULT}/keys/shop-db/${VERSION}` })],
    ["a secret without a version", found({ value: FOREIGN_TEXT, id: `${VAULT}/secrets/shop-db` })],
    ["a version with more behind it", found({ value: FOREIGN_TEXT, id: `${VAULT}/secrets/shop-db/${VERSION}/x` })],
    ["an id that is none", found({ value: FOREIGN_TEXT, id: "shop-db" })],
    ["a page of somebody else's", { status: 200, body: HTML }],
    ["garbage", { status: 200, body: `\0${FOREIGN_TEXT}` }],
    ["an oversized answer", { failure: "too-large" }],
    ["a redirect", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `hands out nothing of ${what}`,
  ...request,
  replies: [loggedIn(), reply as Reply],
  expect: { code: "provider_response_invalid" },
}))

const passing: readonly ProviderCase[] = (
  [
    ["throttling", { ...refused(429, "Throttled"), headers: { "retry-after": "1" } }],
    ["a server error", refused(500, "InternalServerError")],
    ["a slow answer", { failure: "timeout" }],
    ["a broken connection", { failure: "unreachable" }],
  ] as const
).map(([what, reply]) => ({
  name: `asks again after ${what}`,
  ...request,
  replies: [loggedIn(), reply as Reply, found()],
  expect: minted("the password"),
}))

/** What Key Vault itself can refuse, spoil or fail to do. */
export const failures: readonly ProviderCase[] = [...refusals, ...unusable, ...fields, ...spoiled, ...passing]
