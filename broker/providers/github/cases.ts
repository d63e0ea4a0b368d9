import { FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import { logins } from "./cases-logins.ts"
import { otherThanAsked } from "./cases-other-than-asked.ts"
import {
  connection,
  END,
  ended,
  FIND,
  GIVE,
  given,
  gone,
  grant,
  installation,
  minted,
  refused,
  request,
  SHOP,
  secrets,
  TOKEN,
} from "./recorded.ts"

const NOT_GRANTED = "The permissions requested are not granted to this installation."
const NOT_REACHED =
  "There is at least one repository that does not exist or is not accessible to the parent installation."
const SUSPENDED = "This installation has been suspended"

const denials: readonly ProviderCase[] = (
  [
    ["an App that is not installed", [refused(404, "Not Found")], "not installed on acme"],
    [
      "an App that does not exist",
      [refused(404, "Integration not found")],
      "has no App with the connection's app_id. Correct app_id",
    ],
    ["an installation that is suspended", [installation({ suspended_at: "2026-11-20T09:00:00Z" })], "is suspended"],
    ["an installation that was suspended just now", [installation(), refused(403, SUSPENDED)], "is suspended"],
    [
      "an owner's name that is another account's now",
      [installation({ account: { id: 666 } })],
      "does not have the id owner_id",
    ],
    ["a key that is not the App's", [refused(401)], "Check app_id and key"],
    ["an organisation that does not let the App in", [refused(403)], "restricts Apps"],
    [
      "a permission that the installation has not",
      [installation(), refused(422, NOT_GRANTED)],
      "lacks some of contents: write, pull_requests: read",
    ],
    [
      "a repository that the installation does not reach",
      [installation(), refused(422, NOT_REACHED)],
      "does not include all of shop, docs",
    ],
    ["a sentence that nobody knows", [installation(), refused(422)], "Compare the grant's repositories"],
    ["a status that nobody knows", [installation(), refused(410)], "HTTP 410"],
  ] as const
).map(([what, replies, detailHolds]) => ({
  name: `takes ${what} for a refusal`,
  ...request,
  replies,
  expect: { code: "provider_denied", detailHolds },
}))

const unreadable: readonly ProviderCase[] = (
  [
    ["an installation that is not JSON", [{ status: 200, body: "" }]],
    ["an installation without its id", [installation({ id: undefined })]],
    ["an installation without its account", [installation({ account: null })]],
    ["an installation with a status of its own", [{ ...installation(), status: 202 }]],
    ["an oversized installation", [{ failure: "too-large" }]],
    ["an installation elsewhere", [{ failure: "redirect" }]],
    ["an answer without a token", [installation(), given({ token: undefined })]],
    ["a token with a line break", [installation(), given({ token: `${TOKEN}\n` })]],
    ["a token of four letters", [installation(), given({ token: "ghs_" })]],
    ["a token as a number", [installation(), given({ token: 1 })]],
    ["a token that is not JSON", [installation(), { status: 201, body: `<!doctype html><p>${FOREIGN_TEXT}` }]],
    ["a token with a status of its own", [installation(), { ...given(), status: 200 }]],
    ["an oversized token", [installation(), { failure: "too-large" }]],
    ["a token elsewhere", [installation(), { failure: "redirect" }]],
  ] as const satisfies readonly (readonly [string, readonly Reply[]])[]
).map(([what, replies]) => ({
  name: `hands out nothing of ${what}`,
  ...request,
  replies,
  expect: { code: "provider_response_invalid" },
}))

const FAILURES = [
  ["a server error", refused(502)],
  ["a slow answer", { failure: "timeout" }],
  ["a broken connection", { failure: "unreachable" }],
] as const satisfies readonly (readonly [string, Reply])[]

const transient: readonly ProviderCase[] = FAILURES.flatMap(([what, reply]): ProviderCase[] => [
  {
    name: `looks for the installation again after ${what}`,
    ...request,
    replies: [reply, installation(), given()],
    expect: minted,
  },
  {
    name: `asks for no second token after ${what}, as the first may exist`,
    ...request,
    replies: [installation(), reply],
    expect: { code: "provider_unavailable" },
  },
  {
    name: `ends a token again after ${what}`,
    ...request,
    replies: [installation(), given()],
    expect: minted,
    revoke: { replies: [reply, ended], expect: "revoked" },
  },
])

const PATIENCE = [
  [
    "the primary limit",
    refused(403, FOREIGN_TEXT, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795349400" }),
  ],
  ["a secondary limit", refused(429, FOREIGN_TEXT, { "retry-after": "1" })],
  ["a limit that only words tell of", refused(403, "You have exceeded a secondary rate limit.")],
] as const

const throttled: readonly ProviderCase[] = PATIENCE.flatMap(([what, reply]): ProviderCase[] => [
  {
    name: `asks nothing more at ${what}`,
    ...request,
    replies: [reply],
    expect: { code: "provider_throttled" },
  },
  {
    name: `asks for no second token at ${what}`,
    ...request,
    replies: [installation(), reply],
    expect: { code: "provider_throttled" },
  },
])

/** Stories of GitHub: given, refused, other than asked, unreadable, failing, throttled, and the ways of an end. */
export const cases: readonly ProviderCase[] = [
  {
    name: "hands out a token for the grant's repositories and permissions, and ends it",
    ...request,
    replies: [installation(), given()],
    calls: [
      {
        method: "GET",
        url: FIND,
        headers: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" },
      },
      {
        method: "POST",
        url: GIVE,
        headers: { "content-type": "application/json" },
        bodyHolds: ['{"repositories":["shop","docs"],"permissions":{"contents":"write","pull_requests":"read"}}'],
      },
    ],
    expect: minted,
    revoke: {
      replies: [ended],
      calls: [{ method: "DELETE", url: END, headers: { authorization: `Bearer ${TOKEN}` } }],
      expect: "revoked",
    },
  },
  {
    name: "asks by id where the grant has ids, at the connection's own GitHub, and puts the token where the grant says",
    connection: { ...connection, app_id: "Iv23liexampleexample", api_url: "https://github.example.com/api/v3/" },
    grant: { ...grant, repository_ids: ["42", "41"], env: "GH_ENTERPRISE_TOKEN" },
    secrets,
    ttlSeconds: 3600,
    replies: [installation(), given()],
    calls: [
      { method: "GET", url: "https://github.example.com/api/v3/users/acme/installation" },
      {
        method: "POST",
        url: "https://github.example.com/api/v3/app/installations/51000000/access_tokens",
        bodyHolds: ['{"repository_ids":[42,41],"permissions":'],
      },
    ],
    expect: { ...minted, values: { token: { secret: true, env: "GH_ENTERPRISE_TOKEN", value: TOKEN } } },
    revoke: {
      replies: [ended],
      calls: [{ method: "DELETE", url: "https://github.example.com/api/v3/installation/token" }],
      expect: "revoked",
    },
  },
  {
    name: "takes back a token for a repository of the same name and another id",
    ...request,
    grant: { ...grant, repository_ids: ["41", "77"] },
    replies: [installation(), given(), ended],
    expect: { code: "provider_response_invalid", detailHolds: "other repositories" },
  },
  {
    name: "says that a token was not right even when it cannot be taken back",
    ...request,
    replies: [installation(), given({ repositories: [SHOP] }), refused(403)],
    expect: { code: "provider_response_invalid" },
  },
  {
    name: "needs nothing beside what GitHub adds where that is all that is asked",
    ...request,
    grant: { repositories: ["shop"], permissions: { metadata: "read" } },
    replies: [installation(), given({ permissions: { metadata: "read" }, repositories: [SHOP] })],
    expect: minted,
  },
  {
    name: "names the connection when a token cannot be ended",
    ...request,
    replies: [installation(), given()],
    expect: minted,
    revoke: { replies: [refused(403)], expect: { code: "provider_denied", detailHolds: "connection the-connection" } },
  },
  {
    name: "takes a token for ended when GitHub goes on not knowing it",
    ...request,
    replies: [installation(), given()],
    expect: minted,
    revoke: { replies: [gone, gone, gone], expect: "revoked" },
  },
  {
    name: "ends a token that GitHub did not know yet",
    ...request,
    replies: [installation(), given()],
    expect: minted,
    revoke: { replies: [gone, ended], expect: "revoked" },
  },
  {
    name: "cannot do without the App's key",
    ...request,
    secrets: {},
    replies: [],
    expect: { code: "configuration_invalid" },
  },
  {
    name: "takes no key that is none",
    ...request,
    secrets: { ACME_DEPLOY_APP_KEY: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" },
    replies: [],
    expect: { code: "configuration_invalid", detailHolds: "env:ACME_DEPLOY_APP_KEY is only the public half" },
  },
  ...logins,
  ...denials,
  ...otherThanAsked,
  ...unreadable,
  ...transient,
  ...throttled,
]
