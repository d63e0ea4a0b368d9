import { describe, expect, it } from "vitest"
import { checked, organisation, policy } from "./checked.ts"

const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const ACCOUNT = "shop@acme-prod.iam.gserviceaccount.com"
const CONNECTIONS = `  google:
    provider: google
    workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker
    service_accounts: [${ACCOUNT}]
    federated_tokens: true
  azure: { provider: azure, tenant: 7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63, client_ids: [${CLIENT}], federated_tokens: true }
`
const VAULT = `  vault: { provider: azure-key-vault, tenant: 7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63, client_id: ${CLIENT}, vault: acme-prod }\n`
const secretsOver = (pool: string) =>
  `  secrets: { provider: google-secret-manager, project: acme-prod, workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/${pool}/providers/broker }\n`
const found = (grant: string, comment = "", more = "") =>
  checked({
    "daypass.yaml": organisation(CONNECTIONS + more),
    "p.yaml": policy(
      `allow:\n  - name: main\n    when: { ref: refs/heads/main, event_name: push }\n    grants: [tools]\ngrants:\n${comment}  tools: { ${grant} }\n`,
    ),
  }).warnings.filter(({ code }) => code === "token_handed_over")

describe("token_handed_over", () => {
  it.each([
    [
      `connection: google, service_account: ${ACCOUNT}, hand_over: federated-token`,
      "The holder of tools can impersonate every service account that trusts the grant's principal, also outside of the connection's service_accounts",
    ],
    [
      `connection: azure, client_id: ${CLIENT}, hand_over: federated-token, ttl: 90m`,
      `The holder of tools can get access tokens for every resource of the client ${CLIENT}`,
    ],
  ])("says what the token of %s reaches", (grant, says) => {
    expect(found(grant)).toMatchObject([{ severity: "notice", file: "p.yaml", message: expect.stringContaining(says) }])
  })

  it.each([
    `connection: google, service_account: ${ACCOUNT}`,
    `connection: azure, client_id: ${CLIENT}, resource: "https://vault.azure.net", ttl: 90m`,
  ])("is not about an access token: %s", (grant) => {
    expect(found(grant)).toEqual([])
  })

  it("names the connections whose own grants the same token is good for", () => {
    const google = `connection: google, service_account: ${ACCOUNT}, hand_over: federated-token`
    const azure = `connection: azure, client_id: ${CLIENT}`
    const shared = (name: string) => [
      { message: expect.stringContaining(` The audience of its token is also that of ${name}: where the vendor`) },
    ]
    expect(found(google, "", secretsOver("daypass"))).toMatchObject(shared("secrets"))
    expect(found(google, "", secretsOver("another"))).not.toMatchObject(shared("secrets"))
    expect(found(`${azure}, hand_over: federated-token, ttl: 90m`, "", VAULT)).toMatchObject(shared("vault"))
    expect(found(`${azure}, hand_over: federated-token, ttl: 90m`)).not.toMatchObject(shared("vault"))
  })

  it("can be acknowledged", () => {
    const grant = `connection: google, hand_over: federated-token`
    expect(found(grant, "  # daypass: allow token_handed_over\n")).toEqual([])
  })
})
