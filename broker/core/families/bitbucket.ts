import { about, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { BRACED_UUID } from "./id-forms.ts"

const repository = about("unit", "always")
const step = about("job", "always")
const someStep = about("job", "by-some-jobs")

/**
 * What a step's token of Bitbucket Pipelines says. Source: Atlassian's "Integrate Pipelines with resource servers using
 * OIDC", and the example that a repository's settings show. It has ids and hardly any names, and no event.
 */
const CLAIMS = tableOf([
  step("sub", "the ids of the repository, of the deployment environment if there is one, and of the step"),
  repository("repositoryUuid", "the repository's id, in braces"),
  repository("workspaceUuid", "the workspace's id, in braces"),
  about("unit", "by-some-issuers")("workspace", "the workspace's slug, as in the issuer's URL", { derived: true }),
  about("job", "with-environment")("deploymentEnvironmentUuid", "the deployment environment's id, in braces"),
  someStep("branchName", "the branch's name, without refs/heads/", {
    chosenBy: "writer",
    tellsCode: true,
    form: "branch",
    samples: ["main", "feature"],
  }),
  step("pipelineUuid", "the pipeline's id"),
  someStep("pipelineRunUuid", "the id of this run of the pipeline"),
  step("stepUuid", "the step's id"),
])

export const BITBUCKET: FamilyFacts<"bitbucket"> = {
  name: "bitbucket",
  title: "Bitbucket Pipelines",
  unit: "repository",
  claims: CLAIMS,
  roles: {
    unitId: "repositoryUuid",
    ownerId: "workspaceUuid",
    owner: "workspace",
    environment: "deploymentEnvironmentUuid",
    ref: "branchName",
    runId: "pipelineUuid",
    runAttempt: "stepUuid",
  },
  environmentName: {
    pattern: BRACED_UUID.pattern,
    words: `an environment is written as the UUID of a deployment environment: ${BRACED_UUID.words}`,
  },
  unitId: BRACED_UUID,
  ownerId: BRACED_UUID,
  patterns: false,
  findId: () => "curl -u EMAIL:API_TOKEN https://api.bitbucket.org/2.0/repositories/WORKSPACE/REPOSITORY | jq -r .uuid",
  maxTokenLifetimeSeconds: 24 * 3600,
  jti: "sometimes",
  audience: "setting",
  severalAudiences: true,
}
