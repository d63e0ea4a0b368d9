import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { isBranch, issuerOf, parseRepository } from "../../cli/github/names.ts"
import { runs } from "../support/laws.ts"
import { folderOf, ORGANISATION, POLICY, runCli, runScripted } from "./run-cli.ts"

const TOKEN = "ghs_1234567890abcdefghijklmnopqrstuvwxyz"

/** What GitHub knows; keys in lower case, as it compares names. */
const REPOSITORIES: Readonly<Record<string, object>> = {
  "acme/shop": repository("acme/shop", 41, "main"),
  "acme/web.site": repository("acme/web.site", 42, "trunk"),
  "acme/.github": repository("acme/.github", 43, "main"),
  "acme/liar": repository("acme/shop", 41, "main"),
  "acme/thief": { ...repository("acme/thief", 44, "main"), owner: { id: 9001, login: "mallory" } },
  "acme/stringy": { ...repository("acme/stringy", 45, "main"), id: "45" },
  "acme/huge": { ...repository("acme/huge", 46, "main"), id: 2 ** 60 },
  "acme/odd": repository("acme/odd", 47, "main\n  - name: everybody"),
  "acme/ownerless": { ...repository("acme/ownerless", 48, "main"), owner: null },
}

function repository(fullName: string, id: number, branch: string) {
  const owner = { id: 9001, login: fullName.split("/")[0], type: "Organization" }
  return {
    id,
    node_id: "R_x",
    name: fullName.split("/")[1],
    full_name: fullName,
    owner,
    default_branch: branch,
    private: true,
  }
}

let server: Server
let requests: string[] = []
let api: string

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
}

/** GitHub's API as far as init may use it. Strict: whatever else is asked, or asked otherwise, is refused. */
function github({ method, url = "/", headers }: IncomingMessage): Answer {
  if (headers["user-agent"] === undefined) return { status: 403, body: "Request forbidden by administrative rules." }
  if (headers["accept"] !== "application/vnd.github+json" || headers["x-github-api-version"] !== "2022-11-28") {
    return { status: 415, body: { message: "Unsupported" } }
  }
  if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401, body: { message: "Bad credentials" } }
  const asked = /^\/repos\/([^/?]+\/[^/?]+)$/.exec(url)?.[1]?.toLowerCase() ?? ""
  const answer = method === "GET" ? (FAILURES[asked] ?? REPOSITORIES[asked]) : undefined
  if (answer === undefined) return { status: 404, body: { message: "Not Found" } }
  return "status" in answer ? (answer as Answer) : { status: 200, body: answer }
}

const FAILURES: Readonly<Record<string, Answer>> = {
  "acme/renamed": { status: 301, body: { message: "Moved Permanently" }, headers: { location: "/repositories/41" } },
  "acme/secret": {
    status: 403,
    body: { message: "Resource not accessible by integration" },
    headers: { "x-accepted-github-permissions": "metadata=read" },
  },
  "acme/limited": { status: 403, body: { message: "API rate limit" }, headers: { "x-ratelimit-remaining": "0" } },
  "acme/broken": { status: 500, body: { message: "\u001b[2J" } },
  "acme/large": { status: 200, body: { padding: "x".repeat(300_000) } },
  "acme/text": { status: 200, body: "<html>" },
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const { status, body, headers } = github(request)
    requests.push(`${request.method} ${request.url} ${status}`)
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers })
    response.end(typeof body === "string" ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())
afterEach(() => {
  requests = []
})

/** Runs init with a token and the stand-in, in a folder of its own. */
async function init(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const script = {
    env: { GITHUB_TOKEN: TOKEN, GITHUB_API_URL: api, ...env },
    http: createHttp({ userAgent: "daypass/1.2.3" }),
  }
  return runScripted(script, "init", "--dir", folder, ...args)
}

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort()

const read = (folder: string, path: string) => readFileSync(join(folder, path), "utf8")

