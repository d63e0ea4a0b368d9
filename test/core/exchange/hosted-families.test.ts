import { describe, expect, it } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { Broker } from "../../../broker/exchange/broker.ts"
import type { ExchangeCall } from "../../../broker/exchange/call.ts"
import type { Caller } from "../../../broker/exchange/caller.ts"
import { reachVerdict } from "../../../broker/exchange/verdict.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { TestClock } from "../../support/clock.ts"
import { AZURE_DEVOPS_CASE } from "../issuers/families/azure-devops.ts"
import { BITBUCKET_CASE } from "../issuers/families/bitbucket.ts"
import { BUILDKITE_CASE } from "../issuers/families/buildkite.ts"
import type { FamilyCase } from "../issuers/families/family-case.ts"
import { HCP_TERRAFORM_CASE } from "../issuers/families/hcp-terraform.ts"
import { SEMAPHORE_CASE } from "../issuers/families/semaphore.ts"
import { SPACELIFT_CASE } from "../issuers/families/spacelift.ts"

const GITHUB =
  '  github: { family: github-actions, url: https://token.actions.githubusercontent.com, owners: { acme: "9001" } }'

/** What a case's issuer is called in an organisation file, beside GitHub. */
function organisationOf({ config, family }: FamilyCase, more = ""): string {
  const owners = [...config.owners].map(([name, id]) => `${name}: "${id}"`).join(", ")
  const keys = [
    `family: ${config.family}, url: "${config.url}"`,
    ...(family.facts.ownerId === undefined ? [] : [`owners: { ${owners} }`]),
    ...(config.audience === undefined ? [] : [`audience: "${config.audience}"`]),
  ]
  return `version: 1
issuers:
${GITHUB}
  ci: { ${keys.join(", ")} }
connections:
  notes: { provider: identity-token, audiences: ["https://notes.example.com"] }
${more}`
}

async function verdictOn(
  one: FamilyCase,
  sample: string,
  policy: { readonly environment?: string; readonly when?: string; readonly id?: string; readonly boundaries?: string },
) {
  const { facts } = one.family
  const [first] = one.samples
  const claims = one.samples.find(({ name }) => name.startsWith(sample))?.claims
  if (!first || !claims) throw new Error(`no sample: ${sample}`)
  const key = facts.unit
  const name = facts.unitName === undefined ? [] : [`${key}: ${first.identity.unit}`]
  const text = `version: 1
issuer: ci
${[...name, `${key}_id: "${policy.id ?? first.identity.unitId}"`].join("\n")}
${policy.environment === undefined ? "" : `environment: "${policy.environment}"`}
allow:
  - { name: a, ${policy.when === undefined ? "" : `when: ${policy.when}, `}grants: [note] }
grants:
  note: { connection: notes, audience: "https://notes.example.com" }
`
  const bytes = (content: string) => new TextEncoder().encode(content)
  const loaded = loadPolicySet(
    [
      { path: "daypass.yaml", bytes: bytes(organisationOf(one, policy.boundaries)) },
      { path: "p.yaml", bytes: bytes(text) },
    ],
    PROVIDERS,
  )
  if (!loaded.ok) throw new Error(loaded.fault.map(({ message }) => message).join("\n"))
  const { organisation, policies } = loaded.value
  const issuer = organisation.issuers.get("ci")
  const identity = identityIn(JSON.parse(JSON.stringify(claims)) as Claims, issuer ?? one.config)
  if (!identity.ok) throw new Error(identity.fault)
  const inForce = { policies, version: "v", notes: [] }
  const caller = {
    token: { identity: identity.value, boundTo: null, issuer },
    proof: null,
    snapshot: { organisation, version: "v", policiesOf: async () => inForce },
    own: true,
  }
  const broker = {
    clock: new TestClock(0),
    stops: { inForce: async () => [] },
    environments: {
      protectionOf: () => Promise.reject(new Error("nobody may ask GitHub of this job")),
      approvalsOf: () => Promise.reject(new Error("nobody may ask GitHub of this job")),
    },
  }
  return reachVerdict(
    { event: {}, grants: ["note"] } as unknown as ExchangeCall,
    caller as unknown as Caller,
    broker as unknown as Broker,
  )
}

const PRODUCTION = "{5d1b9f6e-8c0c-4a7e-9a53-0d6f5e2b7c41}"

