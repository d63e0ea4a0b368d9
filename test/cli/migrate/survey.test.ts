import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { createHttp } from "../../../broker/adapters/web/http.ts"
import { HostedRepository } from "../../support/github-api/model.ts"
import { type Permissions, type SecretsApi, startSecrets } from "../../support/github-api/secrets.ts"
import { folderOf, runCli, runScripted } from "../run-cli.ts"
import { SHOP, textsIn } from "./world.ts"

const ACME = { login: "acme", id: 9001 }
const at = (created: string, updated: string) => ({ created_at: created, updated_at: updated })
const OLD = at("2023-01-02T03:04:05Z", "2024-11-22T12:00:00Z")

describe("daypass migrate survey of a folder", () => {
  it("says of ten workflows which secrets they use, where, and what each becomes", async () => {
    const { code, out, err } = await runCli("migrate", "survey", SHOP)
    expect([code, err]).toEqual([0, ""])
    await expect(out).toMatchFileSnapshot("../../fixtures/migrate/survey.txt")
  })

  it("finds every form of a use, and what no expression is", async () => {
    const workflow = `on: push
jobs:
  a:
    runs-on: x
    env: { A: "\${{ secrets.IN_ENV }}" }
    steps:
      - run: echo \${{ SECRETS . In_Run }} secrets.NOT_ONE \${{ 'secrets.QUOTED }}' }} \${{ inputs.secrets.NOR_THIS }}
      - run: |
          first
          echo \${{ secrets['BRACKET'] || secrets["NO"] }}
      - if: secrets.IN_IF == 'x'
        uses: some/action@v1
        with:
          token: \${{ fromJSON(secrets.JSON).x }}
          all: \${{ toJSON(secrets) }}
          some: \${{ secrets[matrix.name] }}
          every: \${{ join(secrets.*, ',') }}
`
    const folder = folderOf({ ".github/workflows/w.yml": workflow })
    const { out } = await runCli("migrate", "survey", folder, "--json")
    const [repository] = JSON.parse(out).repositories
    expect(
      repository.secrets.map(({ name, uses }: { name: string; uses: { line: number }[] }) => [name, uses[0]?.line]),
    ).toEqual([
      ["BRACKET", 10],
      ["IN_ENV", 5],
      ["IN_IF", 11],
      ["IN_RUN", 7],
      ["JSON", 14],
    ])
    expect(repository.open_uses.map(({ line }: { line: number }) => line)).toEqual([10, 15, 16, 17])
  })

  it("takes what is too deep to look at for a use of every secret", async () => {
    const deep = `jobs:\n  a: ${"[".repeat(80)}"\${{ secrets.DEEP }}"${"]".repeat(80)}\n`
    const { out } = await runCli("migrate", "survey", folderOf({ ".github/workflows/w.yml": deep }), "--json")
    expect(JSON.parse(out).repositories[0].open_uses).toHaveLength(1)
  })

  it.each<[string, Record<string, string>, RegExp]>([
    ["is not YAML", { ".github/workflows/w.yml": "jobs:\n  a: [\n" }, /w\.yml is not YAML at line \d/],
    ["has tabs", { ".github/workflows/w.yml": "jobs:\n\ta: 1\n" }, /w\.yml is not YAML at line 2: a tab cannot indent/],
    ["is empty", { ".github/workflows/w.yml": " \n" }, /w\.yml is empty/],
    ["is a list", { ".github/workflows/w.yml": "- a\n" }, /w\.yml is not a map of keys/],
    ["has no jobs", { ".github/workflows/w.yml": "on: push\n" }, /w\.yml has no jobs/],
    [
      "has a line break in its name",
      { ".github/workflows/a\nb.yml": "jobs: { a: {} }\n" },
      /has control characters in its name/,
    ],
    ["is huge", { ".github/workflows/w.yml": `# ${"x".repeat(1024 * 1024)}\n` }, /w\.yml is larger than 1 MiB/],
    ["is made of aliases", { ".github/workflows/w.yml": bomb() }, /0 of 1 repository/],
  ])("goes on when a workflow %s, and says so", async (name, files, sentence) => {
    const { code, out } = await runCli("migrate", "survey", folderOf({ ".github/x": "", ...files }))
    expect(out).toMatch(sentence)
    expect(code).toBe(name === "is made of aliases" ? 0 : 1)
  })

  it("reads checkouts in a folder, files with CRLF, and compares with an earlier survey", async () => {
    const uses = `on: push\r\njobs:\r\n  a:\r\n    steps:\r\n      - run: \${{ secrets.KEY }}\r\n`
    const before = folderOf({
      "one/.github/workflows/w.yml": uses,
      "two/.github/workflows/w.yml": uses,
      "other/README.md": "",
    })
    const after = folderOf({
      "one/.github/workflows/w.yml": uses.replace("secrets.KEY", "vars.KEY"),
      "two/.github/workflows/w.yml": uses,
    })
    const { out: json } = await runCli("migrate", "survey", before, "--json")
    expect(JSON.parse(json).share).toEqual({ repositories: 2, repositories_without: 0, jobs: 2, jobs_without: 0 })
    const file = join(folderOf({ "survey.json": json }), "survey.json")
    const { out } = await runCli("migrate", "survey", after, "--since", file)
    expect(out.split("\n").slice(-3)).toEqual([
      "Without static secrets: 1 of 2 repositories, 1 of 2 jobs.",
      "On 2026-11-22, these repositories had: 0 of 2 repositories, 0 of 2 jobs.",
      "  one: 0 of 1, now 1 of 1",
    ])
    const wrong = join(folderOf({ "survey.json": "{}" }), "survey.json")
    expect((await runCli("migrate", "survey", after, "--since", wrong)).err).toContain(
      "is not the output of daypass migrate survey --json",
    )
  })
})

