import { FOREIGN_TEXT, type Reply } from "../case.ts"

// The parts that the stories of Entra share.

export const TENANT = "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63"
export const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"

export const connection = { tenant: TENANT, client_ids: [CLIENT] }
export const grant = { client_id: CLIENT, scope: "https://management.azure.com/.default" }
export const request = { connection, grant, ttlSeconds: 5_400 }
export const TYPE = { "content-type": "application/json; charset=utf-8" }

export const TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tIn0.c2ln"

export const answer = (change: Readonly<Record<string, unknown>> = {}): Reply => ({
  status: 200,
  headers: TYPE,
  body: JSON.stringify({
    token_type: "Bearer",
    expires_in: 3_599,
    ext_expires_in: 3_599,
    access_token: TOKEN,
    [FOREIGN_TEXT]: FOREIGN_TEXT,
    ...change,
  }),
})

export const refused = (code: number, status = 400, error = "invalid_client"): Reply => ({
  status,
  headers: TYPE,
  body: JSON.stringify({
    error,
    error_description: `AADSTS${code}: ${FOREIGN_TEXT} Trace ID: ${FOREIGN_TEXT}`,
    error_codes: [code],
    timestamp: "2026-11-22 12:00:00Z",
    trace_id: FOREIGN_TEXT,
    correlation_id: FOREIGN_TEXT,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  }),
})

export const ids = {
  "client-id": { secret: false, env: "AZURE_CLIENT_ID", value: CLIENT },
  "arm-client-id": { secret: false, env: "ARM_CLIENT_ID", value: CLIENT },
  "tenant-id": { secret: false, env: "AZURE_TENANT_ID", value: TENANT },
  "arm-tenant-id": { secret: false, env: "ARM_TENANT_ID", value: TENANT },
} as const

export const minted = {
  values: { "access-token": { secret: true, env: "AZURE_ACCESS_TOKEN", value: TOKEN }, ...ids },
  revocation: "expires-only",
  expiresAt: "2026-11-22T12:59:59.000Z",
} as const
