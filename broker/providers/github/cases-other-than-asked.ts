import type { ProviderCase } from "../case.ts"
import { DOCS, END, ended, FIND, GIVE, given, installation, repository, request, SHOP, TOKEN } from "./recorded.ts"

/** Stories of tokens that are more, less or other than what was asked: each is taken back before anybody is told. */
export const otherThanAsked: readonly ProviderCase[] = (
  [
    [
      "for all repositories",
      { repository_selection: "all", repositories: undefined },
      "the token's repositories and permissions",
    ],
    ["for all repositories that there are now", { repository_selection: "all" }, "more than the grant's"],
    ["for one repository more", { repositories: [SHOP, DOCS, repository(43, "ops")] }, "other repositories"],
    ["for one repository less", { repositories: [SHOP] }, "other repositories"],
    ["for no repository", { repositories: [] }, "other repositories"],
    ["for a renamed repository", { repositories: [SHOP, repository(42, "handbook")] }, "was renamed"],
    [
      "for somebody else's repository",
      { repositories: [SHOP, repository(42, "docs", { login: "evil", id: 666 })] },
      "of another owner",
    ],
    [
      "with one permission more",
      { permissions: { contents: "write", pull_requests: "read", issues: "read", metadata: "read" } },
      "other permissions",
    ],
    ["with one permission less", { permissions: { contents: "write", metadata: "read" } }, "other permissions"],
    [
      "with a permission to write where it was to read",
      { permissions: { contents: "write", pull_requests: "write", metadata: "read" } },
      "other permissions",
    ],
    [
      "with more of what GitHub adds by itself",
      { permissions: { contents: "write", pull_requests: "read", metadata: "write" } },
      "other permissions",
    ],
    ["without its permissions", { permissions: undefined }, "the token's repositories and permissions"],
    ["without its end", { expires_at: undefined }, "the token's repositories and permissions"],
    ["that ended already", { expires_at: "2026-11-22T12:00:00Z" }, "already expired"],
    ["that lives longer than an hour", { expires_at: "2026-11-22T14:00:00Z" }, "longer than an hour"],
  ] as const
).map(([what, change, detailHolds]) => ({
  name: `takes back a token ${what}`,
  ...request,
  replies: [installation(), given(change), ended],
  calls: [
    { method: "GET", url: FIND },
    { method: "POST", url: GIVE },
    { method: "DELETE", url: END, headers: { authorization: `Bearer ${TOKEN}` } },
  ],
  expect: { code: "provider_response_invalid", detailHolds },
}))
