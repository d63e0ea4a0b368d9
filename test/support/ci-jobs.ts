import azureDevops from "../vectors/claims/azure-devops.json" with { type: "json" }
import buildkite from "../vectors/claims/buildkite-ids.json" with { type: "json" }
import circleci from "../vectors/claims/circleci-v2.json" with { type: "json" }
import gitlab from "../vectors/claims/gitlab-protected-environment.json" with { type: "json" }
import terraform from "../vectors/claims/hcp-terraform-apply.json" with { type: "json" }
import jenkins from "../vectors/claims/jenkins.json" with { type: "json" }
import type { CiClaims } from "./ci-issuer.ts"

// Jobs of acme at other CIs than GitHub: recorded claims with acme's names and ids, and a `sub` that agrees with them.

/** Claims that differ from those of the job that deploys; undefined leaves one out. */
export type Changes = Readonly<Record<string, unknown>>

export const UID = "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35"
/** The account's uid after it was deleted and created again; also an id that nothing else has. */
export const OTHER_UID = UID.replace("9f0c", "00aa")
export const PIPELINE = buildkite.pipeline_id
export const JENKINS_JOB = "https://jenkins.example.com/job/shop/job/deploy/"
export const WORKSPACE = terraform.terraform_workspace_id
export const ORGANIZATION = terraform.terraform_organization_id
export const CIRCLECI_ORG = circleci["oidc.circleci.com/org-id"]
export const CIRCLECI_PROJECT = circleci["oidc.circleci.com/project-id"]
export const AZURE_ORG = azureDevops.org_id
export const AZURE_PIPELINE = `${azureDevops.prj_id}/${azureDevops.def_id}`

export function gitlabJob(changes: Changes = {}): CiClaims {
  const claims: Record<string, unknown> = {
    ...gitlab,
    namespace_id: "72",
    namespace_path: "acme",
    project_id: "42",
    project_path: "acme/shop",
    job_namespace_id: "72",
    job_namespace_path: "acme",
    job_project_id: "42",
    job_project_path: "acme/shop",
    ...changes,
  }
  const sub = `project_path:${claims["project_path"]}:ref_type:${claims["ref_type"]}:ref:${claims["ref"]}`
  return { ...claims, sub, ...changes }
}

/** The pipeline of a fork's merge request, which runs in acme/shop: by servers since 18.4, `project_*` is the fork. */
export const forkJob = (changes: Changes = {}): CiClaims =>
  gitlabJob({
    project_id: "4711",
    project_path: "contributor/shop",
    namespace_id: "91",
    namespace_path: "contributor",
    pipeline_source: "merge_request_event",
    environment: "review",
    environment_protected: "false",
    ...changes,
  })

/** The same by an older server: it looks like the project's own. */
export const forkJobOfOldServer = (changes: Changes = {}): CiClaims =>
  gitlabJob({
    pipeline_source: "merge_request_event",
    job_project_id: undefined,
    job_project_path: undefined,
    job_namespace_id: undefined,
    job_namespace_path: undefined,
    ...changes,
  })

export function clusterJob({ uid = UID, pod = "5e0bd49b-f040-43b0-99b7-22765a53f7f3", ...changes }: Changes = {}) {
  return {
    iat: 1795300000,
    nbf: 1795300000,
    exp: 1795303600,
    jti: "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
    "kubernetes.io": {
      namespace: "payments",
      node: { name: "node-1", uid: "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" },
      pod: { name: "deploy-28f6k", uid: pod },
      serviceaccount: { name: "deployer", uid },
    },
    sub: "system:serviceaccount:payments:deployer",
    ...changes,
  }
}

export function buildkiteJob(changes: Changes = {}): CiClaims {
  const claims: Record<string, unknown> = { ...buildkite, organization_slug: "acme", pipeline_slug: "shop", ...changes }
  const of = `organization:${claims["organization_slug"]}:pipeline:${claims["pipeline_slug"]}`
  const at = `ref:refs/heads/${claims["build_branch"]}:commit:${claims["build_commit"]}:step:build`
  return { ...claims, sub: `${of}:${at}`, ...changes }
}

export const circleciJob = (changes: Changes = {}): CiClaims => ({ ...circleci, ...changes })

/** Jenkins says no environment and no branch: the administrator made claims of them. */
export const jenkinsJob = (changes: Changes = {}): CiClaims => ({
  ...jenkins,
  sub: JENKINS_JOB,
  deploy_env: "production",
  branch: "main",
  ...changes,
})

export function terraformJob(changes: Changes = {}): CiClaims {
  const claims: Record<string, unknown> = { ...terraform, ...changes }
  const workspace = `workspace:${claims["terraform_workspace_name"]}:run_phase:${claims["terraform_run_phase"]}`
  return { ...claims, sub: `organization:my-org:project:Default Project:${workspace}`, ...changes }
}

export const azureJob = (changes: Changes = {}): CiClaims => ({ ...azureDevops, ...changes })
