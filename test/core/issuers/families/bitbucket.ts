import { bitbucket } from "../../../../broker/issuers/bitbucket/family.ts"
import branch from "../../../vectors/claims/bitbucket-branch.json" with { type: "json" }
import deployment from "../../../vectors/claims/bitbucket-deployment.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const bare = (uuid: string) => uuid.slice(1, -1)
const OTHER = "{00000000-1111-4222-8333-444444444444}"

export const BITBUCKET_CASE: FamilyCase = {
  family: bitbucket,
  config: {
    name: "bitbucket",
    family: "bitbucket",
    url: "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
    owners: new Map([["acme", "{7baee083-4f25-4a97-8a9a-0fde1b623b45}"]]),
    repositoryPolicies: false,
    otherAudiences: ["ari:cloud:bitbucket::workspace/7baee083-4f25-4a97-8a9a-0fde1b623b45"],
  },
  samples: [
    {
      name: "a deployment",
      claims: deployment,
      identity: {
        unitKind: "repository",
        unit: "{2e9e429c-7b8b-404f-8648-8c40c27c9ebd}",
        unitId: "{2e9e429c-7b8b-404f-8648-8c40c27c9ebd}",
        owner: "acme",
        ownerId: "{7baee083-4f25-4a97-8a9a-0fde1b623b45}",
        environment: "{5d1b9f6e-8c0c-4a7e-9a53-0d6f5e2b7c41}",
        ref: "main",
        event: null,
        runId: "{8f1e0b52-6a1c-4c7c-9c3c-1b7f8c2f2b10}",
        runAttempt: "{c1a24b7e-30ad-4b6b-8a3a-5f6d3b5f8e10}",
        cautions: [],
      },
      derived: { workspace: "acme" },
    },
    {
      name: "a step on a branch, whose token is for the workspace's own audience too",
      claims: branch,
      identity: { ref: "main", cautions: [] },
    },
    {
      name: "a step on no branch",
      claims: { ...branch, branchName: undefined },
      identity: { ref: null },
    },
  ],
  refused: [
    ["whose repository has no braces", { repositoryUuid: bare(deployment.repositoryUuid) }, "must be a UUID in braces"],
    ["whose workspace has no braces", { workspaceUuid: bare(deployment.workspaceUuid) }, "must be a UUID in braces"],
    [
      "whose environment has no braces",
      { deploymentEnvironmentUuid: bare(deployment.deploymentEnvironmentUuid) },
      "deploymentEnvironmentUuid must be a UUID in braces",
    ],
    ["whose environment is empty", { deploymentEnvironmentUuid: "" }, "deploymentEnvironmentUuid must be a UUID"],
    ["whose environment is null", { deploymentEnvironmentUuid: null }, "deploymentEnvironmentUuid must be a UUID"],
    ["of another workspace, by its issuer", { workspaceUuid: OTHER }, "names another workspace than the issuer's"],
    ["of another repository than its subject", { repositoryUuid: OTHER }, "sub and repositoryUuid disagree"],
    ["in another environment than its subject", { deploymentEnvironmentUuid: OTHER }, "disagree"],
    ["without the environment of its subject", { deploymentEnvironmentUuid: undefined }, "disagree"],
    ["of another step than its subject", { stepUuid: OTHER }, "disagree"],
    ["without a repository", { repositoryUuid: undefined }, "repositoryUuid is missing"],
    ["without a workspace", { workspaceUuid: undefined }, "workspaceUuid is missing"],
  ],
}
