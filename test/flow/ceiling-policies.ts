import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** The repositories of the policy suite, all of acme's. */
export const REPOSITORIES = {
  /** Below a boundary, with policies in the organisation's folder. */
  shop: 41,
  /** Two of the many that one policy speaks of. */
  "svc-pay": 51,
  "svc-mail": 52,
  /** Whose policy wants a protected environment. */
  bank: 61,
  /** Below a boundary that wants one. */
  mint: 62,
  /** These keep policies of their own. */
  site: 71,
  guard: 72,
  faulty: 73,
  private: 74,
  /** Keeps one too, and no boundary is about it. */
  lonely: 81,
} as const

export type RepositoryName = keyof typeof REPOSITORIES

export const AUDIENCE = "https://vault.example.com"
const ACCOUNT = "arn:aws:iam::111122223333"
export const roleOf = (name: string) => `${ACCOUNT}:role/${name}`

/** The organisation file: three boundaries that allow, and one that wants an environment protected besides. */
export const organisation = (at: { readonly issuer: string; readonly sts: string }) => `version: 1
issuers:
  github:
    family: github-actions
    url: ${at.issuer}
    owners: { acme: "9001" }
    repository_policies: true
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"], endpoint: "${at.sts}" }
  broker: { provider: identity-token, audiences: ["${AUDIENCE}", "https://elsewhere.example.com"] }
boundaries:
  - name: shop
    when: { repository: acme/shop }
    allow:
      - { connection: aws-prod, role: "${roleOf("shop-*")}" }
      - { connection: broker, audience: "${AUDIENCE}" }
    require: { runner_environment: github-hosted }
    max_ttl: 20m
  - name: services
    when: { repository: "acme/svc-*" }
    allow:
      - { connection: aws-prod, role: "${roleOf("svc-*-deploy")}" }
  - name: teams
    when: { repository: [acme/mint, acme/site, acme/guard, acme/faulty, acme/private] }
    allow:
      - { connection: broker, audience: "${AUDIENCE}" }
  - name: live is guarded
    when: { repository: acme/mint, environment: live }
    protected_environment: { required_reviewers: true, deployment_branches: protected }
`

const SHOP = `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: deploy from main
    when: { ref: refs/heads/main }
    grants: [aws-deploy, aws-admin, vault, elsewhere]
grants:
  aws-deploy: { connection: aws-prod, role: "${roleOf("shop-deploy")}", ttl: 30m }
  aws-admin: { connection: aws-prod, role: "${roleOf("admin")}" }
  vault: { connection: broker, audience: "${AUDIENCE}" }
  elsewhere: { connection: broker, audience: "https://elsewhere.example.com" }
`

const SERVICES = `version: 1
repository: acme/svc-*
environment: production
allow:
  - name: deploy from main
    when: { ref: refs/heads/main }
    grants: [deploy, by-ref, by-team]
grants:
  deploy: { connection: aws-prod, role: "${roleOf("$" + "{repository_name}-deploy")}" }
  by-ref: { connection: aws-prod, role: "${roleOf("svc-$" + "{ref}-deploy")}" }
  by-team: { connection: aws-prod, role: "${roleOf("svc-$" + "{repo_property_team}-deploy")}" }
`

const BANK = `version: 1
repository: acme/bank
repository_id: "61"
environment: production
protected_environment: { required_reviewers: true, prevent_self_review: true }
allow:
  - name: whoever the reviewers let through
    when: { ref: refs/heads/main }
    grants: [vault]
grants:
  vault: { connection: broker, audience: "${AUDIENCE}" }
`

const MINT = `version: 1
repository: acme/mint
repository_id: "62"
environment: live
allow:
  - name: any push
    when: { event_name: push }
    grants: [vault]
grants:
  vault: { connection: broker, audience: "${AUDIENCE}" }
`

const GUARD = `version: 1
repository: acme/guard
repository_id: "72"
environment: production
allow:
  - name: any push
    when: { event_name: push }
    grants: [vault]
grants:
  vault: { connection: broker, audience: "${AUDIENCE}" }
`

/** Writes the folder; returns the organisation file's text. */
export function writeCeilingPolicies(folder: string, at: Parameters<typeof organisation>[0]): string {
  mkdirSync(folder, { recursive: true })
  const files = { daypass: organisation(at), shop: SHOP, services: SERVICES, bank: BANK, mint: MINT, guard: GUARD }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.yaml`), text)
  return files.daypass
}

/** Where a repository keeps a policy of its own. */
export const OWN_FILE = ".github/daypass/production.yaml"

/** A file for `.github/daypass`: pushes from main get an identity token for `audience`, called `own`. */
export const ownPolicy = (repository: RepositoryName, audience = AUDIENCE) => `version: 1
repository: acme/${repository}
repository_id: "${REPOSITORIES[repository]}"
environment: production
allow:
  - name: our own rule
    when: { event_name: push }
    grants: [own]
grants:
  own: { connection: broker, audience: "${audience}" }
`

/** A file for `.github/daypass` that refuses everything to octocat's jobs. */
export const ownDeny = (repository: RepositoryName) => `version: 1
repository: acme/${repository}
repository_id: "${REPOSITORIES[repository]}"
environment: production
deny:
  - name: frozen for the audit
    when: { actor: octocat }
`
