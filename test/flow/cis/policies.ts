import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ROLE } from "../../support/acme.ts"
import {
  AZURE_ORG,
  AZURE_PIPELINE,
  CIRCLECI_ORG,
  CIRCLECI_PROJECT,
  JENKINS_JOB,
  ORGANIZATION,
  PIPELINE,
  UID,
  WORKSPACE,
} from "../../support/ci-jobs.ts"
import type { Cis } from "./world.ts"

/** The lines of an organisation file that list the other CIs' issuers. */
export const issuerLines = (cis: Cis): string => `  gitlab:
    family: gitlab
    url: ${cis.gitlab.issuer}
    owners: { acme: "72", contributor: "91" }
  cluster:
    family: kubernetes
    url: ${cis.cluster.issuer}
    jwks: ${JSON.stringify({ keys: [cis.cluster.key.jwk] })}
  buildkite:
    family: buildkite
    url: ${cis.buildkite.issuer}
    owners: { acme: "f892efa9-103e-4d28-97a1-3b8616a0994d" }
  jenkins:
    family: jenkins
    url: ${cis.jenkins.issuer}
    claims: { environment: deploy_env, ref: branch }
  terraform:
    family: hcp-terraform
    url: ${cis.terraform.issuer}
    owners: { my-org: "${ORGANIZATION}" }
    max_token_lifetime: 24h
  circleci:
    family: circleci
    url: ${cis.circleci.issuer}
    owners: { acme: "${CIRCLECI_ORG}" }
  azure-devops:
    family: azure-devops
    url: ${cis.azure.issuer}
    owners: { acme: "${AZURE_ORG}" }
    audience: api://AzureADTokenExchange
`

const DEPLOY = `  aws-deploy: { connection: aws-prod, role: "${ROLE}", ttl: 30m }
  vault: { connection: broker, audience: "https://vault.example.com" }
  vault-bound: { connection: broker-bound, audience: "https://vault.example.com" }
`

/** What a policy says besides its grants. The grants that a job deploys with are in each. */
const POLICIES: Readonly<Record<string, string>> = {
  gitlab: `issuer: gitlab
project: acme/shop
project_id: "42"
environment: production
protected_environment: {}
allow:
  - name: deploy from main
    when: { ref_path: refs/heads/main, pipeline_source: [push, web] }
    grants: [aws-deploy, vault, vault-bound]
`,
  "gitlab-review": `issuer: gitlab
project: acme/shop
project_id: "42"
environment: review
allow:
  - name: reviews of our own and of forks, by older servers
    when: { pipeline_source: merge_request_event }
    grants: [vault]
`,
  // What somebody writes who takes the fork for the project: its own merge requests, it seems.
  "gitlab-fork": `issuer: gitlab
project: contributor/shop
project_id: "4711"
environment: review
allow:
  - name: reviews
    when: { pipeline_source: merge_request_event }
    grants: [vault]
`,
  cluster: `issuer: cluster
service_account: payments/deployer
service_account_uid: ${UID}
allow:
  - name: the account
    grants: [aws-deploy, vault]
`,
  buildkite: `issuer: buildkite
pipeline: acme/shop
pipeline_id: ${PIPELINE}
allow:
  - name: too wide, which a fork's branch must not profit from
    when: { build_branch: "**main", build_source: webhook }
    grants: [aws-deploy, vault, vault-bound]
`,
  jenkins: `issuer: jenkins
job: ${JENKINS_JOB}
environment: production
allow:
  - name: deploy from main
    when: { ref: main }
    grants: [aws-deploy, vault]
`,
  terraform: `issuer: terraform
workspace: my-org/my-workspace
workspace_id: ${WORKSPACE}
environment: apply
allow:
  - name: applies
    grants: [aws-deploy, vault]
`,
  "terraform-plan": `issuer: terraform
workspace: my-org/my-workspace
workspace_id: ${WORKSPACE}
environment: plan
allow:
  - name: plans read
    when: { terraform_run_phase: plan }
    grants: [vault]
`,
  circleci: `issuer: circleci
project_id: ${CIRCLECI_PROJECT}
allow:
  - name: deploy from main
    when: { oidc.circleci.com/vcs-ref: refs/heads/main }
    grants: [aws-deploy, vault]
`,
  "azure-devops": `issuer: azure-devops
pipeline: acme/Shop Backend/deploy
pipeline_id: ${AZURE_PIPELINE}
allow:
  - name: too wide, which a pull request must not profit from
    when: { rpo_ref: "refs/**m*" }
    grants: [aws-deploy, vault]
`,
}

export const POLICY_COUNT = Object.keys(POLICIES).length

/** Writes the policies of the other CIs beside those of GitHub. */
export function writeCiPolicies(folder: string): void {
  mkdirSync(join(folder, "others"), { recursive: true })
  for (const [name, text] of Object.entries(POLICIES)) {
    writeFileSync(join(folder, "others", `${name}.yaml`), `version: 1\n${text}grants:\n${DEPLOY}`)
  }
}
