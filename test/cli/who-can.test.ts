import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { folderOf, ORGANISATION, POLICY, runCli } from "./run-cli.ts"

const WIDE = `version: 1
repository: octo-org/svc-*
environment: Production
allow:
  - name: services
    when: { ref: refs/heads/main, event_name: push }
    grants: [deploy]
grants:
  deploy: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/svc/\${repository_name}" }
`
const DENIED = `version: 1
repository: octo-org/octo-repo
repository_id: "456789"
environment: Production
allow:
  - name: never
    when: { ref: refs/heads/main, runner_environment: self-hosted }
    grants: [aws-deploy]
`
const FOLDER = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY, "b.yaml": WIDE, "c.yaml": DENIED })
const CEILING = `${ORGANISATION.replace("owners:", "repository_policies: true\n    owners:")}boundaries:
  - name: ci
    when: { repository_owner_id: "123456" }
    allow: [{ connection: aws-prod, role: "arn:aws:iam::111122223333:role/svc/*" }]
    require: { runner_environment: github-hosted }
    protected_environment: { required_reviewers: true }
`
const BELOW = folderOf({ "daypass.yaml": CEILING, "a.yaml": POLICY, "b.yaml": WIDE })
const role = (name: string) => `role=arn:aws:iam::111122223333:role/${name}`

