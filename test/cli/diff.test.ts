import { readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { folderOf, ORGANISATION, POLICY, runCli, runScripted } from "./run-cli.ts"

const folder = (policy = POLICY, organisation = ORGANISATION) =>
  folderOf({ "daypass.yaml": organisation, "octo-org/production.yaml": policy })
const OLD = folder()
const WIDER = folder(POLICY.replace("ref: refs/heads/main", 'ref: [refs/heads/main, "refs/tags/v*"]'))
const BAD = folder(POLICY.replace("ttl: 1h", "tll: 1h"))
const ROLE = "arn:aws:iam::111122223333:role/octo-deploy"

describe("daypass diff", () => {
  it("says that nothing changes when only the text does, and ends with 0", async () => {
    const renamed = folderOf({
      "daypass.yaml": `# a comment\n${ORGANISATION}`,
      "elsewhere.yaml": POLICY.replace("deploy from main", "another name"),
    })
    expect(await runCli("diff", OLD, renamed)).toEqual({ code: 0, out: "No job gets more or less.", err: "" })
  })

  it("says who gets more, and ends with 3", async () => {
    const { code, out, err } = await runCli("diff", OLD, WIDER)
    expect([code, err]).toEqual([3, ""])
    expect(out.split("\n")).toEqual([
      "+ MORE  octo-org/octo-repo (id 456789), Production",
      `        can get aws-deploy: ${ROLE} through aws-prod, for 1h`,
      "        if event_name is push and ref is refs/tags/v* and runner_environment is github-hosted",
      "        for example: octo-org/octo-repo, Production, ref refs/tags/v1.0.0, event push, runner_environment github-hosted",
      "        octo-org/production.yaml:6",
      "",
      "1 change gives more. No job gets less.",
    ])
  })

  it("says who gets less, and ends with 0", async () => {
    const { code, out } = await runCli("diff", WIDER, OLD)
    expect(code).toBe(0)
    expect(out).toContain("- LESS  octo-org/octo-repo (id 456789), Production")
    expect(out).toMatch(/1 change gives less\. No job gets more\.$/)
  })

  it("writes the same as JSON, with the claims of the example", async () => {
    const { code, out } = await runCli("diff", OLD, WIDER, "--json")
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      widens: true,
      narrows: false,
      changes: [
        {
          direction: "wider",
          kind: "grant",
          grant: "aws-deploy",
          subjects: [
            {
              issuer: "github",
              unit_kind: "repository",
              unit: "octo-org/octo-repo",
              unit_id: "456789",
              environment: "Production",
            },
          ],
          example: { claims: { ref: "refs/tags/v1.0.0", event_name: "push", repository_id: "456789" } },
          proven: true,
          place: { set: "new", file: "octo-org/production.yaml", line: 6 },
        },
      ],
    })
  })

  it("annotates the line of a pull request for GitHub, and fills the step's summary", async () => {
    const summary = join(folderOf({ "summary.md": "" }), "summary.md")
    const script = { cwd: dirname(WIDER), env: { GITHUB_STEP_SUMMARY: summary } }
    const { code, out } = await runScripted(script, "diff", OLD, WIDER, "--format", "github")
    expect(code).toBe(3)
    expect(out.split("\n")[0]).toBe(
      `::warning file=${basename(WIDER)}/octo-org/production.yaml,line=6,col=1,title=diff%3A wider_grant::More: octo-org/octo-repo (id 456789), Production: can get aws-deploy: ${ROLE} through aws-prod, for 1h, if event_name is push and ref is refs/tags/v* and runner_environment is github-hosted.`,
    )
    expect(readFileSync(summary, "utf8")).toContain("### daypass diff")
  })

  it("names the issuer in every format, with its URL where the folders do not list the same", async () => {
    const url = "https://ghes.octo.example/_services/token"
    const added = ORGANISATION.replace(
      "connections:",
      `  ghes: { family: github-actions, url: "${url}", owners: { octo-org: "123456" } }\nconnections:`,
    )
    const of = (issuer: string) => POLICY.replace("repository:", `issuer: ${issuer}\nrepository:`)
    const next = folderOf({ "daypass.yaml": added, "a.yaml": of("github"), "b.yaml": of("ghes") })
    const text = (await runCli("diff", OLD, next)).out.split("\n")
    expect(text[0]).toBe(`Issuer ghes (${url}) is new.`)
    expect(text[2]).toBe(`+ MORE  octo-org/octo-repo (id 456789, new issuer ghes at ${url}), Production`)
    const github = (await runCli("diff", OLD, next, "--format", "github")).out
    expect(github).toContain(`::More: octo-org/octo-repo (id 456789, new issuer ghes at ${url}), Production: can get`)
    expect(github).toMatch(/\n1 change gives more\. No job gets less\. Issuer ghes \(https:\S+\) is new\.$/)
    expect(JSON.parse((await runCli("diff", OLD, next, "--json")).out)).toMatchObject({
      changes: [{ subjects: [{ issuer: "ghes", unit_id: "456789" }] }],
      issuers: [
        { old: { name: "github", family: "github-actions" }, new: { name: "github" } },
        { old: null, new: { name: "ghes", family: "github-actions", url } },
      ],
    })
  })

  it("says what is faulty in either folder, and ends with 1", async () => {
    for (const args of [
      [OLD, BAD],
      [BAD, OLD],
    ]) {
      const { code, out } = await runCli("diff", ...args)
      expect(code).toBe(1)
      expect(out).toContain(`${join(BAD, "octo-org/production.yaml")}:16:5: error: The key "tll" is unknown here.`)
      const json = JSON.parse((await runCli("diff", ...args, "--json")).out)
      expect(json).toMatchObject({ ok: false, widens: null, folder: BAD })
    }
  })

  it.each([
    { args: [], says: "OLD is missing" },
    { args: [OLD, OLD, OLD], says: "too many arguments" },
    { args: [OLD, "/nowhere"], says: "/nowhere does not exist" },
    { args: ["/nowhere", OLD], says: "/nowhere does not exist" },
    { args: [OLD, OLD, "--format", "yaml"], says: "--format must be one of" },
  ])("ends with 2: $says", async ({ args, says }) => {
    const { code, out, err } = await runCli("diff", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(says)
  })

  it("prints no line break, escape sequence or command of a policy's", async () => {
    const named = POLICY.replace("refs/heads/main", '["refs/heads/main", "::error::x##[y"]')
    const { out } = await runCli("diff", OLD, folder(named), "--format", "github")
    expect(out.split("\n").filter((line) => line.startsWith("::error"))).toEqual([])
    expect(out).not.toContain("##[")
  })
})
