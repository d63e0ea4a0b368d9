import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { writePolicies } from "../support/acme.ts"

export const STAGING_ROLE = "arn:aws:iam::111122223333:role/shop-staging"
export const STAGING_SUBJECT = "github:repository:41:environment:staging:grant:aws-staging"
export const CEILING = "arn:aws:iam::111122223333:role/shop-*"
export const ADMIN_ROLE = "arn:aws:iam::111122223333:role/admin"

/** The folder of the organisation: a ceiling over acme/shop, and beside its policy one that offers more than the ceiling. */
export function writeDemoPolicies(
  folder: string,
  at: { readonly issuer: string; readonly sts: string; readonly connections: string },
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
${at.connections}`,
  )
  writeFileSync(
    join(folder, "acme/shop/admin.yaml"),
    `version: 1
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
