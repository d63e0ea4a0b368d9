import type { FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

const JOB = {
  ...REGISTERED,
  nbf: 1795300000,
  jti: JTI,
  org: "acme",
  prj: "shop",
  repo: "shop",
  repo_slug: "acme/shop",
  branch: "main",
  ref: "refs/heads/main",
  ref_type: "branch",
  tag: "",
  pr: "",
  pr_branch: "",
  job_type: "pipeline_job",
  job_id: "44444444-4444-4444-8444-444444444444",
  wf_id: "55555555-5555-4555-8555-555555555555",
  ppl_id: "66666666-6666-4666-8666-666666666666",
} as const

/** Tokens of jobs of Semaphore. */
export const SEMAPHORE_SAMPLES: FamilySamples = {
  family: "semaphore",
  samples: {
    "semaphore-branch": { summary: "a job of a pipeline on main", claims: JOB },
    "semaphore-pull-request": {
      summary: "a job of a pull request: its branch is the target",
      claims: { ...JOB, ref: "refs/pull/7/head", ref_type: "pull-request", pr: "7", pr_branch: "feature" },
    },
    "semaphore-debug": { summary: "a debug job: a person's shell", claims: { ...JOB, job_type: "debug_job" } },
  },
  follows: [
    [
      "sub",
      (read) =>
        `org:${read("org")}:project:${read("prj_id")}:repo:${read("repo")}:ref_type:${read("ref_type")}:ref:${read("ref")}`,
    ],
  ],
}
