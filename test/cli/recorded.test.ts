// The commands that answer from a record: what they say of real records, and what they refuse to read.
import { execFileSync } from "node:child_process"
import { cpSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import { githubRun, loadedFolder, trailOf } from "../support/recorded-trail.ts"
import { folderOf, ORGANISATION, runCli, runScripted } from "./run-cli.ts"

const POLICY = `version: 1
repository: octo-org/octo-repo
repository_id: "456789"
environment: Production
allow:
  # The usual way.
  - name: deploy from branches # and tags
    when:
      ref: [refs/heads/**, "refs/tags/v*"] # all of them
      event_name:
        - push
        # by hand
        - workflow_dispatch
    grants: [aws-deploy, token]
  - name: at night
    when: { ref: refs/heads/main, event_name: schedule }
    grants: [aws-nightly]
deny:
  - name: never on our own runners
    when: { runner_environment: { not: github-hosted } }
grants:
  aws-deploy: # for the shop
    connection: aws-prod
    role: arn:aws:iam::111122223333:role/octo-deploy
  # for the night
  aws-nightly:
    connection: aws-prod
    role: arn:aws:iam::111122223333:role/octo-night
  token: { connection: oidc, audience: https://vault.example.com }
`
const WITH_OIDC = `${ORGANISATION}  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }\n`
const folder = (policy = POLICY, more: Readonly<Record<string, string>> = {}) =>
  folderOf({ "daypass.yaml": WITH_OIDC, "octo-org/production.yaml": policy, ...more })

const OLD = folder()
const day = (number: number) => `2026-11-${String(number).padStart(2, "0")}T08:00:00.000Z`
let records: readonly AuditRecord[]
let file: string

beforeAll(() => {
  const set = loadedFolder(OLD)
  const run = (claims: Readonly<Record<string, string>>, at: number) =>
    githubRun(set, { run_id: `${at}`, ...claims }, { grants: ["aws-deploy"], at: day(at) })
  records = [
    run({}, 1),
    run({}, 2),
    run({ ref: "refs/heads/release", event_name: "workflow_dispatch" }, 3),
    run({ ref: "refs/heads/release", event_name: "workflow_dispatch" }, 4),
    run({ ref: "refs/pull/7/merge", event_name: "pull_request" }, 5),
  ]
  file = join(folderOf({ "audit.jsonl": trailOf(records) }), "audit.jsonl")
})

describe("daypass diff --record", () => {
  const onlyMain = folder(POLICY.replace("[refs/heads/**,", "[refs/heads/main,"))

  it("says which recorded runs would be refused, by which line, and ends as diff does", async () => {
    const { code, out, err } = await runCli("diff", OLD, onlyMain, "--record", file)
    expect([code, err]).toEqual([0, ""])
    expect(out.slice(out.indexOf("The record"))).toBe(`The record, from 2026-11-01T08:00Z to 2026-11-05T08:00Z:

- REFUSED  2 exchanges of octo-org/octo-repo (id 456789), Production: aws-deploy
           "deploy from branches" does not match: ref must be refs/heads/main or refs/tags/v*, and was refs/heads/release
           octo-org/production.yaml:7
           first 2026-11-03T08:00Z, last 2026-11-04T08:00Z; runs 3, 4

Of 5 exchanges: 2 exchanges would be refused.`)
  })

  it("says which would be newly allowed, and leaves out what is outside of the window", async () => {
    const open = folder(
      POLICY.replace("- push\n", "- push\n        - pull_request\n").replace("refs/heads/**", "refs/**"),
    )
    const args = ["diff", OLD, open, "--record", file, "--json"]
    const { code, out } = await runCli(...args)
    expect(code).toBe(3)
    expect(JSON.parse(out).record).toMatchObject({
      exchanges: 5,
      alike: 4,
      otherwise: 0,
      changes: [
        {
          change: "allowed",
          exchanges: 1,
          grants: ["aws-deploy"],
          unit: "octo-org/octo-repo",
          environment: "Production",
          place: { set: "new", file: "octo-org/production.yaml", line: 7 },
          runs: ["5"],
        },
      ],
    })
    const early = await runCli(...args, "--until", "2026-11-05")
    expect(JSON.parse(early.out).record).toMatchObject({ exchanges: 4, changes: [] })
    const late = await runScripted({ now: () => new Date(day(6)) }, ...args, "--since", "2d")
    expect(JSON.parse(late.out).record).toMatchObject({ exchanges: 2, from: day(4) })
  })

  it("says that it cannot know what no record has", async () => {
    const byWorkflow = folder(
      POLICY.replace("    grants: [aws-deploy, token]", '      workflow: "Deploy"\n    grants: [aws-deploy, token]'),
    )
    const { out } = await runCli("diff", OLD, byWorkflow, "--record", file)
    expect(out).toContain("? UNKNOWN  4 exchanges of octo-org/octo-repo (id 456789), Production: aws-deploy")
    expect(out).toContain("the record does not say workflow")
    expect(out).toContain("Of 5 exchanges: 4 exchanges cannot be known.")
  })

  it("annotates the line that refuses what ran", async () => {
    const { out } = await runCli("diff", OLD, onlyMain, "--record", file, "--format", "github")
    expect(out).toMatch(/^::warning file=[^\n]*octo-org\/production\.yaml,line=7,[^\n]*runs_refused::2 exchanges of /m)
  })

  it("reads standard input, and refuses what is no whole export", async () => {
    const trail = trailOf(records)
    const args = ["diff", OLD, onlyMain, "--record", "-"]
    expect((await runScripted({ input: trail }, ...args)).out).toContain("2 exchanges would be refused")
    const lines = trail.split("\n")
    for (const [input, message] of [
      [lines.slice(0, -2).join("\n").concat("\n"), "standard input: the export is cut: its closing line is missing"],
      [trail.slice(0, 200), "standard input:2: the export is cut in the middle of a line"],
      ["{}\n", "standard input:1: this is not a line of an audit export"],
      [`${lines[1]}\n`, "standard input:1: a record is outside of any ledger"],
      [`${trail}x\n`, "standard input:9: something follows the closing line"],
      ["\u001b[31m\n", "standard input:1: the line is not JSON"],
    ] as const) {
      const { code, out, err } = await runScripted({ input }, ...args)
      expect([code, out]).toEqual([2, ""])
      expect(err).toContain(message)
    }
    expect(await runCli("diff", OLD, onlyMain, "--record", "/nowhere")).toMatchObject({ code: 2, out: "" })
    for (const since of ["yesterday", "2026-02-30", "2026-11-01T08:00", "0d"]) {
      expect(await runCli(...args, "--since", since), since).toMatchObject({ code: 2, out: "" })
    }
    expect((await runCli("diff", OLD, onlyMain, "--since", "1d")).err).toContain("which part of --record")
  })
})

describe("daypass tighten", () => {
  const HEAD = "octo-org/production.yaml"

  it("writes a patch that git applies, and keeps comments", async () => {
    const repository = folderOf({})
    const git = (...args: string[]) => execFileSync("git", args, { cwd: repository, encoding: "utf8" })
    cpSync(OLD, join(repository, "policies"), { recursive: true })
    const patch = join(repository, "tighter.patch")
    const io = { cwd: repository }
    const { code, out, err } = await runScripted(
      io,
      "tighten",
      join(repository, "policies"),
      "--record",
      file,
      "--patch",
      patch,
    )
    expect([code, err]).toEqual([0, ""])
    expect(
      out.replaceAll(join(repository, "policies/"), ""),
    ).toBe(`${HEAD}:7:1: notice: The rule "deploy from branches" never gave token. [unused_rule]
${HEAD}:7:1: notice: The rule "deploy from branches" needed of ref only refs/heads/main or refs/heads/release in 4 exchanges, and allows refs/heads/** or refs/tags/v*. [wider_than_used]
${HEAD}:15:1: notice: The rule "at night" gave nothing. [unused_rule]
${HEAD}:26:1: notice: The grant "aws-nightly" was not given to any job. [unused_grant]
${HEAD}:29:1: notice: The grant "token" was not given to any job. [unused_grant]
daypass.yaml:9:1: notice: The connection "oidc" was not used by any job. [unused_connection]
6 findings by 5 exchanges from 2026-11-01 to 2026-11-05; 2 files can be tightened. What is newer than the record may only not have been used yet.`)
    git("init", "-q")
    git("apply", "tighter.patch")
    expect(readFileSync(join(repository, "policies", HEAD), "utf8")).toBe(`version: 1
repository: octo-org/octo-repo
repository_id: "456789"
environment: Production
allow:
  # The usual way.
  - name: deploy from branches # and tags
    when:
      ref: [refs/heads/main, refs/heads/release] # all of them
      event_name:
        - push
        # by hand
        - workflow_dispatch
    grants: [aws-deploy]
deny:
  - name: never on our own runners
    when: { runner_environment: { not: github-hosted } }
grants:
  aws-deploy: # for the shop
    connection: aws-prod
    role: arn:aws:iam::111122223333:role/octo-deploy
  # for the night
`)
    expect(readFileSync(join(repository, "policies/daypass.yaml"), "utf8")).toBe(ORGANISATION)
    const again = await runScripted(io, "tighten", join(repository, "policies"), "--record", file)
    expect(again.out).toMatch(/^All of this folder was used: 5 exchanges/)
    const taken = await runScripted(io, "tighten", OLD, "--record", file, "--patch", patch)
    expect(taken).toMatchObject({ code: 2, out: "" })
  })

  it("leaves what the record cannot speak of, and says nothing from an empty record", async () => {
    const set = loadedFolder(OLD)
    const other = folder(
      POLICY.replace("    grants: [aws-deploy, token]", '      workflow: "*"\n    grants: [aws-deploy, token]'),
    )
    const run = githubRun(set, {}, { grants: ["aws-deploy"], at: day(1) })
    const { out } = await runScripted({ input: trailOf([run]) }, "tighten", other, "--record", "-", "--json")
    const { findings } = JSON.parse(out)
    expect(findings.map(({ name, says }: { name: string; says: string }) => `${name} ${says}`)).toEqual([
      "at night gave nothing",
      "aws-nightly was not given to any job",
      "oidc was not used by any job",
    ])
    const nothing = await runScripted({ input: trailOf([]) }, "tighten", OLD, "--record", "-")
    expect(nothing).toMatchObject({ code: 2, out: "" })
    expect(nothing.err).toContain("everything would look unused")
  })

  it("keeps wildcards that stand for versions, and values that were seen once", async () => {
    const set = loadedFolder(OLD)
    const tagged = ["1.0.0", "1.0.0", "1.1.0", "1.1.0"].map((version) => ({ ref: `refs/tags/v${version}` }))
    const runs = [...tagged, { ref: "refs/heads/once" }].map((claims, at) =>
      githubRun(set, claims, { grants: ["aws-deploy", "token"], at: day(at + 1) }),
    )
    const { out } = await runScripted({ input: trailOf(runs) }, "tighten", OLD, "--record", "-", "--json")
    const conditions = JSON.parse(out).findings.filter(({ kind }: { kind: string }) => kind === "condition")
    expect(conditions.map(({ claim, is }: { claim: string; is: string[] }) => [claim, is])).toEqual([
      ["event_name", ["push"]],
    ])
  })
})
