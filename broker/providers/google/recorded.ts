import { FOREIGN_TEXT, type Reply } from "../case.ts"

export const POOL_PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
export const ACCOUNT = "shop-deploy@acme-prod.iam.gserviceaccount.com"

/** A connection that impersonates. */
export const connection = {
  workload_identity_provider: POOL_PROVIDER,
  service_accounts: [ACCOUNT, "*@acme-jump.iam.gserviceaccount.com"],
  project: "acme-prod",
}
export const request = { connection, grant: { service_account: ACCOUNT }, ttlSeconds: 900 }
/** A federated token itself. */
export const direct = { connection: { workload_identity_provider: POOL_PROVIDER }, grant: {}, ttlSeconds: 900 }

/** The values that every grant of this account and connection has. */
export const publicValues = {
  project: { secret: false, env: "GOOGLE_CLOUD_PROJECT", value: "acme-prod" },
  "cloudsdk-project": { secret: false, env: "CLOUDSDK_CORE_PROJECT", value: "acme-prod" },
  "gcloud-project": { secret: false, env: "GCLOUD_PROJECT", value: "acme-prod" },
  "service-account": { secret: false, value: ACCOUNT },
} as const

export const FEDERATED = "ya29.d.federated-token-example"
/** Google pads its tokens with dots, which are part of the token. */
export const OF_ACCOUNT = "ya29.c.service-account-example...."

export const answer = (status: number, body: unknown): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=UTF-8" },
  body: JSON.stringify(body),
})

/** STS's answer to an exchange. */
export const exchanged = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  answer(200, {
    access_token: FEDERATED,
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 298,
    ...change,
  })

/** The answer of generateAccessToken. */
export const impersonated = (change: Readonly<Record<string, unknown>> = {}): Reply =>
  answer(200, { accessToken: OF_ACCOUNT, expireTime: "2026-11-22T12:15:00Z", ...change })

/** A refusal in OAuth's form. */
export const stsRefused = (status: number, error: string): Reply =>
  answer(status, { error, error_description: FOREIGN_TEXT, error_uri: `https://example.com/${FOREIGN_TEXT}` })

/** A refusal in the form of Google's APIs. */
export const apiRefused = (code: number, status: string, reason?: string): Reply =>
  answer(code, {
    error: {
      code,
      message: FOREIGN_TEXT,
      status,
      ...(reason === undefined
        ? {}
        : { details: [{ "@type": "type.googleapis.com/google.rpc.Help" }, { reason, domain: FOREIGN_TEXT }] }),
    },
  })

/** The answer of a proxy instead of Google. */
export const HTML: Reply = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: `<!doctype html><p>${FOREIGN_TEXT}`,
}