describe("daypass who-can", () => {
  it("says everybody who can get anything, and what has no effect", async () => {
    const { code, out, err } = await runCli("who-can", FOLDER)
    expect([code, err]).toEqual([0, ""])
    expect(out.split("\n")).toEqual([
      "REPOSITORY                      ENVIRONMENT  GRANT       FOR  REACHES",
      "octo-org/octo-repo (id 456789)  Production   aws-deploy  1h   arn:aws:iam::111122223333:role/octo-deploy through aws-prod",
      "    if      ref: refs/heads/main; event_name: push",
      '    unless  runner_environment: not github-hosted ("never on our own runners", a.yaml:10)',
      "    sub     github:repository:456789:environment:Production:grant:aws-deploy",
      '    where   a.yaml:6 "deploy from main"',
      "",
      `octo-org/svc-*                  Production   deploy      15m  arn:aws:iam::111122223333:role/svc/\${repository_name} through aws-prod`,
      "    if      ref: refs/heads/main; event_name: push",
      '    where   b.yaml:5 "services"',
      "",
      "2 ways to get it. Left out (--all shows them): 1 allow rule: 1 always denied.",
    ])
  })

  it("shows with --all why a rule has no effect", async () => {
    const { out } = await runCli("who-can", FOLDER, "--all", "--grant", "aws-deploy")
    expect(out).toContain(
      'no effect: "never" (c.yaml:6) gives aws-deploy to no job of octo-org/octo-repo (id 456789), Production: other rules refuse every job that it allows',
    )
  })

  it.each([
    { field: role("svc/svc-pay"), finds: ["octo-org/svc-pay (of octo-org/svc-*)"] },
    { field: role("svc/svc-p*"), finds: ["such as octo-org/svc-px (of octo-org/svc-*)"] },
    { field: role("octo-*"), finds: ["octo-org/octo-repo (id 456789)"] },
    { field: role("svc/shop"), finds: [] },
    { field: role("svc/svc-"), finds: [] },
  ])("finds who reaches $field by what fills it", async ({ field, finds }) => {
    const { code, out } = await runCli("who-can", FOLDER, "--grant-field", field)
    expect(out.split("\n").flatMap((line) => /^(\S.*?) {2,}Production/.exec(line)?.[1] ?? [])).toEqual(finds)
    expect(code).toBe(finds.length === 0 ? 1 : 0)
    if (finds.length === 0) expect(out).toMatch(/^No job can get it\./)
  })

  it.each([
    { args: ["--repository", "octo-org/svc-pay"], finds: ["octo-org/svc-pay (of octo-org/svc-*)"] },
    { args: ["--repository", "octo-org/octo-*"], finds: ["octo-org/octo-repo (id 456789)"] },
    { args: ["--environment", "staging"], finds: [] },
    { args: ["--connection", "aws-prod", "--grant", "deploy"], finds: ["octo-org/svc-*"] },
  ])("narrows by $args", async ({ args, finds }) => {
    const { out } = await runCli("who-can", FOLDER, ...args)
    expect(out.split("\n").flatMap((line) => /^(\S.*?) {2,}Production/.exec(line)?.[1] ?? [])).toEqual(finds)
  })

  it("leaves out what is outside of the boundaries, and says what repositories could give themselves", async () => {
    const { code, out } = await runCli("who-can", BELOW)
    expect(code).toBe(0)
    expect(out).not.toContain("role/octo-deploy")
    expect(out).toContain("any of github")
    expect(out).toContain("any policy that a repository keeps for itself could give this")
    expect(out).toContain(
      'within  "ci" (daypass.yaml:11) allows it; requires runner_environment: github-hosted, needs required reviewers on the environment',
    )
    expect(out).toMatch(/1 outside the boundaries\.$/)
  })

  it("says who must approve the run of a break-glass grant, to people and to programs", async () => {
    const policy = POLICY.replace(
      "allow:",
      "protected_environment: { required_reviewers: true, prevent_self_review: true }\nallow:",
    ).replace(/(connection: aws-prod\n)( +)/, "$1$2break_glass: { approvals: 2, reason: required }\n$2")
    const folder = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": policy })
    const { out } = await runCli("who-can", folder)
    expect(out).toContain("    needs   required reviewers, no self-review on the environment\n")
    expect(out).toContain("    needs   2 approvals of the run by others, with reasons\n")
    const { rows } = JSON.parse((await runCli("who-can", folder, "--json")).out)
    expect(rows).toMatchObject([{ break_glass: "2 approvals of the run by others, with reasons", proven: true }])
  })

  it("writes JSON with the claims of a job that gets it", async () => {
    const { code, out } = await runCli("who-can", BELOW, "--grant-field", role("svc/svc-pay"), "--json")
    expect(code).toBe(0)
    const { ok, rows, unreachable } = JSON.parse(out)
    expect([ok, unreachable]).toEqual([true, []])
    expect(rows).toMatchObject([
      {
        unit_kind: "repository",
        unit: "octo-org/svc-*",
        unit_id: null,
        only: "octo-org/svc-pay",
        grant: "deploy",
        ttl_seconds: 900,
        example: { repository: "octo-org/svc-pay", ref: "refs/heads/main", runner_environment: "github-hosted" },
        within: [{ name: "ci", allows: true, protected_environment: "required reviewers", demands_of: [] }],
        proven: true,
      },
      { unit: null, grant: null, connection: "aws-prod", resource: "role arn:aws:iam::111122223333:role/svc/*" },
    ])
  })

  it("annotates the rules that give it, and with --all those that give nobody anything", async () => {
    const { code, out } = await runCli("who-can", FOLDER, "--grant", "aws-deploy", "--format", "github", "--all")
    expect(code).toBe(0)
    const [given = "", nobody = "", summary, ...more] = out.split("\n")
    expect(given).toMatch(/^::notice file=\S*a\.yaml,line=6,col=1,title=who-can%3A can_get::octo-org\/octo-repo /)
    expect(given).toContain("if ref: refs/heads/main; event_name: push; unless runner_environment: not github-hosted")
    expect(nobody).toMatch(
      /^::notice file=\S*c\.yaml,line=6,col=1,title=who-can%3A nobody_gets::"never" gives aws-deploy to no job of octo-org\//,
    )
    expect(summary).toMatch(/^1 way to get it\./)
    expect(more).toEqual([])
  })

  it("annotates what repositories could give themselves at the boundary's entry", async () => {
    const { out } = await runCli("who-can", BELOW, "--format", "github")
    expect(out).toMatch(/^::notice file=\S*daypass\.yaml,line=13,col=1,title=who-can%3A can_get::any of github/m)
  })

  it.each(["text", "github"])("never says nobody, as %s, where it is unknown", async (format) => {
    const word = (seed: number) =>
      [...Array(12).keys()].map((at) => "abcdef"[(seed * (at + 3) + at * at) % 6]).join("*")
    const rules = [...Array(500).keys()].map(
      (seed) => `  - { name: r${seed}, when: { ref: "refs/heads/${word(seed)}${seed}" }, grants: [aws-deploy] }`,
    )
    const tangled = POLICY.replace(/allow:\n[\s\S]*?deny:/, `allow:\n${rules.join("\n")}\ndeny:`)
    const folder = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": tangled })
    const { code, out } = await runCli("who-can", folder, "--format", format)
    expect(code).toBe(0)
    expect(out).toContain("unknown, because")
    expect(out).toMatch(/\nNo way to get it was found, but 1 answer is unknown\.$/)
  })

  describe("where two issuers know a repository of the same name and id", () => {
    const two = ORGANISATION.replace(
      "connections:",
      `  ghes: { family: github-actions, url: "https://ghes.octo.example/_services/token", repository_policies: true, owners: { octo-org: "123456" } }
connections:`,
    )
    const boundaries = CEILING.slice(CEILING.indexOf("boundaries:")).replace("svc/*", "*")
    const of = (issuer: string, policy: string) => policy.replace("repository:", `issuer: ${issuer}\nrepository:`)
    const folder = folderOf({
      "daypass.yaml": `${two}${boundaries}`,
      "a.yaml": of("github", POLICY),
      "b.yaml": of("ghes", POLICY),
      "c.yaml": of("ghes", WIDE).replace("role/svc/", "role/"),
      "d.yaml": of("github", DENIED),
    })

    it("names the issuer in every row", async () => {
      const { out } = await runCli("who-can", folder, "--all")
      const names = out.split("\n").flatMap((line) => /^(\S.*?) {2,}/.exec(line)?.[1] ?? [])
      expect(names).toEqual([
        "REPOSITORY",
        "octo-org/octo-repo (id 456789, issuer github)",
        "octo-org/octo-repo (id 456789, issuer ghes)",
        "octo-org/svc-* (issuer ghes)",
        "any of issuer ghes",
      ])
      expect(out).toContain("to no job of octo-org/octo-repo (id 456789, issuer github), Production: other rules")
    })

    it("names it where some repositories of a pattern are asked for", async () => {
      const { out } = await runCli("who-can", folder, "--repository", "octo-org/svc-pay")
      expect(out).toContain("octo-org/svc-pay (of octo-org/svc-*, issuer ghes)")
      expect(out).toMatch(/^octo-org\/svc-pay \(issuer ghes\) /m)
    })

    it("tells them apart in the sub that other systems trust, and names none of a pattern or of an own policy", async () => {
      const { rows } = JSON.parse((await runCli("who-can", folder, "--json")).out)
      expect(rows.map(({ sub }: { sub: string | null }) => sub)).toEqual([
        "github:repository:456789:environment:Production:grant:aws-deploy",
        "ghes:repository:456789:environment:Production:grant:aws-deploy",
        null,
        null,
      ])
    })

    it("names it in annotations and in JSON", async () => {
      const { out } = await runCli("who-can", folder, "--format", "github", "--grant", "aws-deploy")
      const said = out.split("\n").flatMap((line) => /can_get::(.*?):/.exec(line)?.[1] ?? [])
      expect(said).toEqual(
        expect.arrayContaining([
          "octo-org/octo-repo (id 456789, issuer github), environment Production",
          "octo-org/octo-repo (id 456789, issuer ghes), environment Production",
        ]),
      )
      const { rows } = JSON.parse((await runCli("who-can", folder, "--grant", "aws-deploy", "--json")).out)
      expect(rows.map(({ issuer }: { issuer: string }) => issuer)).toEqual(expect.arrayContaining(["github", "ghes"]))
    })
  })

  it("says what is faulty in the folder, and ends with 1", async () => {
    const bad = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY.replace("ttl: 1h", "tll: 1h") })
    const { code, out } = await runCli("who-can", bad)
    expect(code).toBe(1)
    expect(out).toContain("key_unknown")
    expect(JSON.parse((await runCli("who-can", bad, "--json")).out)).toMatchObject({ ok: false })
  })

  it.each([
    { args: [FOLDER, FOLDER], says: "too many arguments" },
    { args: ["/nowhere"], says: "/nowhere does not exist. Name the policy folder" },
    { args: [FOLDER, "--connection", "aws-prd"], says: 'no connection "aws-prd". Did you mean "aws-prod"?' },
    { args: [FOLDER, "--grant", "deplyo"], says: 'no grant "deplyo". Did you mean "deploy"?' },
    { args: [FOLDER, "--grant-field", "rol=x"], says: 'no grant field "rol". Did you mean "role"?' },
    { args: [FOLDER, "--grant-field", "role"], says: "--grant-field is KEY=VALUE" },
    { args: [FOLDER, "--grant-field", "role=***"], says: "three stars" },
    { args: [FOLDER, "--repository", "shop"], says: "--repository is OWNER/REPO" },
    { args: [FOLDER, "--format", "yaml"], says: "--format must be one of text, json, github" },
  ])("ends with 2: $says", async ({ args, says }) => {
    const { code, out, err } = await runCli("who-can", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(says)
  })
})

