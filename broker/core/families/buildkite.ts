import type { Caution, Claims } from "../identity.ts"
import { about, closed, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { UUID } from "./id-forms.ts"

const pipeline = about("unit", "always")
const job = about("job", "always")
const someJob = about("job", "by-some-jobs")

/** Ids are in a token only when the job asks for them (`buildkite-agent oidc`, "Optional claims"). */
const ASK = {
  remedy: "add --claim organization_id,pipeline_id to the job's buildkite-agent oidc request-token",
}

/**
 * What tokens of `buildkite-agent oidc request-token` say. Source: Buildkite's reference of that command. Numbers are
 * numbers, and the key of a step that has none is null.
 */
const CLAIMS = tableOf(
  [
    job("sub", "a text made of other claims, or one id that the job chose", { chosenBy: "writer" }),
    pipeline("pipeline", "the organization's and the pipeline's slugs, such as acme/shop", { derived: true }),
    pipeline("pipeline_id", "the pipeline's id", ASK),
    pipeline("pipeline_slug", "the pipeline's slug"),
    pipeline("organization_id", "the organization's id", ASK),
    pipeline("organization_slug", "the organization's slug"),
    job("build_number", "the build's number in its pipeline", { type: "number" }),
    job("build_branch", "the branch's name, without refs/heads/", {
      chosenBy: "outsider",
      tellsCode: true,
      form: "branch",
      samples: ["main", "feature"],
    }),
    someJob("build_tag", "the tag's name, without refs/tags/", { chosenBy: "writer", tellsCode: true }),
    job("build_commit", "the commit, or what was written in its place", { chosenBy: "writer", tellsCode: true }),
    job("build_source", "what created the build", closed("webhook", "ui", "api", "trigger_job", "schedule")),
    someJob("step_key", "the step's key in the pipeline's file", { chosenBy: "writer" }),
    job("job_id", "the job's id"),
    job("agent_id", "the agent's id"),
    job("runner_environment", "whose machine the job runs on", closed("buildkite-hosted", "self-hosted")),
    someJob("build_id", "the build's id, if the job asked for it"),
    someJob("cluster_id", "the cluster's id, if the job asked for it"),
    someJob("cluster_name", "the cluster's name, if the job asked for it", { chosenBy: "administrator" }),
    someJob("queue_id", "the queue's id, if the job asked for it"),
    someJob("queue_key", "the queue's key, if the job asked for it", { chosenBy: "administrator" }),
    about("token", "by-some-jobs")("https://aws.amazon.com/tags", "session tags for AWS", { type: "object" }),
  ],
  "jti",
)

export const BUILDKITE: FamilyFacts<"buildkite"> = {
  name: "buildkite",
  title: "Buildkite",
  unit: "pipeline",
  claims: CLAIMS,
  prefixes: new Map([
    [
      "agent_tag:",
      {
        summary: "a tag of the agent, as its configuration says, if the job asked for it",
        sent: "by-some-jobs",
        tells: "job",
        chosenBy: "administrator",
      },
    ],
  ]),
  roles: {
    unitId: "pipeline_id",
    unit: "pipeline",
    ownerId: "organization_id",
    owner: "organization_slug",
    ref: "build_branch",
    event: "build_source",
    runId: "build_number",
    // A retried job has another id, and each token of one job has the same.
    runAttempt: "job_id",
  },
  furtherCautions: forksBranch,
  unitId: UUID,
  ownerId: UUID,
  unitName: {
    pattern: /^[A-Za-z0-9_-]+\/[A-Za-z0-9_*-]+$/,
    words: "a pipeline is written organization/pipeline, in slugs; stars are allowed only after the organization",
  },
  patterns: true,
  findId: (pipeline) => {
    const [organization = "", slug = ""] = pipeline.split("/")
    return `curl -H "Authorization: Bearer $BUILDKITE_API_TOKEN" https://api.buildkite.com/v2/organizations/${organization}/pipelines/${slug} | jq -r .id`
  },
  // The job chooses the lifetime, without a documented limit. It can ask again at any time, so an hour is plenty.
  maxTokenLifetimeSeconds: 3600,
  jti: "never",
  audience: "job",
}

/**
 * With "Prefix third-party fork branch names", the branch of a fork is `contributor:branch`, and git allows no colon in a
 * branch's name. Without this setting nothing in a token tells a fork's branch from the repository's own.
 */
function forksBranch({ build_branch: branch }: Claims): readonly Caution[] {
  if (typeof branch !== "string" || !branch.includes(":")) return []
  return [{ fact: "outsider", why: "it builds a fork's branch", claim: "build_branch", value: branch }]
}
