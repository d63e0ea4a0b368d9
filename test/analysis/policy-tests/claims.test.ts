import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { GITHUB_SAMPLES } from "../../../analysis/policy-tests/samples/github-actions.ts"
import { tokenClaims, unusedUnitId } from "../../../analysis/policy-tests/token-claims.ts"
import { claimNames } from "../../../broker/core/families/families.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { runs } from "../../support/laws.ts"
import branch from "../../vectors/claims/github-branch.json" with { type: "json" }
import branchImmutable from "../../vectors/claims/github-branch-immutable.json" with { type: "json" }
import enterprise from "../../vectors/claims/github-enterprise-slug.json" with { type: "json" }
import environment from "../../vectors/claims/github-environment.json" with { type: "json" }
import environmentImmutable from "../../vectors/claims/github-environment-immutable.json" with { type: "json" }
import pullRequest from "../../vectors/claims/github-pull-request.json" with { type: "json" }
import reusable from "../../vectors/claims/github-reusable-workflow.json" with { type: "json" }
import tag from "../../vectors/claims/github-tag.json" with { type: "json" }

const SAMPLE_NAMES = Object.keys(GITHUB_SAMPLES.samples)
const GITHUB_CLAIMS = claimNames("github-actions")
const UNUSED_ID = unusedUnitId(GITHUB_ACTIONS)

const ISSUER: IssuerConfig = {
  name: "github",
  family: "github-actions",
  url: "https://token.actions.githubusercontent.com",
  owners: new Map([["acme", "9001"]]),
  repositoryPolicies: false,
}

const OWNERS = new Map([
  ["acme", "9001"],
  ["octo-org", "123456"],
  ["octocat-inc", "123456"],
])
const REPOSITORIES = new Map([
  ["acme/shop", "41"],
  ["octo-org/octo-repo", "456789"],
  ["octocat-inc/private-server", "456789"],
])
const IDS = {
  owner: (name: string) => OWNERS.get(name),
  unit: (name: string) => REPOSITORIES.get(name),
}

const claimsOf = (sample: string, changes: Readonly<Record<string, string>> = {}, without: readonly string[] = []) => {
  const { [sample]: one } = GITHUB_SAMPLES.samples
  if (one === undefined) throw new TypeError(sample)
  return tokenClaims(GITHUB_SAMPLES, one, { iss: ISSUER.url, ...changes }, new Set(without), IDS)
}

const identified = (claims: ReturnType<typeof claimsOf>) => identityIn(claims, ISSUER)

describe("samples", () => {
  it.each<[string, object, Record<string, string>]>([
    ["github-branch", branch, {}],
    ["github-branch-immutable", branchImmutable, {}],
    ["github-environment", environment, { environment: "Production" }],
    ["github-environment-immutable", environmentImmutable, { environment: "Production:V1" }],
    ["github-pull-request", pullRequest, {}],
    // Recorded with a workflow that stands on another ref, and with a customised subject.
    ["github-tag", tag, { workflow_ref: tag.workflow_ref }],
    [
      "github-reusable-workflow",
      { ...reusable, environment_node_id: environment.environment_node_id },
      { environment: reusable.environment, sub: reusable.sub },
    ],
    // Recorded from another repository, with workflow claims of the first.
    [
      "github-enterprise",
      enterprise,
      { iss: enterprise.iss, repository: enterprise.repository, workflow_ref: enterprise.workflow_ref },
    ],
  ])("%s is, claim by claim, the token that was recorded", (name, recorded, changes) => {
    expect({ ...claimsOf(name, changes) }).toEqual(recorded)
  })

  it.each(SAMPLE_NAMES)("%s is a token that the broker takes for a job", (name) => {
    expect(identified(claimsOf(name))).toMatchObject({ ok: true, value: { unit: "octo-org/octo-repo" } })
    expect(Object.keys(claimsOf(name)).filter((claim) => !GITHUB_CLAIMS.includes(claim))).toEqual([])
  })
})

describe("what follows from a change", () => {
  it.each<[string, string, Record<string, string>, Record<string, string | undefined>]>([
    [
      "the repository",
      "github-branch",
      { repository: "acme/shop" },
      {
        repository_id: "41",
        repository_owner: "acme",
        repository_owner_id: "9001",
        workflow_ref: "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
        job_workflow_ref: "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
        sub: "repo:acme/shop:ref:refs/heads/main",
      },
    ],
    [
      "a repository that nobody knows",
      "github-branch",
      { repository: "evil/shop" },
      { repository_id: UNUSED_ID, repository_owner: "evil", repository_owner_id: UNUSED_ID },
    ],
    [
      "another branch, which is not taken for a protected one",
      "github-branch",
      { ref: "refs/heads/feature" },
      { ref_type: "branch", ref_protected: "false", sub: "repo:octo-org/octo-repo:ref:refs/heads/feature" },
    ],
    [
      "another branch that is said to be protected",
      "github-branch",
      { ref: "refs/heads/release", ref_protected: "true" },
      { ref_protected: "true" },
    ],
    ["a tag", "github-branch", { ref: "refs/tags/v2" }, { ref_type: "tag", ref_protected: "false" }],
    [
      "an environment",
      "github-branch",
      { environment: "pro:d" },
      { environment_node_id: undefined, sub: "repo:octo-org/octo-repo:environment:pro%3Ad" },
    ],
    [
      "an environment in a pull request",
      "github-pull-request",
      { environment: "preview" },
      { sub: "repo:octo-org/octo-repo:environment:preview" },
    ],
    ["the workflow", "github-branch", { workflow_ref: "a/b@c" }, { job_workflow_ref: "a/b@c" }],
    [
      "the workflow of a reusable one",
      "github-reusable-workflow",
      { workflow_ref: "a/b@c" },
      {
        job_workflow_ref: reusable.job_workflow_ref,
      },
    ],
    ["an explicit subject", "github-branch", { repository: "acme/shop", sub: "mine" }, { sub: "mine" }],
  ])("%s", (_, sample, changes, expected) => {
    const claims = claimsOf(sample, changes)
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, claims[name]]))).toEqual(expected)
  })

  it("goes with an environment that is left out", () => {
    const claims = claimsOf("github-environment", {}, ["environment"])
    expect([claims["environment"], claims["environment_node_id"]]).toEqual([undefined, undefined])
    expect(claims["sub"]).toBe("repo:octo-org/octo-repo:ref:refs/heads/main")
  })

  it("never brings back a claim that is left out", () => {
    for (const name of GITHUB_CLAIMS) expect(claimsOf("github-environment", {}, [name])).not.toHaveProperty(name)
  })

  it("always is a token that the broker takes, whatever the repository, ref and environment", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
    const changes = fc.record(
      {
        repository: fc.tuple(name, name).map(([owner, repository]) => `${owner}/${repository}`),
        ref: fc.string({ minLength: 1 }).map((text) => `refs/heads/${text}`),
        environment: fc.string({ minLength: 1 }),
        event_name: fc.constantFrom("push", "pull_request", "workflow_dispatch", "issue_comment"),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLE_NAMES), changes, (sample, changed) => {
        expect(identified(claimsOf(sample, changed))).toMatchObject({ ok: true })
      }),
      { numRuns: runs(500) },
    )
  })
})
