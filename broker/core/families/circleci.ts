import type { ValueFact } from "./claim-fact.ts"
import { about, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { UUID } from "./id-forms.ts"

const project = about("unit", "always")
const job = about("job", "always")
/** Pipelines that a custom webhook triggers have no repository. */
const someJobs = about("job", "by-some-jobs")

const SSH_RERUN: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ["false", {}],
  ["true", { interactive: true }],
])

/**
 * What CircleCI's tokens say, in both versions of the variable and in those of `circleci run oidc get`. Source: CircleCI's
 * "Using OpenID Connect tokens in jobs".
 */
const CLAIMS = tableOf(
  [
    job("sub", "a text made of other claims, in one of two versions"),

    project("oidc.circleci.com/org-id", "the organisation's id"),
    project("oidc.circleci.com/project-id", "the project's id"),
    someJobs("oidc.circleci.com/context-ids", "the contexts that the job uses", { type: "texts" }),
    job("oidc.circleci.com/job-id", "the job's id; a job that is run again has another one"),
    job("oidc.circleci.com/workflow-id", "the workflow's id; one that is run again has another one"),
    job("oidc.circleci.com/pipeline-id", "the pipeline's id"),
    someJobs("oidc.circleci.com/pipeline-definition-id", "the id of the pipeline's definition, which names its file", {
      tellsCode: true,
    }),
    job("oidc.circleci.com/ssh-rerun", "whether the job was run again with SSH", {
      type: "boolean",
      values: SSH_RERUN,
      samples: ["false"],
    }),
    someJobs("oidc.circleci.com/vcs-origin", "the repository that triggered the pipeline, which can be a fork", {
      tellsCode: true,
    }),
    someJobs(
      "oidc.circleci.com/vcs-ref",
      "the branch or tag that triggered the pipeline, in the repository of vcs-origin",
      {
        // A fork names its branches as it likes.
        chosenBy: "outsider",
        tellsCode: true,
        form: "ref",
        samples: ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0"],
      },
    ),
  ],
  "jti",
  "nbf",
)

export const CIRCLECI: FamilyFacts<"circleci"> = {
  name: "circleci",
  title: "CircleCI",
  unit: "project",
  claims: CLAIMS,
  roles: {
    unitId: "oidc.circleci.com/project-id",
    ownerId: "oidc.circleci.com/org-id",
    ref: "oidc.circleci.com/vcs-ref",
    runId: "oidc.circleci.com/pipeline-id",
    runAttempt: "oidc.circleci.com/job-id",
  },
  unitId: UUID,
  ownerId: UUID,
  // Tokens say no name of a project: there is nothing to match.
  patterns: false,
  findId: () => "the project's settings, Overview, Project ID",
  maxTokenLifetimeSeconds: 3600,
  jti: "never",
  audience: "job",
}