describe("a job gets what its policy names", () => {
  it.each([
    [
      "Buildkite's push",
      BUILDKITE_CASE,
      "a build of a push",
      { when: "{ build_branch: main, build_source: webhook }" },
    ],
    [
      "Buildkite's fork, named",
      BUILDKITE_CASE,
      "a build of a fork",
      { when: "{ build_branch: '**main', outsider: 'true' }" },
    ],
    ["an apply", HCP_TERRAFORM_CASE, "an apply", { environment: "apply" }],
    ["a plan, named", HCP_TERRAFORM_CASE, "a plan", { environment: "plan", when: "{ terraform_run_phase: plan }" }],
    ["a deployment", BITBUCKET_CASE, "a deployment", { environment: PRODUCTION }],
    ["Azure's run", AZURE_DEVOPS_CASE, "a run on main", { when: "{ rpo_ref: refs/heads/main }" }],
    [
      "Azure's pull request, named",
      AZURE_DEVOPS_CASE,
      "a run for a pull",
      { when: "{ rpo_ref: 'refs/pull/*/merge', outsider: 'true' }" },
    ],
    ["a tracked run", SPACELIFT_CASE, "a tracked run that applies", { environment: "write" }],
    [
      "a proposed run, named",
      SPACELIFT_CASE,
      "a proposed run",
      { environment: "read", when: "{ runType: [TRACKED, PROPOSED] }" },
    ],
    ["a task, named", SPACELIFT_CASE, "a task", { environment: "write", when: "{ interactive: 'true' }" }],
    ["Semaphore's branch", SEMAPHORE_CASE, "a job on a branch", { when: "{ branch: main }" }],
    [
      "Semaphore's debug session, named",
      SEMAPHORE_CASE,
      "a debug session of a job",
      { when: "{ branch: main, job_type: debug_job }" },
    ],
  ])("%s", async (_, one, sample, policy) => {
    expect(await verdictOn(one, sample, policy)).toMatchObject({
      outcome: "allow",
      grants: [{ grant: { name: "note" } }],
    })
  })
})

describe("a job gets nothing", () => {
  it.each([
    [
      "of a fork, by its branch",
      BUILDKITE_CASE,
      "a build of a fork",
      { when: "{ build_branch: '**main' }" },
      "it builds a fork's branch",
    ],
    [
      "of another pipeline of that name",
      BUILDKITE_CASE,
      "a build of a push",
      { when: "{ build_branch: main }", id: "11111111-2222-4333-8444-555555555555" },
      "No policy",
    ],
    [
      "that plans, of a policy for applies",
      HCP_TERRAFORM_CASE,
      "a plan",
      { environment: "apply" },
      "only for environment apply",
    ],
    [
      "that plans, unless a rule names it",
      HCP_TERRAFORM_CASE,
      "a plan",
      { environment: "plan" },
      "outsiders can cause it",
    ],
    [
      "on a branch, of a policy for a deployment",
      BITBUCKET_CASE,
      "a step on a branch",
      { environment: PRODUCTION },
      "only for environment {5d1b9f6e",
    ],
    [
      "of a pull request at Azure",
      AZURE_DEVOPS_CASE,
      "a run for a pull",
      { when: "{ rpo_ref: 'refs/**/merge' }" },
      "it builds a pull request",
    ],
    ["that is proposed", SPACELIFT_CASE, "a proposed run", { environment: "read" }, "outsiders can cause it"],
    [
      "that is a task",
      SPACELIFT_CASE,
      "a task",
      { environment: "write", when: "{ runType: { not: DESTROY } }" },
      "a person has a shell",
    ],
    [
      "of a pull request to main",
      SEMAPHORE_CASE,
      "a job of a pull",
      { when: "{ branch: main }" },
      "outsiders can cause it",
    ],
    [
      "of a person's shell",
      SEMAPHORE_CASE,
      "a debug session of a project",
      { when: "{ branch: main }" },
      "a person has a shell",
    ],
    [
      "that is both, where only one is named",
      SEMAPHORE_CASE,
      "a debug session of a pull",
      { when: "{ ref_type: pull-request, branch: main }" },
      "a person has a shell",
    ],
  ])("%s", async (_, one, sample, policy, words) => {
    const verdict = await verdictOn(one, sample, policy)
    if (verdict.outcome === "allow") throw new Error("it was allowed")
    expect(verdict.error.code).toBe("not_allowed")
    expect(verdict.error.detail).toContain(words)
  })

  it.each([
    [
      "an apply",
      HCP_TERRAFORM_CASE,
      "an apply",
      { environment: "apply" },
      "How HCP Terraform protects an environment cannot be known",
    ],
    [
      "a deployment",
      BITBUCKET_CASE,
      "a deployment",
      { environment: PRODUCTION },
      "How Bitbucket Pipelines protects an environment cannot be known",
    ],
    [
      "a job in no environment",
      SEMAPHORE_CASE,
      "a job on a branch",
      { when: "{ branch: main }" },
      "runs in no environment, and it needs a protected one",
    ],
  ])(
    "below a boundary that wants a protected environment, and nobody is asked: %s",
    async (_, one, sample, policy, words) => {
      const boundaries = `boundaries:
  - name: guarded
    when: { iss: "**" }
    allow: [{ connection: notes }]
    protected_environment: { required_reviewers: true }
`
      const verdict = await verdictOn(one, sample, { ...policy, boundaries })
      if (verdict.outcome === "allow") throw new Error("it was allowed")
      expect(verdict.error.detail).toContain(words)
      const { title } = one.family.facts
      expect(verdict.error.detail).toContain(
        `Ask the maintainers of the organisation file to leave jobs of ${title} out of the boundary.`,
      )
    },
  )

  it("in another environment, and is told how its CI says the environment", async () => {
    const verdict = await verdictOn(HCP_TERRAFORM_CASE, "a plan", {
      environment: "apply",
      when: "{ terraform_run_phase: '*' }",
    })
    if (verdict.outcome === "allow") throw new Error("it was allowed")
    expect(verdict.error.detail).toMatch(
      /runs in environment plan, .* only for environment apply\. Run a job whose terraform_run_phase is apply, or add/,
    )
  })
})
