import { buildkite } from "../../../../broker/issuers/buildkite/family.ts"
import withoutIds from "../../../vectors/claims/buildkite.json" with { type: "json" }
import withIds from "../../../vectors/claims/buildkite-ids.json" with { type: "json" }
import subjectClaim from "../../../vectors/claims/buildkite-subject-claim-aws-tags.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const FORK = "organization:acme-inc:pipeline:super-duper-app:ref:refs/heads/octocat:main:commit:"
const TAG = "organization:acme-inc:pipeline:super-duper-app:ref:refs/tags/v1.0.0:commit:"
const REST = `${withIds.build_commit}:step:build`
const FLAG = "add --claim organization_id,pipeline_id to the job's buildkite-agent oidc request-token"

export const BUILDKITE_CASE: FamilyCase = {
  family: buildkite,
  config: {
    name: "buildkite",
    family: "buildkite",
    url: "https://agent.buildkite.com",
    owners: new Map([["acme-inc", "f892efa9-103e-4d28-97a1-3b8616a0994d"]]),
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "a build of a push, whose job asked for the ids",
      claims: withIds,
      identity: {
        unitKind: "pipeline",
        unit: "acme-inc/super-duper-app",
        unitId: "0184990a-4782-42b5-afc1-16715b10b1a0",
        owner: "acme-inc",
        ownerId: "f892efa9-103e-4d28-97a1-3b8616a0994d",
        ref: "main",
        refType: null,
        event: "webhook",
        actor: null,
        runId: "1",
        runAttempt: "0184990a-477b-4fa8-9968-496074483cee",
        cautions: [],
      },
      derived: { pipeline: "acme-inc/super-duper-app", outsider: false, interactive: false },
    },
    {
      name: "a job whose step has no key, with a subject of one id and session tags",
      claims: subjectClaim,
      identity: { unitId: "0184990a-4782-42b5-afc1-16715b10b1a0", ref: "main", event: "ui", cautions: [] },
      derived: { step_key: null, "agent_tag:queue": "default" },
    },
    {
      name: "a build of a tag",
      claims: { ...withIds, build_tag: "v1.0.0", sub: TAG + REST },
      identity: { ref: "main" },
    },
    {
      name: "a build of a fork, with its prefix",
      claims: { ...withIds, build_branch: "octocat:main", sub: FORK + REST },
      identity: {
        ref: "octocat:main",
        cautions: [
          { fact: "outsider", why: "it builds a fork's branch", claim: "build_branch", value: "octocat:main" },
        ],
      },
      derived: { outsider: true },
    },
  ],
  refused: [
    ["which did not ask for any id", { organization_id: undefined, pipeline_id: undefined }, FLAG],
    ["which did not ask for the pipeline's id", { pipeline_id: undefined }, `pipeline_id is missing: ${FLAG}`],
    ["which did not ask for the organization's id", { organization_id: undefined }, `is missing: ${FLAG}`],
    ["whose pipeline's id is null", { pipeline_id: null }, FLAG],
    ["whose pipeline's id is a slug", { pipeline_id: "super-duper-app" }, "pipeline_id must be an id"],
    ["whose organization's id is in capitals", { organization_id: withIds.organization_id.toUpperCase() }, "an id"],
    ["whose build number is a text", { build_number: "1" }, "build_number must be a number"],
    ["without a branch", { build_branch: undefined }, "build_branch is missing"],
    ["with an empty branch", { build_branch: "" }, "build_branch must not be empty"],
    ["without a job's id", { job_id: "" }, "job_id must not be empty"],
    ["whose slug has a slash", { pipeline_slug: "super/duper" }, "pipeline_slug must be a name"],
    ["whose slug looks like a known one", { organization_slug: "аcme-inc" }, "organization_slug must be a name"],
    ["of another organization by its slug", { organization_slug: "acme" }, "sub and organization_slug disagree"],
    ["of another pipeline by its slug", { pipeline_slug: "super-duper" }, "sub and pipeline_slug disagree"],
    ["of another branch than its subject", { build_branch: "release" }, "sub and build_branch disagree"],
    ["of a fork whose subject says main", { build_branch: "octocat:main" }, "sub and build_branch disagree"],
    ["whose agent's tag is no text", { "agent_tag:queue": 1 }, "agent_tag:queue must be a string"],
  ],
}

/** A token as jobs get it that know nothing of ids. */
export const WITHOUT_IDS = withoutIds
