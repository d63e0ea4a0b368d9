import { afterAll, describe, expect, it, vi } from "vitest"

// Fresh modules, for the schema of an organisation file reads the list of families once.
vi.resetModules()
const { listOwnFamilies } = await import("../analysis/families/own-families.ts")
listOwnFamilies()
const { FAMILY_FACTS } = await import("../../broker/core/families/families.ts")
const { folderOf, runCli } = await import("./run-cli.ts")
afterAll(() => {
  vi.resetModules()
})

// One folder with policies for units of several kinds: what each command says of them.

const ROLE = "arn:aws:iam::111122223333:role/deploy"
const GRANT = `grants:
  deploy: { connection: aws-prod, role: "${ROLE}" }
`
const allow = (when: string) => `allow:
  - name: main deploys
${when === "" ? "" : `    when: ${when}\n`}    grants: [deploy]
${GRANT}`

const GITHUB = {
  issuer: `  github: { family: github-actions, url: "https://token.actions.githubusercontent.com", owners: { acme: "9001" } }`,
  policy: `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
${allow("{ ref: refs/heads/main, event_name: push }")}`,
}

const folder = (parts: readonly { readonly issuer: string; readonly policy: string }[], more = "") =>
  folderOf({
    "daypass.yaml": `version: 1
issuers:
${parts.map(({ issuer }) => issuer).join("\n")}
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
${more}`,
    ...Object.fromEntries(parts.map(({ policy }, index) => [`${"abcdef"[index]}.yaml`, policy])),
  })

const TESTS = [
  GITHUB,
  {
    issuer: `  projects: { family: test-projects, url: "https://projects.example.com", owners: { acme: "7", acme/team: "8" } }`,
    policy: `version: 1
issuer: projects
project: acme/team/shop
project_id: "41"
${allow("{ branch: main, cause: push }")}`,
  },
  {
    issuer: `  jobs: { family: test-jobs, url: "https://jobs.example.com" }`,
    policy: `version: 1
issuer: jobs
job: https://jobs.example.com/shop/
${allow('{ number: "42" }')}`,
  },
] as const

