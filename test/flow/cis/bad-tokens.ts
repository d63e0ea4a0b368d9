import type { CiClaims } from "../../support/ci-issuer.ts"
import {
  azureJob,
  buildkiteJob,
  circleciJob,
  clusterJob,
  gitlabJob,
  jenkinsJob,
  OTHER_UID,
  terraformJob,
} from "../../support/ci-jobs.ts"
import serviceConnection from "../../vectors/claims/azure-devops-service-connection.json" with { type: "json" }
import type { Ci } from "./world.ts"

interface Options {
  readonly signer?: Ci
  readonly audience?: readonly string[]
  readonly lifetimeSeconds?: number
}

/** Tokens that are refused themselves: name, CI, claims, how it is signed, code, and a part of the sentence. */
export const REFUSED: readonly [string, Ci, CiClaims, Options, string, string][] = [
  [
    "of Buildkite that has no ids",
    "buildkite",
    buildkiteJob({ pipeline_id: undefined, organization_id: undefined }),
    {},
    "token_claims_invalid",
    "add --claim organization_id,pipeline_id to the job's buildkite-agent oidc request-token",
  ],
  [
    "of Buildkite that lives for a day",
    "buildkite",
    buildkiteJob(),
    { lifetimeSeconds: 86_400 },
    "token_lifetime_too_long",
    "at most 3600 s",
  ],
  [
    "of Azure for a service connection",
    "azure",
    serviceConnection,
    {},
    "token_claims_invalid",
    "ask for the pipeline's own token, without serviceConnectionId",
  ],
  [
    "of Azure for a service connection, with the claims of a pipeline",
    "azure",
    azureJob({ sub: "sc://acme/Shop Backend/production" }),
    {},
    "token_claims_invalid",
    "names a service connection",
  ],
  [
    "of Azure with another organization's id",
    "azure",
    azureJob({ org_id: OTHER_UID }),
    {},
    "token_claims_invalid",
    "two different organizations",
  ],
  [
    "of CircleCI with another organisation's id",
    "circleci",
    circleciJob({ "oidc.circleci.com/org-id": OTHER_UID, sub: "" }),
    {},
    "token_claims_invalid",
    "iss and oidc.circleci.com/org-id disagree",
  ],
  [
    "of CircleCI whose flag is a text",
    "circleci",
    circleciJob({ "oidc.circleci.com/ssh-rerun": "false" }),
    {},
    "token_claims_invalid",
    "ssh-rerun must be true or false",
  ],
  [
    "of GitLab whose flag is no text",
    "gitlab",
    gitlabJob({ ref_protected: true }),
    {},
    "token_claims_invalid",
    "ref_protected must be a string",
  ],
  ["of GitLab without jti", "gitlab", gitlabJob({ jti: undefined }), {}, "token_claims_invalid", "jti"],
  [
    "of GitLab that lives for more than an hour",
    "gitlab",
    gitlabJob(),
    { lifetimeSeconds: 3601 },
    "token_lifetime_too_long",
    "3601 s",
  ],
  [
    "of GitLab signed by Buildkite's key",
    "gitlab",
    gitlabJob(),
    { signer: "buildkite" },
    "token_signature_invalid",
    "does not match",
  ],
  [
    "of GitLab signed with another algorithm",
    "gitlab",
    gitlabJob(),
    { signer: "cluster" },
    "token_signature_invalid",
    "must be signed with RS256",
  ],
  [
    "of the cluster signed with an algorithm that its key is not for",
    "cluster",
    clusterJob(),
    { signer: "gitlab" },
    "token_signature_invalid",
    "The subject token",
  ],
  [
    "of the cluster for the API server too",
    "cluster",
    clusterJob(),
    { audience: ["https://kubernetes.default.svc", "x"] },
    "token_audience_mismatch",
    "audience",
  ],
  [
    "of the cluster without a uid",
    "cluster",
    clusterJob({ uid: "" }),
    {},
    "token_claims_invalid",
    "kubernetes.io/serviceaccount/uid",
  ],
  [
    "of Jenkins for two audiences",
    "jenkins",
    jenkinsJob(),
    { audience: ["https://a.example", "https://b.example"] },
    "token_audience_mismatch",
    "exactly one audience",
  ],
  [
    "of Jenkins without a claim that is mapped",
    "jenkins",
    jenkinsJob({ deploy_env: undefined }),
    {},
    "token_claims_invalid",
    "the claim deploy_env is missing: the organisation file maps it as environment",
  ],
  [
    "of HCP Terraform for a stack",
    "terraform",
    terraformJob({ terraform_workspace_id: undefined }),
    {},
    "token_claims_invalid",
    "only runs of workspaces have one",
  ],
]
