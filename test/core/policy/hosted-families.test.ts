import { describe, expect, it } from "vitest"
import { FAMILY_FACTS } from "../../../broker/core/families/families.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"

const PIPELINE = "0184990a-4782-42b5-afc1-16715b10b1a0"
const ORGANIZATION = "f892efa9-103e-4d28-97a1-3b8616a0994d"
const BRACED = "{2e9e429c-7b8b-404f-8648-8c40c27c9ebd}"

/** An issuer of each family, and a policy's own lines for a unit of it. */
const FAMILIES: Readonly<Record<string, { issuer: string; unit: string; when: string }>> = {
  buildkite: {
    issuer: `url: https://agent.buildkite.com, owners: { acme: "${ORGANIZATION}" }`,
    unit: `pipeline: acme/shop\npipeline_id: "${PIPELINE}"`,
    when: "{ build_branch: main }",
  },
  "hcp-terraform": {
    issuer: 'url: https://app.terraform.io, owners: { acme: "org-GRNbCjYNpBB6NEH9" }, max_token_lifetime: 24h',
    unit: 'workspace: acme/network\nworkspace_id: "ws-mbsd5E3Ktt5Rg2Xm"\nenvironment: apply',
    when: "{ terraform_run_phase: apply }",
  },
  bitbucket: {
    issuer: `url: https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc, owners: { acme: "${BRACED}" }, other_audiences: ["ari:cloud:bitbucket::workspace/1"]`,
    unit: `repository_id: "${BRACED}"\nenvironment: "${BRACED}"`,
    when: "{ branchName: main }",
  },
  "azure-devops": {
    issuer: `url: https://vstoken.dev.azure.com/${ORGANIZATION}, owners: { acme: "${ORGANIZATION}" }, audience: "api://AzureADTokenExchange"`,
    unit: `pipeline: acme/Shop Backend/deploy\npipeline_id: "${PIPELINE}/12"`,
    when: "{ rpo_ref: refs/heads/main }",
  },
  spacelift: {
    issuer: "url: https://acme.app.spacelift.io, audience: acme.app.spacelift.io",
    unit: "stack_id: network\nenvironment: write",
    when: "{ runType: TRACKED }",
  },
  semaphore: {
    issuer: `url: https://acme.semaphoreci.com, audience: https://acme.semaphoreci.com, owners: { acme: "${ORGANIZATION}" }, max_token_lifetime: 24h`,
    unit: `project: web\nproject_id: "${PIPELINE}"`,
    when: "{ ref_type: branch, ref: refs/heads/main }",
  },
}

const organisation = (...issuers: string[]) =>
  `version: 1
issuers:
${issuers.map((issuer) => `  ${issuer}`).join("\n")}
connections:
  notes: { provider: identity-token, audiences: ["https://notes.example.com"] }
`

const policy = (unit: string, when?: string) =>
  `version: 1
${unit}
allow:
  - { name: a, ${when === undefined ? "" : `when: ${when}, `}grants: [note] }
grants:
  note: { connection: notes, audience: "https://notes.example.com" }
`

function faultsOf(organisationFile: string, policyFile?: string): readonly string[] {
  const encode = (text: string) => new TextEncoder().encode(text)
  const loaded = loadPolicySet(
    [
      { path: "daypass.yaml", bytes: encode(organisationFile) },
      ...(policyFile === undefined ? [] : [{ path: "p.yaml", bytes: encode(policyFile) }]),
    ],
    PROVIDERS,
  )
  return loaded.ok ? [] : loaded.fault.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}

const of = (family: string) => {
  const one = FAMILIES[family]
  if (!one) throw new Error(`no such family: ${family}`)
  return { ...one, file: organisation(`ci: { family: ${family}, ${one.issuer} }`) }
}

