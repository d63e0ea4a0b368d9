import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createHttp } from "../../../broker/adapters/web/http.ts"
import { ageKeyOf } from "../../../broker/providers/sops/age.ts"
import { dataKeyOf } from "../../../broker/providers/sops/data-key.ts"
import { readDocument } from "../../../broker/providers/sops/document.ts"
import { openDocument } from "../../../broker/providers/sops/opened.ts"
import { patternsOf } from "../../../cli/migrate/import/octo-sts/regex.ts"
import { HostedRepository } from "../../support/github-api/model.ts"
import { type SecretsApi, startSecrets } from "../../support/github-api/secrets.ts"
import { folderOf, runCli, runScripted } from "../run-cli.ts"
import { ORGANISATION } from "./policies.ts"
import { KEY, policyFolder, RECIPIENT, textsIn } from "./world.ts"

/** The values of a secrets file, opened with the code of the broker. */
async function opened(path: string): Promise<Record<string, string>> {
  const document = readDocument(path, readFileSync(path))
  const key = await ageKeyOf(KEY)
  if (!document.ok || key === null) throw new Error(JSON.stringify(document))
  const dataKey = await dataKeyOf(document.value.metadata, { age: [key], services: [] })
  if (typeof dataKey === "string") throw new Error(dataKey)
  const values = await openDocument(document.value, dataKey.bytes)
  if (values.outcome !== "opened") throw new Error(values.outcome)
  return Object.fromEntries(
    values.values.map(({ leaf, value }) => [leaf.name, new TextDecoder().decode(value?.reveal())]),
  )
}

const DOTENV = `# a comment
PLAIN=text
export EXPORTED = "two\\nlines" # after
SINGLE='$not \\n changed'
EMPTY=
MULTI="first
second"
SPACES=  around  
`

