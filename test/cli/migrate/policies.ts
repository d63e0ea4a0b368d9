/** What the organisation trusts, with stores to move values to. */
export const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
  google-prod:
    provider: google
    workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker
    service_accounts: [deploy@acme-prod.iam.gserviceaccount.com]
  team-secrets: { provider: sops, key: env:SOPS_AGE_KEY, folder: secrets }
  doppler-shop: { provider: doppler, identity: 2f1c7e1a-5b52-4a8e-9d3c-0e6f4b7a9c15, projects: [shop] }
  github-acme: { provider: github, app_id: "730001", key: env:ACME_APP_KEY, owner: acme, owner_id: "9001" }
`

/** The environment as its team has it before: the clouds' roles, and a token for another repository. */
export const PRODUCTION = `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: deploy
    when: { ref: [refs/heads/main, "refs/tags/v*"], event_name: [push, workflow_dispatch] }
    grants: [aws-deploy, google-deploy, site]
grants:
  aws-deploy: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/shop-deploy" }
  google-deploy: { connection: google-prod, service_account: deploy@acme-prod.iam.gserviceaccount.com }
  site: { connection: github-acme, repositories: [site], permissions: { contents: read } }
`