describe("for all people of an issuer, daypass who-can", () => {
  const KEY = "age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy"
  const file = (issuer: string, when: string) => `version: 1
issuer: ${issuer}
people: true
allow:
  - name: some of them
    when: { ${when} }
    grants: [vault]
grants:
  vault: { connection: oidc, audience: "https://vault.example.com", ttl: 5m }
`
  const issuers = {
    staff: `staff: { family: openid, url: "https://sso.example.com", audience: daypass }`,
    laptop: "laptop: { family: local }",
  }
  const folderFor = (issuer: keyof typeof issuers, connection: string, policy: string, more = {}) =>
    folderOf({
      "daypass.yaml": `version: 1\nissuers:\n  ${issuers[issuer]}\nconnections:\n  ${connection}\n`,
      "people.yaml": policy,
      ...more,
    })
  const OIDC = `oidc: { provider: identity-token, audiences: ["https://vault.example.com"], people: true }`

  it.each([
    [`email: "*@example.com"`, "email: *@example.com"],
    [`email: person@example.com`, "email: person@example.com"],
    [`groups: engineering`, "groups: engineering"],
    [`sub: f4a3c9de`, "sub: f4a3c9de"],
    // A provider may send no address, and then the condition on the group still holds.
    [`groups: engineering, email: { present: false }`, "email: missing"],
  ])("misses nobody whom %s allows", async (when, said) => {
    const { code, out } = await runCli("who-can", folderFor("staff", OIDC, file("staff", when)))
    expect(out.split("\n").slice(0, 2)).toEqual([
      "PERSON  ENVIRONMENT  GRANT  FOR  REACHES",
      "**      none         vault  5m   https://vault.example.com through oidc",
    ])
    expect(out).toContain(said)
    expect(code).toBe(0)
  })

  it("knows a person by an age key", async () => {
    const policy = file("laptop", `sub: ${KEY}`).replace(
      /vault: \{.*\}/,
      `vault: { connection: dev, read: { PASSWORD: "dev.sops.yaml#database/password" } }`,
    )
    const secrets = readFileSync(new URL("../vectors/sops/every-type.sops.yaml", import.meta.url), "utf8")
    const connection = "dev: { provider: sops, key: env:DEV_AGE_KEY, people: true }"
    const { out } = await runCli("who-can", folderFor("laptop", connection, policy, { "dev.sops.yaml": secrets }))
    expect(out).toContain(`if      sub: ${KEY}`)
  })
})
