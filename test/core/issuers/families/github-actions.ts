import { githubActions } from "../../../../broker/issuers/github-actions/family.ts"
import branchImmutable from "../../../vectors/claims/github-branch-immutable.json" with { type: "json" }
import environment from "../../../vectors/claims/github-environment.json" with { type: "json" }
import pullRequest from "../../../vectors/claims/github-pull-request.json" with { type: "json" }
import { issuer } from "../fixture.ts"
import type { FamilyCase } from "./family-case.ts"

const unit = { unitKind: "repository", unit: "octo-org/octo-repo", unitId: "456789" } as const
const owner = { owner: "octo-org", ownerId: "123456" } as const

/** Its own rows are in `github-actions.test.ts`. */
export const GITHUB_ACTIONS_CASE: FamilyCase = {
  family: githubActions,
  config: issuer(),
  samples: [
    {
      name: "a job in an environment",
      claims: environment,
      identity: { ...unit, ...owner, environment: "Production", runId: "10988497055", runAttempt: "1", cautions: [] },
      derived: { outsider: false, interactive: false },
    },
    {
      name: "a job on a branch, with ids in its sub",
      claims: branchImmutable,
      identity: { ...unit, ...owner, ref: "refs/heads/main", event: "push", actorId: "583231" },
    },
    {
      name: "a job of a pull request",
      claims: pullRequest,
      identity: { ...unit, ...owner, event: "pull_request" },
      derived: { outsider: true, interactive: false },
    },
  ],
  refused: [
    ["a sub of another repository", { sub: "repo:evil/repo:ref:refs/heads/main" }, "sub and repository disagree"],
    ["another owner's name", { repository_owner: "evil" }, "two different owners"],
  ],
}
