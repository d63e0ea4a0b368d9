import type { Caution, Claims } from "../identity.ts"
import { about, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { UUID, UUID_SOURCE } from "./id-forms.ts"

const pipeline = about("unit", "always")
const run = about("job", "always")
const setting = about("setting", "by-some-units")

/**
 * What a pipeline's own token of Azure DevOps says. Source: the REST API "Oidctoken - Create", and tokens as others observed
 * them: the claims are not documented. A service connection's token has none of them, and does not say which pipeline runs.
 */
const CLAIMS = tableOf([
  pipeline("sub", "the names of organization, project and pipeline: p://acme/Shop/deploy", {
    chosenBy: "administrator",
  }),
  pipeline("pipeline", "the same names: acme/Shop/deploy", { derived: true }),
  pipeline("pipeline_id", "the ids of project and pipeline, with a slash between them", { derived: true }),
  pipeline("organization", "the organization's name", { derived: true }),
  pipeline("org_id", "the organization's id", {
    remedy: "ask for the pipeline's own token, without serviceConnectionId",
  }),
  pipeline("prj_id", "the project's id"),
  pipeline("def_id", "the pipeline's id in its project", { form: "digits" }),
  setting("rpo_id", "the repository: an id, or a name at another host", { chosenBy: "administrator" }),
  setting("rpo_uri", "the repository's URL", { chosenBy: "administrator" }),
  run("rpo_ref", "the branch, tag or pull request that the run is on", {
    chosenBy: "writer",
    tellsCode: true,
    form: "ref",
    samples: ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0", "refs/pull/7/merge"],
  }),
  about("job", "by-some-jobs")("rpo_ver", "the commit", { tellsCode: true }),
  run("run_id", "the run's id", { form: "digits" }),
])

export const AZURE_DEVOPS: FamilyFacts<"azure-devops"> = {
  name: "azure-devops",
  title: "Azure DevOps",
  unit: "pipeline",
  claims: CLAIMS,
  roles: {
    unitId: "pipeline_id",
    unit: "pipeline",
    ownerId: "org_id",
    owner: "organization",
    ref: "rpo_ref",
    runId: "run_id",
  },
  furtherCautions: pullRequest,
  unitId: {
    pattern: new RegExp(`^${UUID_SOURCE}/[1-9][0-9]{0,9}$`),
    words:
      'an id is that of the project, a slash, and that of the pipeline, such as "271ef6f7-5998-4b0f-86fb-4b54d9129990/12"',
    longest: `${UUID.longest}/${"9".repeat(10)}`,
  },
  ownerId: UUID,
  patterns: false,
  findId: () =>
    "az pipelines show --organization https://dev.azure.com/ORGANIZATION --project PROJECT --name PIPELINE --query \"join('/', [project.id, to_string(id)])\" --output tsv",
  maxTokenLifetimeSeconds: 1200,
  jti: "sometimes",
  audience: "issuer",
}

/** The run builds what a pull request would merge. For a repository on GitHub, it can come from a fork. */
function pullRequest({ rpo_ref: ref }: Claims): readonly Caution[] {
  if (typeof ref !== "string" || !ref.startsWith("refs/pull/")) return []
  return [{ fact: "outsider", why: "it builds a pull request", claim: "rpo_ref", value: ref }]
}
