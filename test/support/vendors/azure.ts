import { isAbsolute } from "node:path"
import { type Azure, startAzure } from "../azure.ts"
import type { ActionRun } from "../runner.ts"
import type { Finding, StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const SUBSCRIPTION = "e5a7c9b1-8d42-4f60-a3b8-17f2c6d90e35"
const AUDIENCE = "api://AzureADTokenExchange"
const DEPLOY = "azure-deploy"
const TERRAFORM = "azure-terraform"
const SCOPE = "https://management.azure.com/.default"

/** Microsoft Entra ID: an access token for Azure's own API, and the broker's token with which Terraform logs in. */
export const startAzureVendor: StartVendor = async () => {
  const azure = await startAzure()
  return {
    name: "azure",
    gives: "a Microsoft Entra ID access token of an application, and what Terraform and the Azure SDKs log in with",
    connections: {
      "azure-prod": {
        provider: "azure",
        tenant: azure.tenant,
        client_ids: [CLIENT],
        subscription: SUBSCRIPTION,
        federated_tokens: true,
        authority: azure.url,
      },
    },
    grants: {
      [DEPLOY]: { connection: "azure-prod", client_id: CLIENT, scope: SCOPE, ttl: "90m" },
      [TERRAFORM]: { connection: "azure-prod", client_id: CLIENT, hand_over: "federated-token", ttl: "90m" },
    },
    secrets: {},
    trust({ issuer, subject }) {
      const credentials = [DEPLOY, TERRAFORM].map((grant) => ({
        issuer,
        subject: subject(grant),
        audience: AUDIENCE,
      }))
      azure.addClient({ clientId: CLIENT, credentials })
    },
    check: (run) => findings(run, azure),
    checkEnd: ({ log }) => [expiresOnly(log, DEPLOY, TERRAFORM)],
    fail: (how) => azure.fail(how),
    requests: azure.requests,
    alive: () => 0,
    assertClean: () => azure.assertClean(),
    close: () => azure.close(),
  }
}

async function findings(run: ActionRun, azure: Azure): Promise<readonly Finding[]> {
  const { env, masks } = run
  const given = azure.issued.at(-1)
  const own = env["ARM_OIDC_TOKEN"] ?? ""
  return [
    [
      "AZURE_ACCESS_TOKEN is the token that Entra gave for Azure's API",
      given !== undefined && env["AZURE_ACCESS_TOKEN"] === given.accessToken && `${given.resource}/.default` === SCOPE,
    ],
    ["it is masked, and so is the broker's own token", masks.includes(given?.accessToken ?? "") && masks.includes(own)],
    [
      "client, tenant and subscription are set for the SDKs and for Terraform",
      ["AZURE", "ARM"].every(
        (prefix) =>
          env[`${prefix}_CLIENT_ID`] === CLIENT &&
          env[`${prefix}_TENANT_ID`] === azure.tenant &&
          env[`${prefix}_SUBSCRIPTION_ID`] === SUBSCRIPTION,
      ),
    ],
    [
      "AZURE_FEDERATED_TOKEN_FILE names a file that only the job reads",
      isAbsolute(env["AZURE_FEDERATED_TOKEN_FILE"] ?? "") &&
        fileOf(run, "AZURE_FEDERATED_TOKEN_FILE") === `0600 ${own}`,
    ],
    [
      "with the broker's own token a tool logs in for whatever its client may do",
      env["ARM_USE_OIDC"] === "true" && (await canLogIn(own, env["AZURE_AUTHORITY_HOST"] ?? "", azure)),
    ],
  ]
}

/** Logs in as Terraform and the SDKs do. */
async function canLogIn(token: string, authority: string, azure: Azure): Promise<boolean> {
  const response = await fetch(`${authority}${azure.tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: CLIENT,
      scope: "https://graph.microsoft.com/.default",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: token,
    }),
  })
  return response.status === 200
}
