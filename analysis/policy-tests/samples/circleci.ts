import type { FamilySamples } from "../sample.ts"
import { REGISTERED } from "./registered.ts"

const claim = (name: string) => `oidc.circleci.com/${name}`

const JOB = {
  ...REGISTERED,
  exp: REGISTERED.iat + 3600,
  [claim("context-ids")]: ["33333333-3333-4333-8333-333333333333"],
  [claim("job-id")]: "44444444-4444-4444-8444-444444444444",
  [claim("workflow-id")]: "55555555-5555-4555-8555-555555555555",
  [claim("pipeline-id")]: "66666666-6666-4666-8666-666666666666",
  [claim("pipeline-definition-id")]: "77777777-7777-4777-8777-777777777777",
  [claim("ssh-rerun")]: false,
  [claim("vcs-origin")]: "github.com/acme/shop",
  [claim("vcs-ref")]: "refs/heads/main",
}

/** Tokens of CircleCI. A list of contexts is written with commas. */
export const CIRCLECI_SAMPLES: FamilySamples = {
  family: "circleci",
  samples: {
    "circleci-branch": { summary: "a job of a pipeline on main", claims: JOB },
    "circleci-ssh-rerun": {
      summary: "the same, run again by a person with SSH",
      claims: { ...JOB, [claim("ssh-rerun")]: true },
    },
  },
  follows: [
    [
      "sub",
      (read) =>
        `org/${read(claim("org-id"))}/project/${read(claim("project-id"))}/user/88888888-8888-4888-8888-888888888888`,
    ],
  ],
}
