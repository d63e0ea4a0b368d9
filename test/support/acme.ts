import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

// The organisation of the demo, the interop run and whoever else needs one: acme, its repository shop, one AWS account.

export const ROLE = "arn:aws:iam::111122223333:role/shop-deploy"
export const REPOSITORY = { repository: "acme/shop", repository_id: "41", repository_owner_id: "9001" }

/** The `sub` of the broker's identity tokens for the one grant there is. */
export const SUBJECT = "github:repository:41:environment:production:grant:aws-deploy"

/** The claims of a job: a deployment of acme/shop, from `ref`, in the environment `production`. */
export const deployment = (ref: string, runId: string) => ({
  ...REPOSITORY,
  ref,
  run_id: runId,
  environment: "production",
  actor: "octocat",
})

/** Writes the organisation file and the one policy into `folder`: deployments from main get the role, for 15 minutes. */
export function writePolicies(folder: string, at: { readonly issuer: string; readonly sts: string }): void {
  mkdirSync(join(folder, "acme/shop"), { recursive: true })
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
  github:
    family: github-actions
    url: ${at.issuer}
    owners: { acme: "9001" }
connections:
  aws-prod:
    provider: aws
    region: eu-west-1
    accounts: ["111122223333"]
    endpoint: ${at.sts}
    require_bound_token: true
`,
  )
  writeFileSync(
    join(folder, "acme/shop/production.yaml"),
    `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: deploy from main
    when:
      ref: refs/heads/main
      event_name: [push, workflow_dispatch]
    grants: [aws-deploy]
grants:
  aws-deploy:
    connection: aws-prod
    role: ${ROLE}
    ttl: 15m
`,
  )
}
