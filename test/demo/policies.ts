import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { ROLE, writePolicies } from "../support/acme.ts"

export const STAGING_ROLE = "arn:aws:iam::111122223333:role/shop-staging"
export const STAGING_SUBJECT = "github:repository:41:environment:staging:grant:aws-staging"
export const CEILING = "arn:aws:iam::111122223333:role/shop-*"
export const ADMIN_ROLE = "arn:aws:iam::111122223333:role/admin"

export const GITLAB_SUBJECT = "gitlab:project:42:environment:production:grant:aws-gitlab"

/** What a project of GitLab may get. It speaks of its unit by an id, and of the job by GitLab's own claims. */
export const GITLAB_POLICY = `version: 1
issuer: gitlab
project: acme/shop
project_id: "42"
environment: production
protected_environment: {}
allow:
  - name: deploy from main
    when:
      ref_path: refs/heads/main
      pipeline_source: "*"
    grants: [aws-gitlab]
grants:
  aws-gitlab: { connection: aws-gitlab, role: "${ROLE}", ttl: 15m, as: variables }
`

/** The folder of the organisation: a ceiling over acme/shop, and beside its policy one that offers more than the ceiling. */
export function writeDemoPolicies(
  folder: string,
  at: { readonly issuer: string; readonly gitlab: string; readonly sts: string; readonly connections: string },
): void {
  writePolicies(folder, at)
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
  github:
    family: github-actions
    url: ${at.issuer}
    owners: { acme: "9001" }
    repository_policies: true
  gitlab: { family: gitlab, url: "${at.gitlab}", owners: { acme: "72" } }
boundaries:
  - name: shop
    when: { repository: acme/shop }
    allow:
      - { connection: aws-prod, role: "${CEILING}" }
    max_ttl: 1h
connections:
  aws-prod:
    provider: aws
    region: eu-west-1
    accounts: ["111122223333"]
    endpoint: ${at.sts}
    require_bound_token: true
  # Tokens of GitLab cannot be bound to a key.
  aws-gitlab: { provider: aws, region: eu-west-1, accounts: ["111122223333"], endpoint: "${at.sts}" }
${at.connections}`,
  )
  writeFileSync(join(folder, "acme/gitlab-shop.yaml"), GITLAB_POLICY)
  writeFileSync(
    join(folder, "acme/shop/admin.yaml"),
    `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: somebody meant well
    when: { ref: refs/heads/main }
    grants: [aws-admin]
grants:
  aws-admin: { connection: aws-prod, role: "${ADMIN_ROLE}" }
`,
  )
}

/** Where acme/shop keeps a policy of its own, and what it says: more than the ceiling lets through. */
export const OWN_FILE = ".github/daypass/staging.yaml"
export const OWN_POLICY = `version: 1
repository: acme/shop
repository_id: "41"
environment: staging
allow:
  - name: any push
    when: { event_name: push }
    grants: [aws-staging, aws-admin]
grants:
  aws-staging: { connection: aws-prod, role: "${STAGING_ROLE}" }
  aws-admin: { connection: aws-prod, role: "${ADMIN_ROLE}" }
`