describe("daypass init", () => {
  it("writes an organisation file and a policy with the ids that GitHub tells, and they pass check", async () => {
    const folder = join(folderOf({}), "policies")
    const { code, out, err } = await init(folder, ["acme/shop", "--environment", "production"])
    expect([code, err]).toEqual([0, ""])
    expect(requests).toEqual(["GET /repos/acme/shop 200"])
    expect(filesOf(folder)).toEqual(["acme/shop/production.yaml", "daypass.yaml"])
    expect(out.split("\n").slice(0, 2)).toEqual([
      `wrote ${join(folder, "daypass.yaml")}`,
      `wrote ${join(folder, "acme/shop/production.yaml")}`,
    ])
    expect(read(folder, "acme/shop/production.yaml")).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=https://raw.githubusercontent.com/daypass/daypass/main/docs/schema/policy.schema.json
      # What jobs of acme/shop may get when they run in the environment "production".
      version: 1
      repository: acme/shop # for people
      repository_id: "41" # decides: a name can be taken over, an id cannot
      environment: production # must match exactly
      # If a workflow names an environment that does not exist, GitHub creates it without any protection. A broker with access
      # to GitHub can require protection of this one:
      # protected_environment: { required_reviewers: true }

      allow:
        # Allows jobs that match every line of "when": a claim of the job's token, and the pattern that its whole value must match.
        # * matches characters other than / : @. A list matches any of its members. { not: ... } matches anything else.
        - name: from the default branch
          when:
            ref: refs/heads/main
            # An event that outsiders can cause, such as pull_request, matches only if its name is listed here.
            event_name: [push, workflow_dispatch]
          grants: [token]

      # A deny rule that matches overrides every allow:
      # deny:
      #   - name: never on our own runners
      #     when: { runner_environment: { not: github-hosted } }

      grants:
        # A token that the broker signs, for a service that trusts the broker. Write the audience that your service expects.
        token:
          connection: oidc
          audience: https://service.example.com
          ttl: 5m
      "
    `)
    expect(read(folder, "daypass.yaml")).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=https://raw.githubusercontent.com/daypass/daypass/main/docs/schema/organisation.schema.json
      # The organisation file: which issuers and owners the organisation trusts, and where credentials come from.
      version: 1

      issuers:
        github:
          family: github-actions
          url: https://token.actions.githubusercontent.com
          # Only jobs of these owners' repositories get anything. The id decides, because a name can be taken over.
          owners: { acme: "9001" }

      connections:
        # Tokens that the broker signs, for services that trust OpenID Connect. List the audiences that policies may name.
        oidc:
          provider: identity-token
          audiences: ["https://service.example.com"]
        # A connection to an AWS account looks like this:
        # aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }

      # Boundaries are the most that any job may get, whatever policies say. For example:
      # boundaries:
      #   - name: everyone
      #     when: { repository_owner_id: "9001" }
      #     allow:
      #       - { connection: oidc, audience: "https://service.example.com" }
      #     max_ttl: 1h
      "
    `)
    const check = await runCli("check", folder)
    expect([check.code, check.err]).toEqual([0, ""])
  })

  it("writes a policy for jobs without an environment, on the repository's own default branch", async () => {
    const folder = folderOf({})
    expect((await init(folder, ["acme/web.site"])).code).toBe(0)
    expect(filesOf(folder)).toEqual(["acme/web.site/no-environment.yaml", "daypass.yaml"])
    const policy = read(folder, "acme/web.site/no-environment.yaml")
    expect(policy).toContain("      ref: refs/heads/trunk\n")
    expect(policy).not.toMatch(/^environment:/m)
    expect((await runCli("check", folder)).code).toBe(0)
  })

  it("writes comments that hold true: what they show loads, too, once they are comments no more", async () => {
    const folder = folderOf({})
    await init(folder, ["acme/shop", "--environment", "production"])
    const uncommented = (path: string) =>
      read(folder, path).replace(/^( *)# (?=(?:protected_environment|deny|aws-prod|boundaries): ?| {2,}\S)/gm, "$1")
    const policy = uncommented("acme/shop/production.yaml")
    const organisation = uncommented("daypass.yaml")
    expect(policy).toMatch(/^protected_environment:[\s\S]*^deny:\n {2}- name:/m)
    expect(organisation).toMatch(/^ {2}aws-prod:[\s\S]*^boundaries:\n {2}- name:/m)
    const check = await runCli("check", folderOf({ "daypass.yaml": organisation, "p.yaml": policy }))
    expect([check.code, check.err]).toEqual([0, ""])
  })

  it("gives the job that the policy is for what it offers, and nobody else", async () => {
    const folder = folderOf({})
    await init(folder, ["acme/shop", "--environment", "production"])
    const claims = (change: object) => ({
      iss: "https://token.actions.githubusercontent.com",
      sub: "repo:acme/shop:environment:production",
      repository: "acme/shop",
      repository_id: "41",
      repository_owner: "acme",
      repository_owner_id: "9001",
      environment: "production",
      ref: "refs/heads/main",
      ref_type: "branch",
      event_name: "push",
      actor: "x",
      run_id: "1",
      run_attempt: "1",
      ...change,
    })
    for (const [change, code] of [
      [{}, 0],
      [{ event_name: "pull_request" }, 1],
      [{ ref: "refs/heads/x" }, 1],
      [{ repository_id: "42" }, 1],
      [{ repository_owner_id: "9002" }, 1],
    ] as const) {
      const file = join(folderOf({ "c.json": JSON.stringify(claims(change)) }), "c.json")
      const run = await runCli("explain", "--policies", folder, "--claims", file, "--grants", "token")
      expect([change, run.code]).toEqual([change, code])
    }
  })

  it("spells the repository as GitHub does, whose tokens carry that spelling", async () => {
    const folder = folderOf({})
    expect((await init(folder, ["ACME/Shop"])).code).toBe(0)
    expect(read(folder, "acme/shop/no-environment.yaml")).toContain("repository: acme/shop #")
  })

  it("gives the names as JSON when asked", async () => {
    const folder = folderOf({})
    const { out } = await init(folder, ["acme/shop", "--json"])
    expect(JSON.parse(out)).toEqual({
      written: [join(folder, "daypass.yaml"), join(folder, "acme/shop/no-environment.yaml")],
      repository: "acme/shop",
      repository_id: "41",
      owner_id: "9001",
      default_branch: "main",
      sub: "github:repository:41:environment:-:grant:token",
    })
  })

  it("names the sub that the other side must trust, as explain does, also for an issuer with another name", async () => {
    const subs = async (folder: string) =>
      /^ {2}(\S+:repository:\S+)$/m.exec((await init(folder, ["acme/shop", "--environment", "eu/prod"])).out)?.[1]
    expect(await subs(folderOf({}))).toBe("github:repository:41:environment:eu%2Fprod:grant:token")
    const organisation = `version: 1
issuers:
  actions: { family: github-actions, url: "https://token.actions.githubusercontent.com", owners: { acme: "9001" } }
connections:
  tokens: { provider: identity-token, audiences: ["https://vault.example.com"] }
`
    const folder = folderOf({ "daypass.yaml": organisation })
    expect(await subs(folder)).toBe("actions:repository:41:environment:eu%2Fprod:grant:token")
  })

  it.each([
    ["Production", "Production.yaml"],
    ["eu-west/blue", "eu-west-blue.yaml"],
    ["../../../etc/passwd", "environment-etc-passwd.yaml"],
    ["..", "environment-.yaml"],
    [".hidden", "environment-hidden.yaml"],
    ["a.test", "a-test.yaml"],
    ["daypass", "environment-daypass.yaml"],
    ["no-environment", "environment-no-environment.yaml"],
    ["true", "true.yaml"],
    ['a"b: #c', "a-b-c.yaml"],
    ["生产", "environment-.yaml"],
    ["x".repeat(255), `${"x".repeat(100)}.yaml`],
  ])("writes a policy for the environment %j, whatever it is called, that applies to it", async (environment, file) => {
    const folder = folderOf({})
    const { code, err } = await init(folder, ["acme/shop", `--environment=${environment}`])
    expect([code, err]).toEqual([0, ""])
    expect(filesOf(folder)).toEqual([`acme/shop/${file}`, "daypass.yaml"])
    expect(JSON.parse((await runCli("check", folder, "--json")).out)).toMatchObject({ ok: true, policies: 1 })
  })

  it("puts a repository whose name begins with a dot where the loader looks", async () => {
    const folder = folderOf({})
    await init(folder, ["acme/.github"])
    expect(filesOf(folder)).toEqual(["acme/_github/no-environment.yaml", "daypass.yaml"])
    expect(JSON.parse((await runCli("check", folder, "--json")).out)).toMatchObject({ ok: true, policies: 1 })
  })
})