describe.each(Object.keys(FAMILIES))("a policy for %s", (family) => {
  const { file, unit, when } = of(family)
  const facts = FAMILY_FACTS.get(family)

  it("loads", () => {
    expect(faultsOf(file, policy(unit, when))).toEqual([])
  })

  it("cannot ask for a protected environment, because its host cannot say how it is protected", () => {
    const [fault, ...more] = faultsOf(
      file,
      policy(
        `${unit}\n${unit.includes("environment:") ? "" : "environment: production\n"}protected_environment: { required_reviewers: true }`,
        when,
      ),
    )
    expect(more).toEqual([])
    expect(fault).toContain(
      unit.includes("environment:")
        ? `How ${facts?.title} protects an environment cannot be known, so no job would ever meet the requirement. Leave protected_environment out`
        : `Jobs of the family ${family} run in no environment, so the file would match none: leave environment out.`,
    )
  })

  it("cannot be held below a boundary that asks for one, where no listed issuer can say", () => {
    const boundaries = `boundaries:\n  - name: a\n    when: { iss: "**" }\n    protected_environment: { required_reviewers: true }\n`
    expect(faultsOf(file + boundaries, policy(unit, when))).toEqual([
      `daypass.yaml:9:5 How ${facts?.title} protects an environment cannot be known, so no job would ever meet the requirement. Leave protected_environment out.`,
    ])
    const withGitHub = organisation(
      `ci: { family: ${family}, ${of(family).issuer} }`,
      'github: { family: github-actions, url: https://token.actions.githubusercontent.com, owners: { acme: "9001" } }',
    )
    expect(faultsOf(withGitHub + boundaries, policy(`issuer: ci\n${unit}`, when))).toEqual([])
  })
})

describe("a policy is refused", () => {
  it.each([
    ["buildkite", 'pipeline: acme/shop\npipeline_id: "41"', "{ build_branch: main }", "an id is a UUID in lower case"],
    [
      "buildkite",
      "pipeline: acme/shop",
      "{ build_branch: main }",
      'Find it with: curl -H "Authorization: Bearer $BUILDKITE_API_TOKEN" https://api.buildkite.com/v2/organizations/acme/pipelines/shop | jq -r .id',
    ],
    [
      "buildkite",
      `pipeline: shop\npipeline_id: "${PIPELINE}"`,
      "{ build_branch: main }",
      "is written organization/pipeline",
    ],
    [
      "buildkite",
      `pipeline: acme/shop\npipeline_id: "${PIPELINE}"`,
      undefined,
      "any branch: it has no conditions. Add a condition on build_branch or build_source",
    ],
    [
      "buildkite",
      `pipeline: acme/shop\npipeline_id: "${PIPELINE}"`,
      '{ build_branch: "**" }',
      "is true of each of them",
    ],
    [
      "buildkite",
      `pipeline: acme/shop\npipeline_id: "${PIPELINE}"`,
      "{ organization_slug: acme }",
      "is the same in all of them",
    ],
    ["buildkite", "pipeline: evil/*", "{ build_branch: main }", 'lists no owner "evil"'],
    [
      "hcp-terraform",
      'workspace: acme/network\nworkspace_id: "ws-mbsd5E3Ktt5Rg2Xm"',
      "{ terraform_run_phase: apply }",
      "Every job of the family hcp-terraform runs in an environment, by its terraform_run_phase: add the key environment. An environment is the run's phase: plan or apply.",
    ],
    [
      "hcp-terraform",
      'workspace: acme/network\nworkspace_id: "ws-mbsd5E3Ktt5Rg2Xm"\nenvironment: production',
      undefined,
      "environment: an environment is the run's phase: plan or apply.",
    ],
    [
      "hcp-terraform",
      'workspace: acme/network\nworkspace_id: "41"\nenvironment: apply',
      undefined,
      "workspace_id: a workspace's id begins with ws-",
    ],
    [
      "bitbucket",
      `repository_id: "${BRACED.slice(1, -1)}"`,
      "{ branchName: main }",
      "repository_id: an id is a UUID in lower case, in braces",
    ],
    [
      "bitbucket",
      `repository_id: "${BRACED}"\nenvironment: production`,
      undefined,
      "environment is written as the UUID of a deployment environment",
    ],
    [
      "bitbucket",
      "repository: acme/*",
      "{ branchName: main }",
      "A repository of the family bitbucket cannot be a pattern",
    ],
    [
      "azure-devops",
      'pipeline_id: "12"',
      "{ rpo_ref: refs/heads/main }",
      "an id is that of the project, a slash, and that of the pipeline",
    ],
    ["azure-devops", "pipeline: acme/Shop/*", "{ rpo_ref: refs/heads/main }", "cannot be a pattern"],
    [
      "spacelift",
      "stack_id: network",
      undefined,
      "add the key environment. An environment is the token's scope: read or write.",
    ],
    [
      "spacelift",
      "project: network\nenvironment: write",
      undefined,
      "which knows stacks: write stack and stack_id instead of project",
    ],
    ["semaphore", `project_id: "${PIPELINE}"`, undefined, "Add a condition on ref"],
    [
      "semaphore",
      `project_id: "${PIPELINE}"`,
      "{ job_type: pipeline_job }",
      "the condition on job_type is true of each of them",
    ],
  ])("of %s: %s", (family, unit, when, fault) => {
    const faults = faultsOf(of(family).file, policy(unit, when))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(fault)
  })

  it("unless one stack or one phase is all that it speaks of", () => {
    expect(faultsOf(of("spacelift").file, policy("stack_id: network\nenvironment: write"))).toEqual([])
    expect(faultsOf(of("hcp-terraform").file, policy(of("hcp-terraform").unit))).toEqual([])
    expect(faultsOf(of("buildkite").file, policy("pipeline: acme/svc-*", "{ build_branch: main }"))).toEqual([])
  })
})