describe("policies of several issuer families", () => {
  it("are one table of who can get a role, with the kind of each unit", async () => {
    const { code, out } = await runCli("who-can", folder(TESTS), "--grant-field", `role=${ROLE}`)
    expect(code).toBe(0)
    const cells = out.split("\n").flatMap((line) => /^(\S.*?) {2,}/.exec(line)?.[1] ?? [])
    expect(cells).toEqual([
      "UNIT",
      "repository acme/shop (id 41, issuer github)",
      "project acme/team/shop (id 41, issuer projects)",
      "job https://jobs.example.com/shop/ (issuer jobs)",
    ])
    expect(out).toContain("    sub     projects:project:41:environment:-:grant:deploy")
    expect(out).toContain("    if      branch: main; cause: push")
    expect(out).toContain("3 ways to get it.")
  })

  it("are asked of by a unit's name, whatever its kind", async () => {
    const only = async (...options: readonly string[]) => {
      const { out } = await runCli("who-can", folder(TESTS), "--json", ...options)
      return (JSON.parse(out) as { rows: { unit_kind: string; unit: string }[] }).rows.map(
        ({ unit_kind: kind }) => kind,
      )
    }
    expect(await only("--unit", "acme/**")).toEqual(["repository", "project"])
    expect(await only("--unit", "acme/team/shop")).toEqual(["project"])
    expect(await only("--unit", "https://jobs.example.com/shop/")).toEqual(["job"])
    expect(await only("--repository", "acme/shop")).toEqual(["repository"])
  })

  it("take one name for the unit, and not two", async () => {
    const { code, err } = await runCli("who-can", folder(TESTS), "--unit", "a/b", "--repository", "a/b")
    expect([code, err]).toEqual([2, expect.stringContaining("--repository is another name of --unit")])
  })

  it("have examples with the types of their tokens", async () => {
    const { out } = await runCli("who-can", folder(TESTS), "--unit", "acme/team/shop", "--json")
    const [row] = (JSON.parse(out) as { rows: { example: object }[] }).rows
    expect(row?.example).toMatchObject({ test_path: "acme/team/shop", test_id: "41", shell: false, branch: "main" })
    expect(row?.example).not.toHaveProperty("outsider")
  })

  it("let in outsiders only by name, however many claims say so", async () => {
    const conditions = async (when: string) => {
      const policy = TESTS[1].policy.replace("{ branch: main, cause: push }", when)
      const { out } = await runCli("who-can", folder([{ ...TESTS[1], policy }]), "--json")
      const [row] = (JSON.parse(out) as { rows: { example: Record<string, unknown> }[] }).rows
      return row?.example["cause"]
    }
    expect(await conditions('{ branch: main, outsider: "true" }')).toBe("request")
    expect(await conditions("{ branch: main, cause: request }")).toBe("request")
    expect(await conditions('{ branch: main, cause: "**" }')).toBe("push")
    expect(await conditions('{ branch: main, outsider: "true", interactive: "true" }')).toBe("request")
  })

  it("give nothing to outsiders who are denied, and to nobody where a rule asks for both", async () => {
    const policy = TESTS[1].policy.replace("{ branch: main, cause: push }", "{ branch: main, cause: request }")
    const denied = policy.replace(
      "allow:",
      'deny:\n  - name: nobody from outside\n    when: { outsider: "true" }\nallow:',
    )
    const { out } = await runCli("who-can", folder([{ ...TESTS[1], policy: denied }]))
    expect(out).toContain("No job can get it.")
    expect((await runCli("who-can", folder([{ ...TESTS[1], policy }]))).out).toContain("1 way to get it.")
  })

  it("are compared by what their own claims say", async () => {
    const wider = TESTS.map((one) => ({
      ...one,
      policy: one.policy.replace("branch: main", "branch: [main, release]"),
    }))
    const { code, out } = await runCli("diff", folder(TESTS), folder(wider))
    expect(code).toBe(3)
    expect(out).toContain("+ MORE  acme/team/shop (id 41, issuer projects), no environment")
    expect(out).toContain("if branch is release and cause is push")
    expect(out).toContain("for example: acme/team/shop, no environment, ref release, event push")
  })

  it("are told of claims that the tokens of their issuer do not have", async () => {
    const policy = TESTS[1].policy.replace("cause: push", "event_name: push")
    const boundary = 'boundaries:\n  - name: elsewhere\n    when: { fork_of: "7", enterprise: acme }\n'
    const { out } = await runCli("check", folder([{ ...TESTS[1], policy }, TESTS[2]], boundary))
    expect(out).toContain('Test projects sends no claim "event_name"')
    expect(out).toContain('None of the listed issuers (Test projects, Test jobs) sends a claim "enterprise"')
    expect(out).toContain('So the boundary "elsewhere" is about no job of this organisation')
  })

  it("are held below boundaries about their own units only", async () => {
    const boundary = (when: string) => `boundaries:
  - name: all
    when: ${when}
    allow: [{ connection: aws-prod, role: "arn:aws:iam::111122223333:role/other" }]
`
    const reached = async (when: string) => {
      const { out } = await runCli("who-can", folder(TESTS, boundary(when)), "--json")
      return (JSON.parse(out) as { rows: { unit_kind: string }[] }).rows.map(({ unit_kind: kind }) => kind)
    }
    expect(await reached("{ repository: acme/shop }")).toEqual(["project", "job"])
    expect(await reached('{ test_group_id: ["7", "8"] }')).toEqual(["repository", "job"])
    expect(await reached("{ job_url: https://jobs.example.com/** }")).toEqual(["repository", "project"])
    expect(await reached('{ iss: ["**"] }')).toEqual([])
  })

  it("are trusted by the subject of their own kind", async () => {
    const { out } = await runCli("trust", folder(TESTS), "--broker", "https://broker.example.com", "--json")
    const { connections } = JSON.parse(out) as { connections: { subjects: { subject: string }[] }[] }
    expect(connections[0]?.subjects.map(({ subject }) => subject)).toEqual([
      "github:repository:41:environment:-:grant:deploy",
      "projects:project:41:environment:-:grant:deploy",
      "jobs:job:https%3A%2F%2Fjobs.example.com%2Fshop%2F:environment:-:grant:deploy",
    ])
  })
})

const REAL = [
  GITHUB,
  {
    family: "gitlab",
    issuer: `  gitlab: { family: gitlab, url: "https://gitlab.example.com", owners: { acme: "77" } }`,
    policy: `version: 1
issuer: gitlab
project: acme/shop
project_id: "41"
${allow("{ ref_path: refs/heads/main, pipeline_source: push }")}`,
  },
  {
    family: "kubernetes",
    issuer: `  cluster: { family: kubernetes, url: "https://cluster.example.com" }`,
    policy: `version: 1
issuer: cluster
service_account: payments/deployer
service_account_uid: 9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35
${allow("{ kubernetes.io/namespace: payments }")}`,
  },
  {
    family: "buildkite",
    issuer: `  buildkite: { family: buildkite, url: "https://agent.buildkite.com", owners: { acme: 11111111-1111-4111-8111-111111111111 } }`,
    policy: `version: 1
issuer: buildkite
pipeline: acme/shop
pipeline_id: 22222222-2222-4222-8222-222222222222
${allow("{ build_branch: main }")}`,
  },
]

describe("a folder with GitHub, GitLab, a cluster and Buildkite", () => {
  it.runIf(REAL.every((one) => !("family" in one) || FAMILY_FACTS.has(one.family)))(
    "answers who can reach one role with one command",
    async () => {
      const { code, out } = await runCli("who-can", folder(REAL), "--grant-field", `role=${ROLE}`)
      expect(code).toBe(0)
      expect(out.split("\n").flatMap((line) => /^(\S.*?) {2,}/.exec(line)?.[1] ?? [])).toEqual([
        "UNIT",
        "repository acme/shop (id 41, issuer github)",
        "project acme/shop (id 41, issuer gitlab)",
        "service account payments/deployer (id 9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35, issuer cluster)",
        "pipeline acme/shop (id 22222222-2222-4222-8222-222222222222, issuer buildkite)",
      ])
      expect(out).toContain("4 ways to get it.")
    },
  )
})