describe("daypass init in a folder that is there", () => {
  const acme = ORGANISATION.replace('octo-org: "123456"', 'acme: "9001"')

  it("annotates what it wrote, and the line of what stands in the way", async () => {
    const folder = folderOf({ "daypass.yaml": acme })
    const written = await init(folder, ["acme/shop", "--format", "github"])
    expect(written.code).toBe(0)
    expect(written.out).toMatch(
      /^::notice file=\S*acme\/shop\/no-environment\.yaml,line=1,col=1,title=init%3A file_written::/,
    )
    const stranger = await init(folderOf({ "daypass.yaml": ORGANISATION }), ["acme/shop", "--format", "github"])
    expect([stranger.code, stranger.err]).toEqual([1, ""])
    expect(stranger.out).toMatch(/^::error file=\S*daypass\.yaml,line=1,col=1,title=init%3A init_refused::/)
    const faulty = folderOf({ "daypass.yaml": acme.replace("version: 1", "version: 2") })
    expect((await init(faulty, ["acme/shop", "--format", "github"])).out).toContain(
      "title=init%3A version_unsupported::",
    )
    const { code, out } = await init(faulty, ["acme/shop", "--json"])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ written: [], findings: [{ code: "version_unsupported", line: 1 }] })
  })

  it("writes in terms of its organisation file, and leaves that as it is", async () => {
    const folder = folderOf({ "daypass.yaml": acme })
    const { code, err } = await init(folder, ["acme/shop"])
    expect([code, err]).toEqual([0, ""])
    expect(read(folder, "daypass.yaml")).toBe(acme)
    const policy = read(folder, "acme/shop/no-environment.yaml")
    expect(policy).toContain(
      "    connection: aws-prod\n    role: arn:aws:iam::111122223333:role/shop-deploy\n    ttl: 15m\n",
    )
    expect(policy).not.toContain("issuer:")
    expect((await runCli("check", folder)).code).toBe(0)
  })

  it("uses the connection that is named, and names the issuer where there are several", async () => {
    const ghes = `  ghes:\n    family: github-actions\n    url: https://ghes.example.com/_services/token\n    owners: { acme: "5" }\nconnections:\n  vault: { provider: identity-token, audiences: ["https://vault.example.com"] }`
    const folder = folderOf({ "daypass.yaml": acme.replace("connections:", ghes) })
    expect((await init(folder, ["acme/shop", "--connection", "vault"])).code).toBe(0)
    const policy = read(folder, "acme/shop/no-environment.yaml")
    expect(policy).toContain("issuer: github\n")
    expect(policy).toContain("    connection: vault\n    audience: https://vault.example.com\n")
    expect((await runCli("check", folder)).code).toBe(0)
  })

  it.each<[string, string, string[], RegExp]>([
    ["a connection that is not there", acme, ["--connection", "vault"], /no connection vault. It has: aws-prod/],
    ["an owner who is not listed", ORGANISATION, [], /does not list the owner acme.*Add acme: "9001"/],
    [
      "an owner whose name is somebody else's now",
      acme.replace("9001", "9000"),
      [],
      /with the id 9000, but the owner with this name now has the id 9001/,
    ],
    [
      "an issuer that is not listed",
      acme.replace("token.actions.githubusercontent.com", "ghes.example.com/_services/token"),
      [],
      /lists no issuer with the url https:\/\/token\.actions/,
    ],
    ["an organisation file with faults", acme.replace("version: 1", "version: 2"), [], /daypass\.yaml:1:10: error: /],
    [
      "no connection",
      acme.slice(0, acme.indexOf("connections:")),
      [],
      /first grant only for an identity-token or aws connection, and daypass\.yaml has none/,
    ],
  ])("writes nothing and ends with 1 for %s", async (_, organisation, args, message) => {
    const folder = folderOf({ "daypass.yaml": organisation })
    const { code, out, err } = await init(folder, ["acme/shop", ...args])
    expect([code, out]).toEqual([1, ""])
    expect(err).toMatch(message)
    expect(filesOf(folder)).toEqual(["daypass.yaml"])
  })

  it("writes nothing that would not go together with another policy of the same environment", async () => {
    const other = POLICY.replace("octo-org/octo-repo", "acme/shop")
      .replace("456789", "41")
      .replace("environment: Production\n", "")
    const folder = folderOf({ "daypass.yaml": acme, "acme/other.yaml": other })
    const { code, err } = await init(folder, ["acme/shop"])
    expect(code).toBe(1)
    expect(err).toContain("[grant_duplicate]")
    expect(filesOf(folder)).toEqual(["acme/other.yaml", "daypass.yaml"])
  })

  it("never overwrites: ends with 1, names the file, and leaves everything as it was", async () => {
    const folder = folderOf({})
    expect((await init(folder, ["acme/shop"])).code).toBe(0)
    const path = "acme/shop/no-environment.yaml"
    const [policy, organisation] = [read(folder, path), read(folder, "daypass.yaml")]
    const { code, out, err } = await init(folder, ["acme/shop"])
    expect([code, out]).toEqual([1, ""])
    expect(err).toBe(`daypass: ${join(folder, path)} exists already, and init never overwrites a file`)
    expect([read(folder, path), read(folder, "daypass.yaml")]).toEqual([policy, organisation])
  })

  it("does not overwrite what came to be there while it ran, and leaves no draft", async () => {
    const folder = folderOf({ "daypass.yaml": acme })
    const script = {
      env: { GITHUB_TOKEN: TOKEN, GITHUB_API_URL: api },
      http: createHttp({ userAgent: "daypass/1.2.3" }),
      createFile: async () => {
        throw Object.assign(new Error("exists"), { code: "EEXIST" })
      },
    }
    const { code, err } = await runScripted(script, "init", "acme/shop", "--dir", folder)
    expect(code).toBe(1)
    expect(err).toContain("exists already")
    expect(filesOf(folder)).toEqual(["daypass.yaml"])
  })

  it("says why a file cannot be written, and ends with 2", async () => {
    const folder = folderOf({ "daypass.yaml": acme, acme: "a file where a folder must be" })
    const { code, err } = await init(folder, ["acme/shop"])
    expect(code).toBe(2)
    expect(err).toMatch(/cannot be written \((?:EEXIST|ENOTDIR)\)/)
  })
})

