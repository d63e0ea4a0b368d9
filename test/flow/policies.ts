import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ROLE } from "../support/acme.ts"

export interface FlowPlaces {
  readonly issuer: string
  readonly sts: string
  /** Lines of the organisation file that list further issuers. */
  readonly issuers?: string
}

/** Writes the policies that the flow suite is about: two files, three connections, one repository. */
export function writeFlowPolicies(folder: string, at: FlowPlaces): void {
  mkdirSync(join(folder, "acme/shop"), { recursive: true })
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
  github:
    family: github-actions
    url: ${at.issuer}
    owners: { acme: "9001" }
${at.issuers ?? ""}connections:
  aws-prod:
    provider: aws
    region: eu-west-1
    accounts: ["111122223333"]
    endpoint: ${at.sts}
  broker:
    provider: identity-token
    audiences: ["https://vault.example.com"]
  broker-bound:
    provider: identity-token
    audiences: ["https://vault.example.com"]
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
    when: { ref: refs/heads/main, event_name: [push, workflow_dispatch] }
    grants: [aws-deploy, vault, vault-bound, unknown-role]
deny:
  - name: never on our own runners
    when: { runner_environment: { not: github-hosted } }
grants:
  aws-deploy: { connection: aws-prod, role: "${ROLE}", ttl: 30m }
  unknown-role: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/nobody" }
  vault: { connection: broker, audience: "https://vault.example.com" }
  vault-bound: { connection: broker-bound, audience: "https://vault.example.com" }
`,
  )
  writeFileSync(
    join(folder, "acme/shop/no-environment.yaml"),
    `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
allow:
  - name: any push
    when: { event_name: push }
    grants: [ci-token]
grants:
  ci-token: { connection: broker, audience: "https://vault.example.com", ttl: 2m }
`,
  )
}
