import type { FamilySamples } from "../sample.ts"
import { REGISTERED } from "./registered.ts"

const PUSH = {
  ...REGISTERED,
  nbf: 1795300000,
  repository: "my-group/my-project",
  actor: "sample-user",
  actor_id: "1",
  event_name: "push",
  ref: "refs/heads/main",
  ref_protected: "true",
  head_ref: "",
  base_ref: "",
  sha: "714a629c0b401fdce83e847fc9589983fc6f46bc",
  run_id: "574",
  run_number: "19",
  run_attempt: "1",
  workflow: "deploy.yml",
} as const

/** Tokens of Forgejo Actions. */
export const FORGEJO_SAMPLES: FamilySamples = {
  family: "forgejo",
  samples: {
    "forgejo-branch": { summary: "a push to main", claims: PUSH },
    "forgejo-tag": { summary: "a push of the tag v1.2.3", claims: { ...PUSH, ref: "refs/tags/v1.2.3" } },
  },
  follows: [
    ["ref_type", (read) => (read("ref").startsWith("refs/tags/") ? "tag" : "branch")],
    ["workflow_ref", (read) => `${read("repository")}/.forgejo/workflows/${read("workflow")}@${read("ref")}`],
    ["sub", (read) => `repo:${read("repository")}:ref:${read("ref")}`],
  ],
  outdated: new Map([["ref", { ref_protected: "false" }]]),
}