/** Small as a text, and endless when every alias is followed. */
function bomb(): string {
  const levels = [...Array(30).keys()].map((level) => `  l${level + 1}: &l${level + 1} [*l${level}, *l${level}]`)
  return `on: push\nx:\n  l0: &l0 ["\${{ secrets.A }}"]\n${levels.join("\n")}\njobs:\n  a: { steps: [] }\n`
}

describe("daypass migrate survey of GitHub", () => {
  let api: SecretsApi
  const ALL: Permissions = {
    ...{ secrets: "read", environments: "read", actions: "read", contents: "read" },
    ...{
      dependabot_secrets: "read",
      codespaces_secrets: "read",
      organization_secrets: "read",
      organization_dependabot_secrets: "read",
    },
  }
  const survey = (...args: string[]) =>
    runScripted(
      { http: createHttp({ userAgent: "daypass/1.2.3" }), env: { GH_TOKEN: api.token, GITHUB_API_URL: api.url } },
      ...["migrate", "survey", ...args],
    )

  beforeAll(async () => {
    api = await startSecrets()
    const shop = api.host(new HostedRepository(41, ACME, "shop"))
    shop.push(textsIn(SHOP))
    shop.actions.push({ name: "SLACK_WEBHOOK", ...OLD }, { name: "OLD_KEY", ...OLD })
    shop.shared.push({ name: "DOCKERHUB_TOKEN", ...OLD })
    shop.environments.set("production", [{ name: "AWS_SECRET_ACCESS_KEY", ...OLD }])
    shop.environments.set("odd name/ü", [])
    shop.dependabot.push({ name: "DEPENDABOT_TOKEN", ...OLD })
    const plain = api.host(new HostedRepository(42, ACME, "plain"))
    plain.push({ ".github/workflows/w.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: make\n" })
    plain.actions.push({ name: "OLD_KEY", ...OLD })
    api.host(new HostedRepository(43, ACME, "empty"))
    api.host(new HostedRepository(44, ACME, "gone")).archived = true
    api.organisation.push({ name: "DOCKERHUB_TOKEN", ...OLD }, { name: "NOBODY_HAS_IT", ...OLD })
  })
  beforeEach(() => {
    api.permissions = ALL
    api.limitAfter = null
    api.pageSize = 2
  })
  afterAll(async () => {
    await api.close()
    api.assertClean()
  })

  it("names secrets with their ages and places, over pages, without archived repositories", async () => {
    const { code, out, err } = await survey("acme")
    expect([code, err]).toEqual([0, ""])
    for (const line of [
      "acme: no jobs\n  NOBODY_HAS_IT (organisation, set 730 days ago)\n    no longer needed here: no workflow names it",
      "acme/shop: 1 of 13 jobs without a static secret",
      "  AWS_SECRET_ACCESS_KEY (environment production, set 730 days ago)\n    a role: a grant of an aws connection",
      "  DEPENDABOT_TOKEN (dependabot, set 730 days ago)\n    unknown: no workflow names it, but one is handed all secrets",
      "  DOCKERHUB_TOKEN (organisation, set 730 days ago)\n    a value in a store",
      "acme/plain: 1 of 1 job without a static secret\n  OLD_KEY (repository, set 730 days ago)\n    no longer needed: no workflow names it",
      "acme/empty: no jobs",
    ])
      expect(out).toContain(line)
    expect(out).not.toContain("acme/gone")
    expect(out.split("\n").at(-1)).toBe("Without static secrets: 3 of 4 repositories, 2 of 14 jobs.")
  })

  it("says which list the token may not see, with the permission, and counts nothing as free of secrets then", async () => {
    api.permissions = { contents: "read", secrets: "read", actions: "read", codespaces_secrets: "read" }
    const { code, out } = await survey("acme/plain")
    expect(code).toBe(1)
    expect(out).toContain(
      "  Not seen: GitHub refuses this token for the Dependabot secrets of acme/plain: give it the permission dependabot_secrets: read.",
    )
    expect(out).toContain("Without static secrets: 0 of 1 repository, 1 of 1 job.")
  })

  it("keeps what it has when a rate limit ends it, and says how many repositories are missing", async () => {
    api.limitAfter = 12
    const { code, out } = await survey("acme")
    expect(code).toBe(1)
    expect(out).toMatch(
      /Not seen: [1-3] of 3 repositories were not asked: GitHub's rate limit for this token is exceeded: try again after/,
    )
  })

  it.each<[string, string[], RegExp]>([
    ["an owner that is not there", ["nobody"], /finds no repositories of nobody, or the token may not read it/],
    ["a repository that is not there", ["acme/nothing"], /finds no repository acme\/nothing/],
    ["a folder that is not there", ["./nothing"], /there is no folder/],
    ["nothing", [], /WHAT is missing/],
  ])("ends with 2 for %s", async (_, args, sentence) => {
    const { code, err } = await survey(...args)
    expect(code).toBe(2)
    expect(err).toMatch(sentence)
  })
})
