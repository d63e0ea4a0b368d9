import type { CiClaims } from "../../support/ci-issuer.ts"
import {
  AZURE_PIPELINE,
  azureJob,
  buildkiteJob,
  CIRCLECI_PROJECT,
  circleciJob,
  clusterJob,
  gitlabJob,
  JENKINS_JOB,
  jenkinsJob,
  OTHER_UID,
  PIPELINE,
  terraformJob,
  UID,
  WORKSPACE,
} from "../../support/ci-jobs.ts"
import type { Ci } from "./world.ts"

export interface JobRow {
  readonly name: string
  readonly ci: Ci
  readonly claims: () => CiClaims
  readonly unit: readonly [kind: string, name: string, id: string]
  readonly environment: string | null
  /** What CloudTrail shows. */
  readonly session: string
  /** Further members of the recorded identity. */
  readonly about: Readonly<Record<string, string | null>>
  /** What the record keeps of the claims that the rules in force read. */
  readonly read: Readonly<Record<string, string>>
  readonly binding: "none" | "impossible"
}

/** The job of each CI that gets the role. */
export const JOBS: readonly JobRow[] = [
  {
    name: "GitLab's",
    ci: "gitlab",
    claims: gitlabJob,
    unit: ["project", "acme/shop", "42"],
    environment: "production",
    session: "acme.shop@574.302",
    about: { owner: "acme", owner_id: "72", ref: "refs/heads/main", event: "push", actor_id: "1", run_id: "574" },
    read: { ref_path: "refs/heads/main", pipeline_source: "push" },
    binding: "impossible",
  },
  {
    name: "a cluster's, signed with ES256",
    ci: "cluster",
    claims: clusterJob,
    unit: ["service_account", "payments/deployer", UID],
    environment: null,
    session: "payments.deployer@5e0bd49b-f040-43b0-99b7-22765a53f7f3",
    about: { owner: "kubernetes.default.svc.cluster.local", ref: null, event: null, actor: null },
    read: {},
    binding: "impossible",
  },
  {
    name: "Buildkite's",
    ci: "buildkite",
    claims: buildkiteJob,
    unit: ["pipeline", "acme/shop", PIPELINE],
    environment: null,
    session: "acme.shop@1.0184990a-477b-4fa8-9968-496074483cee",
    about: { owner: "acme", ref: "main", event: "webhook", run_id: "1" },
    read: { build_branch: "main", build_source: "webhook" },
    binding: "none",
  },
  {
    name: "Jenkins's, with mapped claims",
    ci: "jenkins",
    claims: jenkinsJob,
    unit: ["job", JENKINS_JOB, JENKINS_JOB],
    environment: "production",
    session: "https-..jenkins.example.com.job.shop.job.deploy.@42",
    about: { ref: "main", event: null, run_id: "42", run_attempt: "" },
    read: { ref: "main" },
    binding: "impossible",
  },
  {
    name: "HCP Terraform's, for a day",
    ci: "terraform",
    claims: () => terraformJob({ exp: Number(terraformJob()["iat"]) + 86_400 }),
    unit: ["workspace", "my-org/my-workspace", WORKSPACE],
    environment: "apply",
    session: "my-org.my-workspace@run-X3n1AUXNGWbfECsJ",
    about: { owner: "my-org", ref: null, event: null, run_id: "run-X3n1AUXNGWbfECsJ" },
    read: { terraform_run_phase: "apply" },
    binding: "impossible",
  },
  {
    name: "CircleCI's",
    ci: "circleci",
    claims: circleciJob,
    unit: ["project", CIRCLECI_PROJECT, CIRCLECI_PROJECT],
    environment: null,
    session: "22222222-2222-4222-8@77777777-7777-4777-8777-777777777777.555555",
    about: { ref: "refs/heads/main", event: null },
    read: { "oidc.circleci.com/vcs-ref": "refs/heads/main" },
    binding: "none",
  },
  {
    name: "Azure's, for Entra's audience",
    ci: "azure",
    claims: azureJob,
    unit: ["pipeline", "acme/Shop Backend/deploy", AZURE_PIPELINE],
    environment: null,
    session: "acme.Shop-Backend.deploy@5",
    about: { owner: "acme", ref: "refs/heads/main", run_id: "5" },
    read: { rpo_ref: "refs/heads/main" },
    binding: "impossible",
  },
]

/** Name, CI, the job, and jobs that are not this one. */
export const OWN_LEASES: readonly [string, Ci, () => CiClaims, readonly (readonly [Ci, CiClaims])[]][] = [
  [
    "GitLab: the next token of the job, and not one of a retried job, another project or another CI",
    "gitlab",
    gitlabJob,
    [
      ["gitlab", gitlabJob({ job_id: "303" })],
      ["gitlab", gitlabJob({ pipeline_id: "575" })],
      ["gitlab", gitlabJob({ project_id: "43", job_project_id: "43" })],
      ["buildkite", buildkiteJob()],
    ],
  ],
  [
    "a cluster: a token of the pod, and not one of another pod or of the account's successor",
    "cluster",
    clusterJob,
    [
      ["cluster", clusterJob({ pod: "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" })],
      ["cluster", clusterJob({ uid: OTHER_UID })],
    ],
  ],
  [
    "Buildkite: a token of the job, and not one of another job of the build or another build",
    "buildkite",
    buildkiteJob,
    [
      ["buildkite", buildkiteJob({ job_id: "0184990a-0000-4fa8-9968-496074483cee" })],
      ["buildkite", buildkiteJob({ build_number: 2 })],
    ],
  ],
]
