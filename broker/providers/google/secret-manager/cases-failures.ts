import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../../case.ts"
import { minted } from "../../case-store.ts"
import { answer, apiRefused, exchanged, HTML } from "../recorded.ts"
import { asking, CHECKSUM_OF_PASSWORD, found, NAME, request } from "./recorded.ts"

const refusals: readonly ProviderCase[] = (
  [
    ["a secret that it may not read", apiRefused(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"), "secretAccessor"],
    ["an API that is off", apiRefused(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), "secretmanager.googleapis.com"],
    ["a project that is not there", apiRefused(403, "PERMISSION_DENIED", "CONSUMER_INVALID"), "no project acme-prod"],
    ["a perimeter", apiRefused(403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED"), "VPC Service Controls"],
    ["a token that it does not take", apiRefused(401, "UNAUTHENTICATED"), "did not take Google's own token"],
    ["a regional secret without its region", apiRefused(400, "INVALID_ARGUMENT"), "location"],
    ["a code that nobody knows", apiRefused(403, "OUT_OF_RANGE"), "audit logs"],
    ["a page of somebody else's", { ...HTML, status: 404 }, "does not speak as Google's API does"],
  ] as const
).map(([what, reply, detailHolds]) => ({
  name: `refuses ${what}, and says what to change`,
  ...request,
  replies: [exchanged(), reply],
  expect: { code: "provider_denied", detailHolds },
}))

const unusable: readonly ProviderCase[] = (
  [
    ["a secret that is not there", apiRefused(404, "NOT_FOUND"), "secret_not_found", "shop-db names"],
    ["a version that is disabled", apiRefused(400, "FAILED_PRECONDITION"), "secret_unusable", "disabled or destroyed"],
    ["an empty payload", found(""), "secret_unusable", "allow_empty"],
    ["a payload with a NUL", found(`${FOREIGN_TEXT}\0`), "secret_unusable", "as: file"],
    ["a payload with a carriage return", found(`${FOREIGN_TEXT}\r\n`), "secret_unusable", "as: file"],
    ["a binary payload", found(Uint8Array.of(0xff, 0xfe, 0x00)), "secret_unusable", "is binary"],
    ["a payload that is too large", found(FOREIGN_TEXT.repeat(4_200)), "secret_unusable", "64 KiB"],
  ] as const
).map(([what, reply, code, detailHolds]) => ({
  name: `refuses ${what}, and says what to change`,
  ...request,
  replies: [exchanged(), reply],
  expect: { code, detailHolds },
}))

const fields: readonly ProviderCase[] = (
  [
    ["of JSON that has it not", '{"host":"db"}', "secret_not_found", "a field that is not there"],
    ["of what is no JSON", FOREIGN_TEXT, "secret_unusable", "no JSON"],
  ] as const
).map(([what, content, code, detailHolds]) => ({
  name: `refuses a field ${what}`,
  ...asking("shop-db#port"),
  replies: [exchanged(), found(content)],
  expect: { code, detailHolds },
}))

const spoiled: readonly ProviderCase[] = (
  [
    ["a payload without a checksum", found(FOREIGN_TEXT, NAME, { dataCrc32c: undefined })],
    ["a payload with another's checksum", found(FOREIGN_TEXT, NAME, { dataCrc32c: CHECKSUM_OF_PASSWORD })],
    ["a checksum that is a number", found(FOREIGN_TEXT, NAME, { dataCrc32c: 343475146 })],
    ["a payload without data", found(FOREIGN_TEXT, NAME, { data: undefined })],
    ["data that is no base64", found(FOREIGN_TEXT, NAME, { data: "a canary" })],
    ["no payload", answer(200, { name: NAME })],
    ["a payload without a name", found(FOREIGN_TEXT, null)],
    ["another secret", found(FOREIGN_TEXT, "projects/210987654321/secrets/shop-DB/versions/7")],
    ["another project by its id", found(FOREIGN_TEXT, "projects/acme-dev/secrets/shop-db/versions/7")],
    ["a regional secret", found(FOREIGN_TEXT, "projects/1/locations/europe-west3/secrets/shop-db/versions/7")],
    ["a name without a version", found(FOREIGN_TEXT, "projects/210987654321/secrets/shop-db")],
    ["a version without a number", found(FOREIGN_TEXT, "projects/210987654321/secrets/shop-db/versions/latest")],
    ["a page of somebody else's", HTML],
    ["garbage", { status: 200, body: `\0${FOREIGN_TEXT}` }],
    ["an oversized answer", { failure: "too-large" }],
    ["a redirect", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `hands out nothing of ${what}`,
  ...request,
  replies: [exchanged(), reply as Reply],
  expect: { code: "provider_response_invalid" },
}))

const passing: readonly ProviderCase[] = (
  [
    ["throttling", apiRefused(429, "RESOURCE_EXHAUSTED")],
    ["a server error", apiRefused(500, "INTERNAL")],
    ["an API that is unavailable", apiRefused(503, "UNAVAILABLE")],
    ["a slow answer", { failure: "timeout" }],
    ["a broken connection", { failure: "unreachable" }],
  ] as const
).map(([what, reply]) => ({
  name: `asks again after ${what}`,
  ...request,
  replies: [exchanged(), reply, found()],
  expect: minted("the password"),
}))

/** What Secret Manager itself can refuse, spoil or fail to do. */
export const failures: readonly ProviderCase[] = [...refusals, ...unusable, ...fields, ...spoiled, ...passing]