describe("daypass init without GitHub's help", () => {
  const given = ["--repository-id", "41", "--owner-id", "9001"]

  it("asks nobody when the ids are given, even with a token", async () => {
    const folder = folderOf({})
    const { code, err } = await init(folder, ["acme/shop", ...given, "--branch", "release/2.x"])
    expect([code, err, requests]).toEqual([0, "", []])
    expect(read(folder, "acme/shop/no-environment.yaml")).toContain("ref: refs/heads/release/2.x\n")
    expect((await runCli("check", folder)).code).toBe(0)
  })

  it("invents no id without a token: prints the commands that tell them, and ends with 2", async () => {
    const folder = folderOf({})
    const { code, out, err } = await runScripted({ env: {} }, "init", "acme/shop", "--dir", folder)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("there is no token in $GITHUB_TOKEN or $GH_TOKEN")
    for (const query of [".id", ".owner.id", ".default_branch"]) {
      expect(err).toContain(`\n  gh api repos/acme/shop --jq ${query}\n`)
    }
    expect(err).toContain("--repository-id ID --owner-id ID")
    expect(existsSync(join(folder, "daypass.yaml"))).toBe(false)
  })

  it("takes $GH_TOKEN when there is no $GITHUB_TOKEN", async () => {
    expect((await init(folderOf({}), ["acme/shop"], { GITHUB_TOKEN: "", GH_TOKEN: TOKEN })).code).toBe(0)
  })

  it.each<[string, string, RegExp]>([
    ["was renamed", "acme/renamed", /was renamed or moved.*gh api repos\/acme\/renamed --jq \.full_name/],
    ["is not known", "acme/unknown", /finds no repository acme\/unknown, or the token may not read it/],
    ["may not be seen", "acme/secret", /give it the permission metadata: read/],
    ["is asked for too often", "acme/limited", /rate limit/],
    ["makes GitHub fail", "acme/broken", /answered HTTP 500/],
    ["comes with an endless answer", "acme/large", /an answer that is too large/],
    ["comes with a page", "acme/text", /what is not JSON: check GITHUB_API_URL/],
    ["is answered with another one", "acme/liar", /is not about the repository acme\/liar/],
    ["is answered with another owner", "acme/thief", /is not about the repository/],
    ["has an id that is a text", "acme/stringy", /is not about the repository/],
    ["has an id that a number does not hold", "acme/huge", /is not about the repository/],
    ["has no owner", "acme/ownerless", /is not about the repository/],
    ["has a branch that is more than a name", "acme/odd", /a default branch of \S+ that a policy cannot name/],
  ])("writes nothing and ends with 2 when the repository %s", async (_, name, message) => {
    const folder = folderOf({})
    const { code, out, err } = await init(folder, [name])
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
    expect(err).toContain(`gh api repos/${name} --jq .id`)
    expect(err).not.toContain("\u001b")
    expect(requests).toHaveLength(1)
    expect(filesOf(folder)).toEqual([])
  })

  it.each<[string, Record<string, string>, RegExp]>([
    ["a token that GitHub does not take", { GITHUB_TOKEN: "ghs_wrong" }, /refuses the token/],
    ["a token with a line break in it", { GITHUB_TOKEN: "ghs_x\nhost: y" }, /characters that a token cannot have/],
    ["an API that is not there", { GITHUB_API_URL: "http://127.0.0.1:1" }, /cannot be reached/],
    ["an API over http", { GITHUB_API_URL: "http://github.example.com" }, /GITHUB_API_URL must be an https URL/],
  ])("ends with 2 for %s, and does not print the token", async (_, env, message) => {
    const { code, err } = await init(folderOf({}), ["acme/shop"], env)
    expect(code).toBe(2)
    expect(err).toMatch(message)
    expect(err).not.toContain("ghs_")
  })

  it.each([
    ["two repositories", ["acme/shop", "acme/web"]],
    ["a name without an owner", ["shop"]],
    ["a path that leads out", ["../shop"]],
    ["a name that leads out", ["acme/.."]],
    ["a name that is the folder itself", ["acme/."]],
    ["an absolute path", ["/etc/passwd"]],
    ["three parts", ["acme/shop/x"]],
    ["an encoded slash", ["acme/..%2f..%2fx"]],
    ["a backslash", ["acme\\..\\x/y"]],
    ["a URL", ["https://github.com/acme/shop"]],
    ["a clone URL's ending", ["acme/shop.git"]],
    ["a look-alike letter", ["аcme/shop"]],
    ["a line break", ["acme/shop\n"]],
    ["a NUL", ["acme/shop\0"]],
    ["an empty environment", ["acme/shop", "--environment", ""]],
    ["an environment that cannot be seen", ["acme/shop", "--environment", "a\nb"]],
    ["a connection that is no name", ["acme/shop", "--connection", "a: b"]],
    ["one id of two", ["acme/shop", "--repository-id", "41"]],
    ["an id that is none", ["acme/shop", "--repository-id", "041", "--owner-id", "1"]],
    ["a branch without ids", ["acme/shop", "--branch", "main"]],
    ["a branch that is a pattern", ["acme/shop", ...given, "--branch", "*"]],
    ["an unknown option", ["acme/shop", "--env", "x"]],
  ])("ends with 2 and its usage for %s, and asks nobody", async (_, args) => {
    const { code, out, err } = await runCli("init", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("Usage: daypass init")
  })
})

describe("names", () => {
  it("of repositories never lead out of the folder, whatever is written", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.constantFrom("a", ".", "..", "/", "\\", "%2f", "\0", "\n", "-", "_")).map((parts) => parts.join("")),
    )
    fc.assert(
      fc.property(text, (written) => {
        const repository = parseRepository(written)
        if (repository === null) return
        const { owner, name } = repository
        expect(`${owner}/${name}`).toBe(written)
        expect(join("/policies", owner, name)).toBe(`/policies/${owner}/${name}`)
      }),
      { numRuns: runs(1000) },
    )
  })

  it.each([
    ["main", true],
    ["release/2.x", true],
    ["feature#1", true],
    ["größe", true],
    ["*", false],
    ["a b", false],
    ["a..b", false],
    ["/a", false],
    ["a/", false],
    ["a\\b", false],
    ["a\u202eb", false],
    ["", false],
    ["x".repeat(241), false],
  ])("%j is a branch's: %s", (name, is) => {
    expect(isBranch(name)).toBe(is)
  })

  it.each([
    ["https://api.github.com", "https://token.actions.githubusercontent.com"],
    ["https://ghes.example.com/api/v3", "https://ghes.example.com/_services/token"],
    ["https://api.acme.ghe.com", "https://token.actions.acme.ghe.com"],
  ])("of the API %s belong to the issuer %s", (url, issuer) => {
    expect(issuerOf(url)).toBe(issuer)
  })
})
