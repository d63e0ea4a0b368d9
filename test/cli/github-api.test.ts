import { describe, expect, it } from "vitest"
import { HttpError, type HttpFailure, type HttpRequest, type HttpResponse } from "../../broker/ports/http.ts"
import { connectGitHub, type GitHub, part } from "../../cli/github/api.ts"
import { GitHubError } from "../../cli/github/github-error.ts"

const NOW = new Date("2026-11-29T21:00:00Z")
const TOKEN = "ghs_1234567890abcdefghijklmnop"

type Reply = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }

const responseOf = ({ status, headers = {}, body }: Reply): HttpResponse => ({
  status,
  header: (name) => headers[name] ?? null,
  body:
    body === undefined
      ? new Uint8Array()
      : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
})

/** GitHub's API that answers these, in this order; and what was asked. */
function scripted(...replies: readonly (Reply | HttpFailure)[]): { github: GitHub; asked: HttpRequest[] } {
  const asked: HttpRequest[] = []
  const connected = connectGitHub({
    env: { GH_TOKEN: TOKEN, GITHUB_API_URL: "https://git.acme.example/api/v3/" },
    now: () => NOW,
    http: async (request) => {
      const reply = replies[asked.push(request) - 1]
      if (reply === undefined) throw new Error("nobody expected another request")
      if (typeof reply === "string") throw new HttpError(reply)
      return responseOf(reply)
    },
  })
  if (!connected.ok) throw new Error(connected.fault)
  return { github: connected.value, asked }
}

async function refusal(reply: Reply | HttpFailure): Promise<GitHubError> {
  const error = await scripted(reply)
    .github.call({ what: "the secrets of acme/shop", path: "/x" })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    )
  if (!(error instanceof GitHubError)) throw new Error("it was not refused")
  return error
}

describe("GitHub's API from the command line", () => {
  it.each<[Reply | HttpFailure, GitHubError["reason"], string]>([
    [{ status: 401 }, "token", "GitHub refuses the token in $GITHUB_TOKEN or $GH_TOKEN: it is wrong or has expired"],
    [
      { status: 403, headers: { "x-accepted-github-permissions": "secrets=read" } },
      "permission",
      "GitHub refuses this token for the secrets of acme/shop: give it the permission secrets: read",
    ],
    [
      {
        status: 403,
        headers: { "x-accepted-github-permissions": "contents=write,workflows=write; administration=write" },
      },
      "permission",
      "GitHub refuses this token for the secrets of acme/shop: give it the permission contents: write and workflows: write, or administration: write",
    ],
    [
      { status: 403, headers: { "x-accepted-oauth-scopes": "admin:org, repo" } },
      "permission",
      "GitHub refuses this token for the secrets of acme/shop: give it the scope admin:org or repo",
    ],
    [
      { status: 403, headers: { "x-accepted-github-permissions": "a=b\n::error::x" } },
      "permission",
      "GitHub refuses this token for the secrets of acme/shop: it lacks a permission that GitHub does not name. A fine-grained token needs the resource's owner to have approved it",
    ],
    [
      {
        status: 403,
        headers: { "x-github-sso": "required; url=https://github.com/orgs/acme/sso?authorization_request=A1" },
      },
      "permission",
      "GitHub refuses this token for the secrets of acme/shop: the organisation requires single sign-on. Authorise the token for it in GitHub's settings, under Developer settings, with Configure SSO",
    ],
    [
      { status: 200, headers: { "x-github-sso": "partial-results; organizations=21955855" }, body: [] },
      "permission",
      "GitHub left organisations out of the secrets of acme/shop: the organisation requires single sign-on. Authorise the token for it in GitHub's settings, under Developer settings, with Configure SSO",
    ],
    [
      { status: 404, headers: { "x-accepted-github-permissions": "secrets=read" } },
      "absent",
      "GitHub finds no secrets of acme/shop, or the token may not read it: that needs the permission secrets: read",
    ],
    [
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW.getTime() / 1000 + 750) },
      },
      "limited",
      "GitHub's rate limit for this token is exceeded: try again after 21:12 UTC (13 minutes)",
    ],
    [
      { status: 429, headers: { "retry-after": "30" } },
      "limited",
      "GitHub's rate limit for this token is exceeded: try again after 21:00 UTC (1 minute)",
    ],
    [
      { status: 403, body: { message: "You have exceeded a secondary rate limit. Please wait." } },
      "limited",
      "GitHub's rate limit for this token is exceeded: try again after 21:01 UTC (1 minute)",
    ],
    [{ status: 409 }, "conflict", "GitHub cannot do that with the secrets of acme/shop in its present state"],
    [
      { status: 422, body: { message: "Reference already exists" } },
      "invalid",
      "GitHub does not accept what was asked about the secrets of acme/shop",
    ],
    [
      { status: 502, body: "<html>\u001b[2J" },
      "answer",
      "GitHub (https://git.acme.example/api/v3) answered HTTP 502 about the secrets of acme/shop",
    ],
    [
      { status: 200, body: "<html>" },
      "answer",
      "GitHub (https://git.acme.example/api/v3) answered about the secrets of acme/shop with what is not JSON: check GITHUB_API_URL",
    ],
    ["unreachable", "unreachable", "GitHub (https://git.acme.example/api/v3) cannot be reached"],
    [
      "redirect",
      "redirect",
      "GitHub says that the secrets of acme/shop was renamed or moved. Others can take over the old name, so use the new one",
    ],
  ])("says of %o what to change", async (reply, reason, sentence) => {
    const error = await refusal(reply)
    expect([error.reason, error.message]).toEqual([reason, sentence])
  })

  it("sends the token, the version of the API and a body as JSON, below the base URL", async () => {
    const { github, asked } = scripted({ status: 201, body: { number: 7 } })
    expect(await github.call({ what: "it", method: "POST", path: "/pulls", body: { a: 1 }, success: 201 })).toEqual({
      number: 7,
    })
    expect(asked[0]).toMatchObject({
      method: "POST",
      url: "https://git.acme.example/api/v3/pulls",
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "x-github-api-version": "2022-11-28",
        "content-type": "application/json",
      },
      body: '{"a":1}',
    })
  })

  it("reads every page, and never follows a link to another server", async () => {
    const link = (url: string) => ({
      link: `<${url}>; rel="next", <https://git.acme.example/api/v3/l?page=9>; rel="last"`,
    })
    const { github, asked } = scripted(
      { status: 200, body: [1], headers: link("https://git.acme.example/api/v3/organizations/9/repos?page=2") },
      { status: 200, body: [2], headers: { link: '<https://git.acme.example/api/v3/l?page=1>; rel="first"' } },
    )
    expect(await github.pages({ what: "them", path: "/l" })).toEqual([[1], [2]])
    expect(asked.map(({ url }) => url)).toEqual([
      "https://git.acme.example/api/v3/l",
      "https://git.acme.example/api/v3/organizations/9/repos?page=2",
    ])
    for (const elsewhere of ["https://evil.example/api/v3/l", "https://git.acme.example.evil.example/api/v3/l"]) {
      const away = scripted({ status: 200, body: [], headers: link(elsewhere) })
      await expect(away.github.pages({ what: "them", path: "/l" })).rejects.toThrow("goes on at another server")
      expect(away.asked).toHaveLength(1)
    }
  })

  it("keeps a name that it puts into a path one part of it", () => {
    expect([part("a/b"), part(".."), part("."), part("prod eu"), part("?x#")]).toEqual([
      "a%2Fb",
      "%2E%2E",
      "%2E",
      "prod%20eu",
      "%3Fx%23",
    ])
  })
})