describe("an issuer is refused", () => {
  it.each([
    [
      "azure-devops",
      `url: https://vstoken.dev.azure.com/${ORGANIZATION}, owners: { acme: "${ORGANIZATION}" }`,
      'add the key "audience"',
    ],
    ["buildkite", `url: https://agent.buildkite.com, owners: { acme: "acme" }`, "owners.acme: an id is a UUID"],
    [
      "buildkite",
      `url: https://agent.buildkite.com, owners: { acme: "${ORGANIZATION}" }, audience: x`,
      "leave audience out",
    ],
    [
      "buildkite",
      `url: https://agent.buildkite.com, owners: { acme: "${ORGANIZATION}" }, max_token_lifetime: 2h`,
      "must be at most 1h",
    ],
    [
      "buildkite",
      `url: https://agent.buildkite.com, owners: { acme: "${ORGANIZATION}" }, other_audiences: [x]`,
      "has one audience: leave other_audiences out",
    ],
    [
      "bitbucket",
      `url: https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc, owners: { acme: "${BRACED}" }, other_audiences: []`,
      "other_audiences",
    ],
    [
      "bitbucket",
      `url: https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc, owners: { acme: "${BRACED}" }, other_audiences: ["a b"]`,
      "an audience is ASCII without spaces",
    ],
    [
      "spacelift",
      'url: https://acme.app.spacelift.io, audience: acme.app.spacelift.io, owners: { acme: "x" }',
      "is the owner of its stacks: leave owners out",
    ],
    [
      "hcp-terraform",
      'url: https://app.terraform.io, owners: { acme: "acme" }',
      "an organization's id begins with org-",
    ],
    [
      "semaphore",
      'url: https://acme.semaphoreci.com, owners: { acme: "acme" }, audience: https://acme.semaphoreci.com',
      "an id is a UUID",
    ],
  ])("of %s: %s", (family, issuer, fault) => {
    const faults = faultsOf(organisation(`ci: { family: ${family}, ${issuer} }`))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(fault)
  })
})
