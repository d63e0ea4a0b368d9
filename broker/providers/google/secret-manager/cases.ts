import { FOREIGN_TEXT, type ProviderCase } from "../../case.ts"
import { minted } from "../../case-store.ts"
import { wholeStories } from "../../case-whole.ts"
import { ACCOUNT, apiRefused, exchanged, FEDERATED, impersonated, OF_ACCOUNT, stsRefused } from "../recorded.ts"
import { failures } from "./cases-failures.ts"
import {
  accessCall,
  asking,
  CHECKSUM_OF_PASSWORD,
  connection,
  EXCHANGE_CALL,
  found,
  NAME,
  request,
  SCOPE,
} from "./recorded.ts"

const whole = wholeStories({
  way: { connection },
  from: "shop-db",
  before: [exchanged()],
  found: (values) => found(JSON.stringify(values)),
  calls: [EXCHANGE_CALL, accessCall("shop-db/versions/latest")],
  denied: apiRefused(403, "PERMISSION_DENIED"),
  missing: apiRefused(404, "NOT_FOUND"),
})

/** Stories of Secret Manager: versions read one by one, refused, spoiled, damaged, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "logs in once, and reads each version once, whatever fields of it are wanted",
    ...asking("shop-db", "shop-db@7", "shop-db@blue", "shop_KEYS#old", "shop_KEYS#n"),
    replies: [
      exchanged(),
      found(),
      found("of seven"),
      found("of blue", "projects/210987654321/secrets/shop-db/versions/12"),
      found('{"old":"k1","n":20261}', "projects/210987654321/secrets/shop_KEYS/versions/1"),
    ],
    calls: [
      EXCHANGE_CALL,
      accessCall("shop-db/versions/latest"),
      accessCall("shop-db/versions/7"),
      accessCall("shop-db/versions/blue"),
      accessCall("shop_KEYS/versions/latest"),
    ],
    expect: minted("the password", "of seven", "of blue", "k1", "20261"),
  },
  {
    name: "takes the checksum that Google gives, which is not its own",
    ...request,
    replies: [exchanged(), found("the password", NAME, { dataCrc32c: CHECKSUM_OF_PASSWORD })],
    expect: minted("the password"),
  },
  {
    name: "takes a version without a checksum, as those from before July 2021 may be",
    ...request,
    replies: [exchanged(), found("the password", NAME, { dataCrc32c: undefined })],
    expect: minted("the password"),
  },
  {
    name: "reads as the service account that the connection names, for five minutes",
    ...request,
    connection: { ...connection, service_account: ACCOUNT },
    replies: [exchanged(), impersonated({ expireTime: "2026-11-22T12:05:00Z" }), found()],
    calls: [
      { ...EXCHANGE_CALL, bodyHolds: ['"scope":"https://www.googleapis.com/auth/iam"'] },
      {
        method: "POST",
        url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
        headers: { authorization: `Bearer ${FEDERATED}` },
        bodyHolds: [`"scope":["${SCOPE}"]`, '"lifetime":"300s"'],
      },
      accessCall("shop-db/versions/latest", OF_ACCOUNT),
    ],
    expect: minted("the password"),
  },
  {
    name: "reads a regional secret at its region's endpoint, and hands over a binary file",
    connection: { ...connection, project: "210987654321", location: "europe-west3" },
    grant: { read: { KEY_FILE: { from: "shop-key@3", as: "file", mode: "0400" } } },
    ttlSeconds: 900,
    replies: [
      exchanged(),
      found(Uint8Array.of(0, 255, 1), "projects/210987654321/locations/europe-west3/secrets/shop-key/versions/3"),
    ],
    calls: [
      EXCHANGE_CALL,
      {
        method: "GET",
        url: "https://secretmanager.europe-west3.rep.googleapis.com/v1/projects/210987654321/locations/europe-west3/secrets/shop-key/versions/3:access",
      },
    ],
    expect: {
      ...minted(),
      values: {
        KEY_FILE: { secret: true, env: "KEY_FILE", file: { mode: "0400", encoding: "base64" }, value: "AP8B" },
      },
    },
  },
  {
    name: "asks where the connection's own endpoints say",
    ...request,
    connection: {
      ...connection,
      sts_endpoint: "https://sts.p.googleapis.com",
      endpoint: "https://secretmanager-acme.p.googleapis.com",
    },
    replies: [exchanged(), found()],
    calls: [
      { method: "POST", url: "https://sts.p.googleapis.com/v1/token" },
      {
        method: "GET",
        url: "https://secretmanager-acme.p.googleapis.com/v1/projects/acme-prod/secrets/shop-db/versions/latest:access",
      },
    ],
    expect: minted("the password"),
  },
  {
    name: "hands out nothing when one of several is refused",
    ...asking("shop-db", "shop-host"),
    replies: [exchanged(), found(), apiRefused(404, "NOT_FOUND")],
    expect: { code: "secret_not_found", detailHolds: "shop-host names" },
  },
  {
    name: "hands out nothing of another version than the number that was asked for",
    ...asking("shop-db@6"),
    replies: [exchanged(), found(FOREIGN_TEXT)],
    expect: { code: "provider_response_invalid", detailHolds: "another version" },
  },
  {
    name: "hands out nothing of another project than the number that the connection has",
    ...request,
    connection: { ...connection, project: "123456789012" },
    replies: [exchanged(), found(FOREIGN_TEXT)],
    expect: { code: "provider_response_invalid", detailHolds: "another secret" },
  },
  {
    name: "hands out nothing of another region's secret",
    ...request,
    connection: { ...connection, location: "europe-west3" },
    replies: [exchanged(), found(FOREIGN_TEXT)],
    expect: { code: "provider_response_invalid", detailHolds: "another secret" },
  },
  {
    name: "says who may not read, where the connection names a service account",
    ...request,
    connection: { ...connection, service_account: ACCOUNT },
    replies: [exchanged(), impersonated({ expireTime: "2026-11-22T12:05:00Z" }), apiRefused(403, "PERMISSION_DENIED")],
    expect: { code: "provider_denied", detailHolds: `${ACCOUNT} may not read shop-db` },
  },
  {
    name: "takes a refusal of STS for one, and asks for no secret",
    ...request,
    replies: [stsRefused(400, "invalid_grant")],
    expect: { code: "provider_denied", detailHolds: "invalid_grant" },
  },
  {
    name: "hands out nothing when the exchange gives no token",
    ...request,
    replies: [exchanged({ access_token: undefined })],
    expect: { code: "provider_response_invalid" },
  },
  ...failures,
  ...whole,
]