describe("daypass migrate import", () => {
  it("encrypts the values of a dotenv file for age, as dotenv reads them, and shows none of them", async () => {
    const folder = folderOf({ ".env": DOTENV })
    const target = join(folder, "out.sops.yaml")
    const { code, out, err } = await runCli(
      "migrate",
      "import",
      join(folder, ".env"),
      "--into",
      target,
      "--age",
      RECIPIENT,
    )
    expect([code, err]).toEqual([0, ""])
    const values = {
      PLAIN: "text",
      EXPORTED: "two\nlines",
      SINGLE: "$not \\n changed",
      EMPTY: "",
      MULTI: "first\nsecond",
      SPACES: "around",
    }
    expect(await opened(target)).toEqual(values)
    for (const value of Object.values(values).filter((each) => each !== ""))
      for (const text of [out, readFileSync(target, "utf8")]) expect(text).not.toContain(value)
    const again = await runCli("migrate", "import", join(folder, ".env"), "--into", target, "--age", RECIPIENT)
    expect([again.code, again.err]).toEqual([
      1,
      expect.stringContaining("exists already, and import never overwrites a file"),
    ])
    expect(readdirSync(folder).sort()).toEqual([".env", "out.sops.yaml"])
  })

  it("takes what git-crypt encrypts in an unlocked checkout, by the rule of .sops.yaml, and refuses a locked one", async () => {
    const folder = folderOf({
      ".gitattributes": "*.env filter=git-crypt diff=git-crypt\nkeys/** filter=git-crypt-team\n",
      "prod.env": "A=1\n",
      "keys/sa.json": '{"key": "x"}',
      "README.md": "not secret",
      ".sops.yaml": `creation_rules:\n  - path_regex: ^other/\n    kms: arn:x\n  - path_regex: \\.sops\\.yaml$\n    age: ${RECIPIENT}\n`,
    })
    for (const args of [
      ["init", "-q"],
      ["config", "filter.git-crypt.clean", "cat"],
      ["config", "filter.git-crypt-team.clean", "cat"],
      ["add", "."],
    ])
      execFileSync("git", ["-C", folder, ...args], { stdio: "ignore" })
    const target = join(folder, "all.sops.yaml")
    expect((await runCli("migrate", "import", folder, "--into", target)).err).toBe("")
    expect(await opened(target)).toEqual({ A: "1", "sa.json": '{"key": "x"}' })
    writeFileSync(join(folder, "prod.env"), "\0GITCRYPT\0garbage")
    const locked = await runCli("migrate", "import", folder, "--into", join(folder, "new.sops.yaml"))
    expect([locked.code, locked.err]).toEqual([
      2,
      expect.stringContaining("prod.env is locked by git-crypt: run git-crypt unlock"),
    ])
    const kms = await runCli(
      "migrate",
      "import",
      join(folder, "keys/sa.json"),
      "--into",
      join(folder, "other/x.sops.yaml"),
    )
    expect(kms.err).toMatch(/has kms, which this command cannot follow: make the file with sops edit/)
  })

  it.each<[string, Record<string, string>, string[], RegExp]>([
    [
      "no recipient",
      { ".env": "A=1" },
      [".env"],
      /there is no \.sops\.yaml above the file: name the public key with --age/,
    ],
    [
      "a private key",
      { ".env": "A=1" },
      [".env", "--age", "AGE-SECRET-KEY-1X"],
      /has a private key\. Name the public one/,
    ],
    [
      "two values of one name",
      { "a.env": "A=1", "b.env": "A=2" },
      ["a.env", "b.env", "--age", RECIPIENT],
      /have different values for A/,
    ],
    [
      "a name that SOPS leaves in the clear",
      { ".env": "A_unencrypted=1" },
      [".env", "--age", RECIPIENT],
      /"A_unencrypted", which ends with _unencrypted/,
    ],
    [
      "SOPS's own name",
      { ".env": "sops=1" },
      [".env", "--age", RECIPIENT],
      /"sops", which is the name of SOPS's own part/,
    ],
    ["a file without variables", { ".env": "# nothing\n" }, [".env", "--age", RECIPIENT], /has no variables/],
    ["a file that is not there", {}, ["x.env", "--age", RECIPIENT], /cannot be read \(ENOENT\)/],
    ["a folder without git", { "x/y": "" }, ["x", "--age", RECIPIENT], /git cannot list the files/],
  ])("writes nothing for %s", async (_, files, args, sentence) => {
    const folder = folderOf(files)
    const { code, err } = await runScripted({ cwd: folder }, "migrate", "import", ...args, "--into", "out.sops.yaml")
    expect([code, err]).toEqual([2, expect.stringMatching(sentence)])
    expect(readdirSync(folder)).not.toContain("out.sops.yaml")
  })

  it("says where dotenv cuts a value at #", async () => {
    const folder = folderOf({ ".env": "A=pass#word\nB='pass#word'\nC=x # comment\nD=# nothing\n" })
    const { err } = await runScripted(
      { cwd: folder },
      "migrate",
      "import",
      ".env",
      "--into",
      "o.sops.yaml",
      "--age",
      RECIPIENT,
    )
    expect(err.split("\n")).toEqual([expect.stringMatching(/ends the value of A before its #/)])
  })
})

describe("a regular expression of octo-sts", () => {
  it.each<[string, string[]]>([
    ["refs/heads/main", ["refs/heads/main"]],
    ["^refs/heads/(main|release\\/.*)$", ["refs/heads/main", "refs/heads/release/**"]],
    ["a|b", ["a", "b"]],
    ["v1\\.2(?:\\.3)?", ["v1.2", "v1.2.3"]],
    ["acme/[^/:@]+", ["acme/*"]],
    ["a\\*b", ["a\\*b"]],
  ])("%s matches what these patterns match", (regex, patterns) => {
    expect(patternsOf(regex)).toEqual({ ok: true, value: patterns })
  })

  it.each([
    ".+",
    "a.b",
    "[ab]",
    "a*",
    "a{2}",
    "(?i)a",
    "\\d+",
    "\\w",
    "a+?",
    ".*?x",
    "(a",
    "a)",
    "a\\",
    "",
    "x.*.*",
    // Two stars in a row would match a slash, too.
    "[^/:@]+[^/:@]+",
    "[^/:@]+(?:[^/:@]+)?x",
    "(?:a|b|c|d|e|f|g|h|i)(?:a|b|c|d|e|f|g|h|i)",
  ])("%s is refused, because no pattern is the same", (regex) => {
    expect(patternsOf(regex).ok).toBe(false)
  })
})

describe("daypass migrate import of octo-sts", () => {
  let api: SecretsApi
  const ISSUER = "issuer: https://token.actions.githubusercontent.com\n"
  const run = (folder: string, policies: string, ...names: string[]) =>
    runScripted(
      {
        cwd: folder,
        http: createHttp({ userAgent: "daypass/1.2.3" }),
        env: { GH_TOKEN: api.token, GITHUB_API_URL: api.url },
      },
      ...[
        "migrate",
        "import",
        ...names.map((name) => join(folder, name)),
        "--repository",
        "acme/site",
        "--policies",
        policies,
      ],
    )
  beforeAll(async () => {
    api = await startSecrets()
    for (const [id, name] of [
      [41, "shop"],
      [58, "site"],
    ] as const)
      api.host(new HostedRepository(id, { login: "acme", id: 9001 }, name))
    api.host(new HostedRepository(70, { login: "mallory", id: 666 }, "shop"))
  })
  afterAll(async () => {
    await api.close()
    api.assertClean()
  })

  it("becomes policies that allow the same jobs, with ids, and twice is once", async () => {
    const policies = await policyFolder()
    const folder = folderOf({
      "release.sts.yaml": `${ISSUER}subject_pattern: repo:acme/shop:ref:refs/(heads/main|tags/v.*)\nclaim_pattern:\n  event_name: push|workflow_dispatch\npermissions:\n  contents: write\n  pull_requests: write\n`,
      "prod.sts.yaml": `${ISSUER}subject: repo:acme/shop:environment:production\naudience: octo\npermissions: { contents: read }\nrepositories: [site, shop]\n`,
    })
    const { code, out, err } = await run(folder, policies, "release.sts.yaml", "prod.sts.yaml")
    expect([code, err]).toEqual([0, ""])
    expect(out).toContain("the token's audience is always the broker's here")
    const texts = textsIn(join(policies, "acme/shop"))
    expect(texts["octo-sts-site-release.yaml"]).toMatchInlineSnapshot(`
      "# From octo-sts: the identity release of acme/site.
      version: 1
      repository: acme/shop # for people
      repository_id: "41" # decides
      allow:
        - name: "release of acme/site"
          when:
            ref: ["refs/heads/main", "refs/tags/v**"]
            event_name: ["push", "workflow_dispatch"]
          grants: [site-release]
      grants:
        site-release:
          connection: github-acme
          repositories: ["site"]
          repository_ids: ["58"]
          permissions: { contents: write, pull_requests: write }
          ttl: 1h
      "
    `)
    expect(texts["octo-sts-site-prod.yaml"]).toMatchInlineSnapshot(`
      "# From octo-sts: the identity prod of acme/site.
      version: 1
      repository: acme/shop # for people
      repository_id: "41" # decides
      environment: "production"
      allow:
        - name: "prod of acme/site"
          grants: [site-prod]
      grants:
        site-prod:
          connection: github-acme
          repositories: ["site", "shop"]
          repository_ids: ["58", "41"]
          permissions: { contents: read }
          ttl: 1h
      "
    `)
    expect(
      (await run(folder, policies, "release.sts.yaml", "prod.sts.yaml")).out.match(/is there already/g),
    ).toHaveLength(2)
    writeFileSync(
      join(policies, "acme/shop/octo-sts-site-prod.yaml"),
      texts["octo-sts-site-prod.yaml"]?.replace("ttl: 1h", "ttl: 5m") ?? "",
    )
    expect((await run(folder, policies, "prod.sts.yaml")).err).toContain(
      "exists already with another text, and is never overwritten",
    )
  })

  it("refuses a file whose name would end the comment that has it", async () => {
    const policies = folderOf({ "daypass.yaml": ORGANISATION })
    const name = "a\nenvironment: production #.sts.yaml"
    const text = `${ISSUER}subject: repo:acme/shop:ref:refs/heads/main\npermissions: {contents: read}\n`
    const { code, err } = await run(folderOf({ [name]: text }), policies, name)
    expect([code, err]).toEqual([1, expect.stringContaining("its name has other characters than")])
    expect(Object.keys(textsIn(policies))).toEqual(["daypass.yaml"])
  })

  it.each<[string, string, RegExp]>([
    [
      "a pattern that is nearly a dot",
      `${ISSUER}subject_pattern: repo:acme/shop:ref:refs/heads/v1.2\npermissions: {contents: read}\n`,
      /:2: subject_pattern has a dot that stands for any one character: write \\\. for a dot/,
    ],
    [
      "every repository",
      `${ISSUER}subject_pattern: repo:acme/.*:ref:refs/heads/main\npermissions: {contents: read}\n`,
      /:2: subject_pattern does not name one repository/,
    ],
    [
      "every kind of job",
      `${ISSUER}subject_pattern: "repo:acme/shop:.*"\npermissions: {contents: read}\n`,
      /:2: subject_pattern does not say whether it means a ref/,
    ],
    [
      "every ref",
      `${ISSUER}subject_pattern: "repo:acme/shop:ref:.*"\npermissions: {contents: read}\n`,
      /would let in every job of the repository, on any branch/,
    ],
    [
      "a claim that cannot be said",
      `${ISSUER}subject: repo:acme/shop:ref:refs/heads/main\nclaim_pattern:\n  actor: a\n  workflow_ref: .+\npermissions: {contents: read}\n`,
      /:5: claim_pattern workflow_ref has a dot|:5: claim_pattern workflow_ref repeats/,
    ],
    [
      "pull requests, whose tokens have no ref",
      `${ISSUER}subject_pattern: repo:acme/shop:ref:refs/.*\nclaim_pattern:\n  event_name: push|pull_request\npermissions: {contents: read}\n`,
      /:4: subject_pattern is about a ref, and event_name also lets in pull requests/,
    ],
    [
      "a claim that is a part of a policy",
      `${ISSUER}subject: repo:acme/shop:ref:refs/heads/main\nclaim_pattern:\n  "ref: [a]\\n    grants": b\npermissions: {contents: read}\n`,
      /:4: claim_pattern names what is no claim/,
    ],
    [
      "a key that is not known",
      `${ISSUER}subject: repo:acme/shop:ref:refs/heads/main\npermissions: {contents: read}\napp: other\n`,
      /:4: "app" has no counterpart here/,
    ],
    ["no permissions", `${ISSUER}subject: repo:acme/shop:ref:refs/heads/main\n`, /:1: "permissions" is missing/],
    [
      "both subjects",
      `${ISSUER}subject: a\nsubject_pattern: a\npermissions: {contents: read}\n`,
      /octo-sts wants subject or subject_pattern/,
    ],
    [
      "another issuer",
      `issuer: https://accounts.google.com\nsubject: "123"\npermissions: {contents: read}\n`,
      /does not name one repository|is no issuer of GitHub Actions/,
    ],
    [
      "an owner that is not listed",
      `${ISSUER}subject: repo:mallory/shop:ref:refs/heads/main\npermissions: {contents: read}\n`,
      /does not list the owner mallory/,
    ],
    [
      "a repository that is not there",
      `${ISSUER}subject: repo:acme/gone:ref:refs/heads/main\npermissions: {contents: read}\n`,
      /GitHub finds no repository acme\/gone/,
    ],
    [
      "another id",
      `${ISSUER}subject: repo:acme@9001/shop@42:ref:refs/heads/main\npermissions: {contents: read}\n`,
      /has the id 41 now, and not 42/,
    ],
    ["no YAML", "issuer: [", /:1: it is not YAML/],
  ])("refuses %s with the line, and writes nothing", async (_, text, sentence) => {
    const policies = folderOf({ "daypass.yaml": ORGANISATION })
    const { code, err } = await run(folderOf({ "x.sts.yaml": text }), policies, "x.sts.yaml")
    expect([code, err]).toEqual([1, expect.stringMatching(sentence)])
    expect(Object.keys(textsIn(policies))).toEqual(["daypass.yaml"])
  })
})
